# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""QEMU's trees for the corpus: one for each way in which the board can be built."""

import subprocess
import sys

from Runners import qemu

PROCESSOR = "cortex-a57"


def boards():
    """The name and QEMU's arguments of each board."""
    for gic, word, more in (
        (2, "", {}), (3, "", {}), (4, "", {}), (3, "-its_off", {"machine": "its=off"}), (3, "-iommu_smmuv3", {"smmu": True}),
    ):  # fmt: skip
        # GICv2 has interfaces for eight CPUs only.
        for cpus in (1, 8) if gic == 2 else (1, 8, 140):
            yield f"virt-gic-version_{gic}{word}-smp_{cpus}", qemu.virt(gic, cpus, PROCESSOR, **more)
    numa = qemu.virt(3, 2, PROCESSOR, "2G", has_el2=False)
    yield "virt-numa", [*numa, *qemu.nodes(1024, 1024)]


def build(program, directory):
    """Builds the trees that are not there yet."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, arguments in boards():
        path = directory / f"{name}.dtb"
        if path.exists():
            continue
        try:
            qemu.tree_of([program, *arguments], path)
        except subprocess.CalledProcessError:
            print(f"corpus: QEMU does not build {name}; left out", file=sys.stderr)
