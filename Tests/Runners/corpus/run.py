# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Compares `portcullis inspect` with an independent reading of every device tree of a directory.

The reading below shares nothing with Portcullis but libfdt's token parser: it was written from the
Devicetree Specification (v0.4, 2.3), works on a tree of Python objects, and translates addresses
by recursion over parents. `Tests/Setup/corpus.sh` makes the directory; its `python/` has the binding of libfdt for
machines that haven't got python3-libfdt. The trees of QEMU's boards are added to it.

Prints for each page size how many files, ITS nodes, refusals and disagreements there are, how many masters of DMA and how
many of them are confined, and how long one process of
Portcullis takes for all files against `fdtdump` over the same files. Exit status 1 if there is a
disagreement or Portcullis takes three times as long as fdtdump or more.
"""

import json
import pathlib
import subprocess
import sys
import time

from Runners import commandline
from Runners.corpus import boards, dma

PAGE_SIZES = {"4k": 0x1000, "16k": 0x4000, "64k": 0x10000}
CONTROL_FRAME = 0x10000
TRANSLATER = 0x10040
REGISTRY_LIMIT = 32
CPU_LIMIT = 512


# Hardware that is there whatever its status is.
HARDWARE = {
    "arm,gic-v3-its": "its", "arm,gic-v3": "gic", "arm,smmu-v3": "smmu", "arm,smmu-v3-pmcg": "pmcg",
    "nvidia,tegra241-cmdqv": "cmdqv", "nvidia,tegra264-cmdqv": "cmdqv",
}  # fmt: skip
# The largest that its registers may be; an ITS has as many as it likes.
LIMITS = {"gic": 1 << 32, "smmu": 16 << 20, "cmdqv": 16 << 20, "pmcg": 128 << 10}


class Unreachable(Exception):
    """The CPU can't reach a node as the tree describes it."""


class Node:
    """A node with its properties as bytes."""

    def __init__(self, parent, name):
        self.parent, self.name = parent, name
        self.properties, self.children = {}, []
        if parent:
            parent.children.append(self)

    @property
    def path(self):
        if not self.parent:
            return "/"
        return self.parent.path.rstrip("/") + "/" + self.name

    def walk(self):
        """The node and all below it, in the order of the blob."""
        yield self
        for child in self.children:
            yield from child.walk()

    def strings(self, name):
        value = self.properties.get(name, b"")
        return value.rstrip(b"\0").decode("utf-8", "replace").split("\0") if value else []

    def count(self, name, default):
        value = self.properties.get(name)
        return default if value is None else int.from_bytes(value[:4], "big")

    @property
    def enabled(self):
        """Whether the node and every bus above it is enabled."""
        here = (self.strings("status") or ["okay"])[0] in ("okay", "ok")
        return here and (self.parent is None or self.parent.enabled)

    def reg(self):
        """The entries of `reg`, as (address, size) on the bus of the node."""
        address, size = self.parent.count("#address-cells", 2), self.parent.count("#size-cells", 1)
        value, stride = self.properties.get("reg", b""), 4 * (address + size)
        if not value or stride == 0 or len(value) % stride:
            raise Unreachable(f"reg of {len(value)} bytes, entries of {stride}")
        return [
            (number(value, at, address), number(value, at + 4 * address, size))
            for at in range(0, len(value), stride)
        ]

    def to_cpu(self, address, size):
        """Translates a range on the bus that this node is to what the CPU sees."""
        if self.parent is None:
            return address
        ranges = self.properties.get("ranges")
        if ranges is None:
            raise Unreachable(f"{self.path} has no ranges")
        if not ranges:
            return self.parent.to_cpu(address, size)
        child, length = self.count("#address-cells", 2), self.count("#size-cells", 1)
        parent = self.parent.count("#address-cells", 2)
        stride = 4 * (child + parent + length)
        for at in range(0, len(ranges) - stride + 1, stride):
            low = number(ranges, at, child)
            high = number(ranges, at + 4 * child, parent)
            extent = number(ranges, at + 4 * (child + parent), length)
            if low <= address and address + size <= low + extent:
                return self.parent.to_cpu(high + address - low, size)
        raise Unreachable(f"{self.path} translates no {address:#x}")

    def ranges_seen_by_cpu(self):
        return [(self.parent.to_cpu(base, size), size) for base, size in self.reg() if size]


def number(data, at, cells):
    return int.from_bytes(data[at:at + 4 * cells], "big")


def parse(libfdt, data):
    """Makes the tree of nodes from a blob."""
    fdt = libfdt.FdtRo(data)

    def build(offset, parent):
        node = Node(parent, fdt.get_name(offset) if parent else "")
        at = fdt.first_property_offset(offset, libfdt.QUIET_NOTFOUND)
        while at >= 0:
            entry = fdt.get_property_by_offset(at)
            node.properties[entry.name] = bytes(entry)
            at = fdt.next_property_offset(at, libfdt.QUIET_NOTFOUND)
        below = fdt.first_subnode(offset, libfdt.QUIET_NOTFOUND)
        while below >= 0:
            build(below, node)
            below = fdt.next_subnode(below, libfdt.QUIET_NOTFOUND)
        return node

    return build(0, None)


def overlap(a, b):
    return a[0] < b[0] + b[1] and b[0] < a[0] + a[1]


def is_unknown_controller(names):
    """Whether a node is a GIC, or an ITS, of which nothing is known."""
    known = {"arm,gic-v3", "arm,gic-v3-its", "arm,gic-v2m-frame"}
    return not known & set(names) and any(
        name.startswith("arm,gic-v") or name.endswith("-its") for name in names
    )


def hardware(root):
    """The kind, node, registers and status of hardware that is there whatever its status is, and what is wrong."""
    found, errors = [], []
    for node in root.walk():
        names = node.strings("compatible")
        if is_unknown_controller(names):
            errors.append(f"{node.path}: not known")
        for kind in dict.fromkeys(HARDWARE[name] for name in names if name in HARDWARE):
            try:
                ranges = [(node.parent.to_cpu(*entry), entry[1]) for entry in node.reg()[:99]]
            except Unreachable as reason:
                errors.append(f"{node.path}: {reason}")
                continue
            if kind == "gic":
                ranges = ranges[: 1 + node.count("#redistributor-regions", 1)]
            elif kind in ("its", "cmdqv"):
                ranges = ranges[:1]
            elif kind == "smmu" and len(ranges) > 1:
                errors.append(f"{node.path}: several ranges")
            for _, size in ranges[1:] if kind == "gic" else ranges:
                if size > LIMITS.get(kind, size):
                    errors.append(f"{node.path}: {size:#x} is too large")
            found.append((kind, node, ranges))
    if not any(kind == "gic" for kind, *_ in found):
        errors.append("no GICv3")
    return found, errors


def occupied(found):
    """What EL2 takes or uses of the hardware, as (kind, whether it is used, (base, size))."""
    has_distributor = False
    for kind, node, ranges in found:
        if kind == "gic":
            if node.enabled and not has_distributor:
                yield "gicd", True, (ranges[0][0], min(ranges[0][1], CONTROL_FRAME))
                has_distributor = True
            ranges = ranges[1:]
        elif kind == "its" and not node.enabled:
            ranges = [(ranges[0][0], CONTROL_FRAME)]
        yield from ((kind, node.enabled, entry) for entry in ranges)


def console(root):
    """The registers of the console that /chosen names, as (kind, whether it is used, (base, size)), if there are any."""
    nodes = {node.path: node for node in root.walk()}
    chosen, aliases = nodes.get("/chosen"), nodes.get("/aliases")
    names = chosen and (chosen.strings("stdout-path") or chosen.strings("linux,stdout-path"))
    path = names[0].split(":")[0] if names else ""
    if aliases and not path.startswith("/"):
        path = (aliases.strings(path) or [""])[0]
    node = nodes.get(path)
    try:
        if node and node.enabled and node.parent:
            base, size = node.reg()[0]
            yield "console", True, (node.parent.to_cpu(base, size), size)
    except Unreachable:
        return


def overlaps(root, found, memory):
    """What overlaps: monitors may lie in one place, and among the registers of an SMMU."""
    ranges = [*occupied(found), *console(root)]
    for index, one in enumerate(ranges):
        for other in ranges[:index]:
            if "pmcg" in (one[0], other[0]) and {one[0], other[0]} <= {"pmcg", "smmu"}:
                continue
            # What is used and not used is one thing, told twice.
            is_told_twice = one[2] == other[2] and not (one[1] and other[1])
            if overlap(one[2], other[2]) and not is_told_twice:
                yield f"{one[0]} {one[2][0]:#x}: overlaps {other[0]}"
        yield from (f"{one[2][0]:#x}: overlaps memory" for each in memory if overlap(one[2], each))


def processors(root):
    """What is wrong with how the CPUs are started."""
    cpus = [
        node for node in root.walk() if node.parent and node.parent.path == "/cpus"
        and (node.strings("device_type")[:1] == ["cpu"] or "enable-method" in node.properties
             or node.name.startswith("cpu@"))
    ]  # fmt: skip
    if len(cpus) < 2:
        return
    methods = [(node.strings("enable-method") or [None])[0] for node in cpus]
    if methods.count(None) > 1 or any(method not in (None, "psci") for method in methods):
        yield "CPUs that are not started by PSCI"
    if not any(
        node.enabled and node.strings("method")[:1] in (["smc"], ["hvc"])
        and {"arm,psci", "arm,psci-0.2", "arm,psci-1.0"} & set(node.strings("compatible"))
        for node in root.walk()
    ):  # fmt: skip
        yield "no PSCI"


def read(libfdt, data, page):
    """What is expected of Portcullis for one blob."""
    root = parse(libfdt, data)
    expected = {
        "model": (root.strings("model") or [None])[0],
        "compatible": root.strings("compatible"),
        "regions": [], "redistributors": [], "iommus": [], "memory": [],
        "its": 0, "errors": [], "dma": dma.masters(root),
    }
    cpus = 0
    found, expected["errors"] = hardware(root)
    expected["errors"] += processors(root)
    expected["unused"] = sum(
        len(ranges[1:]) if kind == "gic" else 1
        for kind, node, ranges in found if not node.enabled and kind != "pmcg"
    )  # fmt: skip
    expected["its"] = sum("arm,gic-v3-its" in node.strings("compatible") for node in root.walk())
    for node in root.walk():
        compatible = node.strings("compatible")
        if not node.enabled or not node.parent:
            continue
        cpus += node.parent.path == "/cpus" and node.strings("device_type") == ["cpu"]
        if node.strings("device_type") == ["memory"] and node.parent is root:
            expected["memory"] += node.ranges_seen_by_cpu() if "reg" in node.properties else []
        if "arm,gic-v3" in compatible:
            count = node.count("#redistributor-regions", 1)
            expected["redistributors"] += node.ranges_seen_by_cpu()[1:1 + count]
        if "arm,smmu-v3" in compatible:
            expected["iommus"].append(node.ranges_seen_by_cpu()[0])
        if "arm,gic-v3-its" in compatible:
            try:
                base, size = node.reg()[0]
                base = node.parent.to_cpu(base, size)
            except Unreachable:
                continue
            if base % page or size % page or size < CONTROL_FRAME:
                expected["errors"].append(f"{node.path}: {base:#x} {size:#x}")
            expected["regions"].append((node.path, base, size))
    expected["errors"] += overlaps(root, found, expected["memory"])
    if len(expected["regions"]) > REGISTRY_LIMIT or cpus > CPU_LIMIT:
        expected["errors"].append("too many")
    expected["verdict"] = (
        "refused" if expected["errors"]
        else "protectable" if expected["its"] else "nothing-to-protect")
    return expected


def span(entry):
    return int(entry["base"], 16), int(entry["size"], 16)


def differences(expected, found):
    """The names of all that the two readings don't agree on."""
    for key in ("model", "compatible", "verdict"):
        if expected[key] != found[key]:
            yield key, expected[key], found[key]
    if expected["verdict"] != "refused":
        regions = [(region["node"], *span(region)) for region in found["regions"]]
        if expected["regions"] != regions:
            yield "regions", expected["regions"], regions
        for _, base, size in expected["regions"]:
            region = next((r for r in found["regions"] if int(r["base"], 16) == base), None)
            protected = span(region["protected"]) if region else None
            if protected != (base, CONTROL_FRAME):
                yield "protected", (base, CONTROL_FRAME), protected
            translater = region and region["translater"]
            reaches = hex(base + TRANSLATER) if size >= TRANSLATER + 4 else None
            if translater != reaches:
                yield "translater", reaches, translater
        # The order of what isn't protected means nothing.
        if expected["unused"] != len(found["unused"]):
            yield "unused", expected["unused"], found["unused"]
        for key in ("redistributors", "iommus", "memory"):
            if sorted(expected[key]) != sorted(map(span, found[key])):
                yield key, expected[key], found[key]
    yield from dma.differences(expected["dma"], dma.reported(found))


def seconds(command, repeat=3):
    """The best of some runs, so that a cold cache doesn't count for either side."""
    best = float("inf")
    for _ in range(repeat):
        start = time.monotonic()
        subprocess.run(command, shell=isinstance(command, str), check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        best = min(best, time.monotonic() - start)
    return best


def compare(libfdt, program, files, size):
    """Compares the two readings for pages of a size; whether they disagree, or Portcullis takes too long."""
    command = [program, "inspect", "--json", "--page-size", size, "--"]
    run = subprocess.run(command + files, check=False, capture_output=True, text=True)
    reports = json.loads(run.stdout)["files"]
    if [report["file"] for report in reports] != files:
        sys.exit("corpus: not one report a file")

    nodes = refusals = disagreements = masters = confined = 0
    for name, found in zip(files, reports):
        expected = read(libfdt, pathlib.Path(name).read_bytes(), PAGE_SIZES[size])
        nodes += expected["its"]
        refusals += expected["verdict"] == "refused"
        masters += len(expected["dma"])
        confined += sum(
            all(reason is None for *_, reason in ways) for _, _, ways in expected["dma"].values())
        for key, should, does in differences(expected, found):
            disagreements += 1
            print(f"{name}: {key}: {should} expected, {does} found")
            for line in expected["errors"] + [d["message"] for d in found["diagnostics"]]:
                print(f"    {line}")
    if run.returncode != (1 if refusals else 0):
        disagreements += 1
        print(f"exit status {run.returncode} with {refusals} refusals")

    ours = seconds(command + files)
    theirs = seconds("for file in " + " ".join(f"'{f}'" for f in files) +
                     "; do fdtdump \"$file\"; done >/dev/null 2>&1")
    print(f"{len(files)} files, {nodes} ITS nodes, {refusals} refusals, "
          f"{disagreements} disagreements")
    print(f"{masters} DMA masters, {confined} of them confined")
    print(f"portcullis {ours * 1000:.0f} ms, fdtdump {theirs * 1000:.0f} ms: "
          f"{ours / theirs:.2f} times (limit 3)")
    return disagreements > 0 or ours >= 3 * theirs


def main():
    parser = commandline.parser(__doc__, "program", "--qemu")
    parser.add_argument("directory", type=pathlib.Path, help="where the .dtb files are, at any depth")
    options = parser.parse_args()

    sys.path.append(str(options.directory / "python"))
    import libfdt  # pylint: disable=import-outside-toplevel

    print("Building QEMU's trees", file=sys.stderr)
    boards.build(options.qemu, options.directory / "dtb" / "qemu")
    files = sorted(map(str, options.directory.rglob("*.dtb")))
    if not files:
        sys.exit(f"corpus: no .dtb below {options.directory}")
    print(f"{len(files)} device trees", flush=True)
    for size in PAGE_SIZES:
        print(f"Comparing for pages of {size}", file=sys.stderr)
        if compare(libfdt, options.program, files, size):
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
