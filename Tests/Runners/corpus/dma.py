# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""An independent reading of who does DMA in a device tree, and through which IOMMU.

Written from the bindings (iommu.txt, pci-iommu.txt, pci-msi.txt, msi.txt, arm,smmu-v3.yaml) and the rule of
DMA.md, on the tree of Python objects of `run.py`. Maps are not taken apart: every one of the 65,536
requesters of a PCI host bridge is looked up by itself.
"""

SMMU_V2 = {
    "arm,smmu-v1", "arm,smmu-v2", "arm,mmu-400", "arm,mmu-401", "arm,mmu-500",
    "qcom,smmu-v2", "qcom,smmu-500", "nvidia,smmu-500", "cavium,smmu-v2",
}  # fmt: skip
KNOWN = {
    "qemu,fw-cfg-mmio", "virtio,mmio",
    "arm,pl080", "arm,pl081", "arm,pl330", "arm,pl110", "arm,pl111", "arm,hdlcd",
    "arm,mali-400", "arm,mali-450", "arm,mali-bifrost", "arm,mali-valhall-csf",
    "generic-ahci", "snps,dwc-ahci", "generic-ehci", "generic-ohci", "generic-xhci",
    "snps,dwc3", "snps,dwmac", "cdns,macb", "cdns,gem", "arm,coresight-tmc", "arm,coresight-catu",
}  # fmt: skip
DEBUG = {"arm,coresight-cpu-debug", "arm,coresight-cti", "arm,coresight-cti-v8-arch"}
PCI_REQUESTERS = 0x10000


class Unreadable(Exception):
    """A property can't be what its binding says."""


def words(node, name):
    value = node.properties[name]
    if len(value) % 4:
        raise Unreadable(name)
    return [int.from_bytes(value[at:at + 4], "big") for at in range(0, len(value), 4)]


def is_pci(node):
    return node.strings("device_type")[:1] == ["pci"]


def is_below_pci(node):
    return any(is_pci(above) for above in ancestors(node))


def ancestors(node):
    while node.parent:
        node = node.parent
        yield node


def evidence(node):
    """Why `node` is taken for a master; None: it isn't."""
    has, compatible = node.properties.__contains__, set(node.strings("compatible"))
    if has("iommus"):
        return "iommus"
    if is_pci(node):
        return "pci"
    if has("iommu-map"):
        return "iommu-map"
    if has("#iommu-cells") or compatible & (SMMU_V2 | {"arm,smmu-v3"}):
        return None
    if compatible & {"arm,gic-v3", "arm,gic-v3-its"}:
        return None
    if has("msi-parent") or has("msi-map"):
        return "msi"
    if has("#dma-cells"):
        return "dma-controller"
    is_bus = not has("compatible") or compatible & {"simple-bus", "simple-mfd"}
    if (has("dma-coherent") or has("dma-noncoherent")) and not is_bus:
        return "coherency"
    if compatible & DEBUG:
        return "debug"
    return "compatible" if compatible & KNOWN else None


def kind(node):
    compatible = set(node.strings("compatible"))
    if "arm,smmu-v3" in compatible:
        return "smmu-v3"
    return "smmu-v2" if compatible & SMMU_V2 else "other"


def is_iommu(node):
    compatible = set(node.strings("compatible"))
    return "#iommu-cells" in node.properties or bool(compatible & (SMMU_V2 | {"arm,smmu-v3"}))


def reason(iommu):
    """What is wrong with being behind `iommu`; None: nothing."""
    if not iommu.enabled:
        return "disabled"
    if kind(iommu) != "smmu-v3":
        return "not-driven"
    return None if iommu.count("#iommu-cells", 0) == 1 else "unreadable"


def phandles(root):
    found = {}
    for node in root.walk():
        for name in ("phandle", "linux,phandle"):
            if name in node.properties:
                found.setdefault(words(node, name)[0], node)
    return found


def specifiers(node, name, cells_name, named):
    """The entries of a list of phandles, each with its cells."""
    rest = words(node, name)
    while rest:
        target = named[rest[0]]
        cells = target.count(cells_name, 0)
        if name == "msi-parent" and len(words(node, name)) == 1:
            cells = 0
        yield target, rest[1:1 + cells]
        rest = rest[1 + cells:]


def lookup(entries, requester):
    """What the first entry of a map that has `requester` makes of it."""
    for base, phandle, target, length in entries:
        if base <= requester < base + length:
            return phandle, target + requester - base
    return None


def map_entries(node, name):
    cells = words(node, name)
    if not cells or len(cells) % 4:
        raise Unreadable(name)
    return [tuple(cells[at:at + 4]) for at in range(0, len(cells), 4)]


def requesters(node, mask_name):
    """The requesters of a PCI host bridge, as a map sees them."""
    mask = words(node, mask_name)[0] if mask_name in node.properties else 0xFFFFFFFF
    return sorted({requester & mask for requester in range(PCI_REQUESTERS)})


def joined(ways):
    """Ranges of (requester, stream, count, ignored bits), joined where one goes on with the next."""
    ranges = []
    for way in sorted(ways, key=lambda way: (way[0] or 0, way[1] or 0)):
        requester, stream, count, _ = way
        if ranges and requester is not None:
            last = ranges[-1]
            follows = last[0] is not None and last[0] + last[2] == requester
            if follows and (None if last[1] is None else last[1] + last[2]) == stream:
                ranges[-1] = (last[0], last[1], last[2] + count, None)
                continue
        ranges.append(way)
    return ranges


def paths(node, named):
    """Each way to memory, by (path of the IOMMU, its kind, reason)."""
    found = {}

    def add(iommu, why, way):
        key = (iommu and iommu.path, iommu and kind(iommu), why)
        found.setdefault(key, []).extend([way] if way else [])

    if "iommus" in node.properties:
        for iommu, cells in specifiers(node, "iommus", "#iommu-cells", named):
            told = cells and kind(iommu) != "other"
            ignored = cells[1] or None if len(cells) == 2 and kind(iommu) == "smmu-v2" else None
            add(iommu, reason(iommu), (None, cells[0], 1, ignored) if told else None)
        if is_pci(node) and "iommu-map" not in node.properties:
            add(None, "not-mapped", (0, None, PCI_REQUESTERS, None))
    everything = (0, None, PCI_REQUESTERS, None) if is_pci(node) else None
    if "iommu-map" in node.properties:
        try:
            entries = map_entries(node, "iommu-map")
        except Unreadable:
            add(None, "unreadable", everything)
            entries = None
        if entries and is_pci(node):
            for requester in requesters(node, "iommu-map-mask"):
                answer = lookup(entries, requester)
                iommu = named.get(answer[0]) if answer else None
                if answer is None:
                    add(None, "not-mapped", (requester, None, 1, None))
                elif iommu is None or not is_iommu(iommu):
                    add(None, "unreadable", (requester, None, 1, None))
                else:
                    stream = None if kind(iommu) == "other" else answer[1]
                    add(iommu, reason(iommu), (requester, stream, 1, None))
        elif entries:
            for base, phandle, target, length in entries:
                if length:
                    iommu = named[phandle]
                    stream = None if kind(iommu) == "other" else target
                    add(iommu, reason(iommu), (base, stream, length, None))
    if not found:
        why = "not-mapped" if "iommu-map" in node.properties else "no-iommu"
        add(None, why, everything)
    return {key: joined(ways) for key, ways in found.items()}


def itses(node, named):
    """The enabled ITSes that a master's MSIs go to."""
    reached = []
    if "msi-parent" in node.properties:
        reached += [target for target, _ in specifiers(node, "msi-parent", "#msi-cells", named)]
    if "msi-map" in node.properties:
        entries = map_entries(node, "msi-map")
        if is_pci(node):
            answers = {
                answer[0]
                for answer in (lookup(entries, r) for r in requesters(node, "msi-map-mask"))
                if answer
            }
        else:
            answers = {entry[1] for entry in entries if entry[3]}
        reached += [named[phandle] for phandle in answers]
    return sorted({
        its.path for its in reached
        if its.enabled and "arm,gic-v3-its" in its.strings("compatible")
    })


def masters(root):
    """All of a tree: {node: (evidence, ITSes, paths)}."""
    named, found = phandles(root), {}
    for node in root.walk():
        if not node.parent or not node.enabled or is_below_pci(node):
            continue
        why = evidence(node)
        if why:
            found[node.path] = (why, itses(node, named), paths(node, named))
    return found


def apart(first, base, count, mask, ignored):
    """The ways of a range of requesters; under a mask with holes each by itself."""
    if mask is None:
        yield first, base, count, ignored
        return
    found, requester = 0, first
    while found < count:
        if requester & ~mask == 0:
            yield requester, None if base is None else base + requester - first, 1, ignored
            found += 1
        requester += 1


def reported(report):
    """What a report of `portcullis` says, in the same form."""
    def hexadecimal(text):
        return None if text is None else int(text, 16)

    found = {}
    for entry in report["dma"]:
        if entry["confined"] != (entry["reason"] is None):
            raise Unreadable("confined")
        node = found.setdefault(entry["node"], (entry["evidence"], sorted(entry["msi"]), {}))
        node[2][entry["iommu"], entry["kind"], entry["reason"]] = joined([
            way
            for s in entry["streams"]
            for way in apart(
                hexadecimal(s["requester"]), hexadecimal(s["base"]), s["count"],
                hexadecimal(s["mask"]), hexadecimal(s["ignored"]),
            )
        ])  # fmt: skip
    return found


def differences(expected, found):
    """The nodes that the two readings don't agree on."""
    for node in sorted(expected.keys() | found.keys()):
        if expected.get(node) != found.get(node):
            yield f"dma of {node}", expected.get(node), found.get(node)
