# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0

import copy
import unittest

from Runners.acpi import agreement, made, run

REPORT = {
    "regions": [
        {
            "kind": "its", "node": "/its@8080000", "base": "0x8080000", "size": "0x20000",
            "protected": {"base": "0x8080000", "size": "0x10000", "pages": 16}, "translater": "0x8090040",
        }
    ],
    "unused": [],
    "redistributors": [{"node": "/intc", "base": "0x80a0000", "size": "0xf60000", "stride": None}],
    "iommus": [{"kind": "smmu-v3", "node": "/smmu", "base": "0x9050000", "size": "0x20000"}],
    "dma": [
        {
            "node": "/pcie", "evidence": "pci", "iommu": "/smmu", "kind": "smmu-v3", "msi": ["/its@8080000"],
            "streams": [{"base": "0x0", "count": 65536, "requester": "0x0"}], "confined": True,
        },
        {"node": "/fw-cfg", "evidence": "coherency", "iommu": None, "kind": None, "msi": [], "streams": [], "confined": False},
    ],
    "verdict": "protectable",
}  # fmt: skip


def other(change):
    """What the report and another one differ in, in which nodes have other names and `change` has changed something."""
    made_of = copy.deepcopy(REPORT)
    made_of["regions"][0]["node"], made_of["iommus"][0]["node"] = "ITS 0", "IORT 0x48"
    made_of["dma"][0].update(node="segment 0", iommu="IORT 0x48", msi=["ITS 0"])
    del made_of["dma"][1]
    change(made_of)
    return list(agreement.differences(REPORT, made_of))


class AgreementTests(unittest.TestCase):
    def test_names_and_devices_behind_nothing_may_differ(self):
        self.assertEqual(other(lambda report: None), [])

    def test_requesters_of_buses_that_are_not_there_may_differ(self):
        def change(report):
            of_bus_0, others = {"base": "0x0", "count": 256, "requester": "0x0"}, {"base": "0x9", "count": 9, "requester": "0x100"}
            report["dma"][0]["streams"] = [of_bus_0, others]

        self.assertEqual(other(change), [])

    def test_each_fact_is_compared(self):
        changes = {
            "regions": lambda r: r["regions"][0].update(translater="0x8090041"),
            "Redistributors": lambda r: r["redistributors"][0].update(size="0x20000"),
            "SMMUs": lambda r: r["iommus"][0].update(size="0x1000"),
            "streams": lambda r: r["dma"][0]["streams"][0].update(count=255),
            "MSIs": lambda r: r["dma"][0].update(msi=[]),
            "verdict": lambda r: r.update(verdict="refused"),
        }
        for what, change in changes.items():
            found = other(change)
            self.assertEqual(len(found), 1, found)
            self.assertTrue(found[0].startswith(f"{what}: "), found)


class DueTests(unittest.TestCase):
    def test_status_and_lines_are_judged(self):
        due = made.parse("a 0\n# no board\nb 1\nsays .*its.*\n")
        self.assertEqual(list(due["a"].judge(0, "")), [])
        self.assertEqual(list(due["b"].judge(1, "x\nan its here")), [])
        self.assertEqual(len(list(due["b"].judge(0, "nothing"))), 2)

    def test_a_line_that_means_nothing_is_told(self):
        for text in ("says x", "a", "a b", "a 0\na 1", "a 0\nsays"):
            with self.assertRaises(ValueError):
                made.parse(text)

    def test_something_is_due_to_each_board_and_to_no_other(self):
        boards = {path.parent.name for path in made.SOURCES.glob("*/*.asl")}
        self.assertEqual(made.parse(run.EXPECTED.read_text("utf-8")).keys(), boards)


if __name__ == "__main__":
    unittest.main()
