# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Device trees to draw: some of `dts/`, QEMU's board, and some that strain a page."""

import pathlib
import subprocess

from Runners import qemu

SAMPLES = ("one-its", "no-its", "eight-its", "too-many-its", "misaligned-base", "dma-platform", "dma-broken", "smmu")

HEAD = """/dts-v1/;
/ {{
  model = "{model}"; compatible = "{compatible}";
  #address-cells = <2>; #size-cells = <2>;
  memory@80000000 {{ device_type = "memory"; reg = <0 0x80000000 0 0x40000000>; }};
  psci {{ compatible = "arm,psci-1.0"; method = "smc"; }};
  gic: interrupt-controller@8000000 {{
    compatible = "arm,gic-v3"; interrupt-controller; #interrupt-cells = <3>;
    #address-cells = <2>; #size-cells = <2>; ranges;
    reg = <0 0x8000000 0 0x10000>, <0 0x80a0000 0 0x100000>;
    its: msi-controller@8080000 {{
      compatible = "arm,gic-v3-its"; msi-controller; #msi-cells = <1>; reg = <0 0x8080000 0 0x20000>;
    }};
  }};
"""
SMMU = '  smmu: {name}@9000000 {{ compatible = "arm,smmu-v3"; #iommu-cells = <1>; reg = <0 0x9000000 0 0x20000>; }};\n'


def many_masters():
    """A phone's worth of masters: 200, of which some have an SMMU, some MSIs, some neither."""
    text = HEAD.format(model="Two hundred masters", compatible="portcullis,many") + SMMU.format(name="iommu")
    for number in range(200):
        text += f"  device@{0xA000000 + number * 0x1000:x} {{ "
        if number % 3 == 0:
            text += f"iommus = <&smmu {number}>; "
        if number % 5 == 0:
            text += f"msi-parent = <&its {number}>; "
        text += "dma-coherent; compatible = \"portcullis,device\"; };\n"
    return text + "};\n"


def wide_names():
    """Names of the widest characters, as long as they come."""
    wide = "W" * 200
    text = HEAD.format(model=wide, compatible=wide) + SMMU.format(name="M" * 60)
    for number in range(40):
        letter = "WMm"[number % 3]
        text += f"  {letter * (8 + number)}@{0xA000000 + number * 0x1000:x} {{ "
        if number % 2:
            text += f"iommus = <&smmu {number}>; "
        text += "msi-parent = <&its 1>; dma-coherent; compatible = \"portcullis,device\"; };\n"
    return text + "};\n"


def compile_to(path, text):
    # dtc's warnings are about names that are as they are on purpose.
    subprocess.run(["dtc", "-f", "-q", "-q", "-I", "dts", "-O", "dtb", "-o", path, "-"], input=text.encode(), check=True)


def trees(program, directory):
    """Pairs of name and blob, made in `directory`."""
    directory = pathlib.Path(directory)
    for name, text in (
        *((name, pathlib.Path("dts", name + ".dts").read_text("utf-8")) for name in SAMPLES),
        ("many-masters", many_masters()), ("wide-names", wide_names()),
    ):  # fmt: skip
        compile_to(directory / f"{name}.dtb", text)
        yield name, directory / f"{name}.dtb"
    blob = directory / "virt.dtb"
    qemu.tree_of([program, *qemu.virt(cpus=4, smmu=True)], blob)
    yield "virt", blob
