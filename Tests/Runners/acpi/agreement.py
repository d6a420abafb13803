# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What two reports of `inspect` on one board, by its device tree and by its ACPI tables, must say alike.

Nodes have other names by either source, and so stand here by their addresses. Of the devices that do DMA those of PCI
are compared: ACPI does not list those behind no SMMU, and has no memory. Of PCI the requesters of bus 0 are compared, the
only bus of these machines: QEMU's IORT has no others behind the SMMU, its device tree has all.
"""

# One behind the last requester ID of bus 0.
REQUESTERS = 0x100


def _of_bus_0(stream):
    """The part of a range of streams that are of bus 0, as (stream, count, requester)."""
    first = int(stream["requester"], 16)
    count = max(min(stream["count"], REQUESTERS - first), 0)
    return int(stream["base"], 16), count, first


def _bases(report):
    """The addresses of ITSes and SMMUs by the names of their nodes."""
    return {each["node"]: each["base"] for each in [*report["regions"], *report["unused"], *report["iommus"]]}


def facts(report):
    """What must be alike: sorted lists by what they tell of."""
    bases = _bases(report)
    requesters = [each for each in report["dma"] if each["evidence"] == "pci"]
    # Who is behind no SMMU has no stream.
    streams = [
        (bases.get(each["iommu"]), each["kind"], *_of_bus_0(stream))
        for each in requesters
        for stream in each["streams"]
        if stream["base"] and _of_bus_0(stream)[1]
    ]
    found = {
        "regions": [
            (each["kind"], each["base"], each["size"], str(each["protected"]), each["translater"])
            for each in report["regions"]
        ],
        "Redistributors": [(each["base"], each["size"], each["stride"] or "") for each in report["redistributors"]],
        "SMMUs": [(each["kind"], each["base"], each["size"]) for each in report["iommus"]],
        "streams": streams,
        "MSIs": {bases.get(its, its) for each in requesters for its in each["msi"]},
        "verdict": [report["verdict"]],
    }
    return {what: sorted(map(str, values)) for what, values in found.items()}


def differences(tree, tables):
    """What two reports differ in."""
    by_tree, by_tables = facts(tree), facts(tables)
    for what, values in by_tree.items():
        if values != by_tables[what]:
            yield f"{what}: by device tree {values}, by ACPI {by_tables[what]}"
