# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What became of a defect that was put back, from what its detectors say."""

import dataclasses

from Runners.mutants.defects import COMPARISONS

# How long the comparison may take to find a defect, in seconds of a CPU.
SECONDS = 60
COLUMNS = ("defect", "known", "comparison", "s", "alone", "s")


@dataclasses.dataclass(frozen=True)
class Answer:
    """What a detector says; `told` is empty where it has found nothing."""

    name: str
    seconds: float
    told: str = ""

    @property
    def found(self):
        return bool(self.told)

    def __str__(self):
        return f"{self.name}, {self.seconds:.1f} s: {self.told or 'nothing found'}"


def fault(answers, limit=SECONDS):
    """Why a defect counts as missed; None where it does not. The comparison may take `limit`."""
    if not any(answer.found for answer in answers):
        return "nothing finds it"
    for answer in answers:
        # A process that ends by itself, or does not end, is no difference from the specification.
        if answer.name in COMPARISONS and not answer.told.startswith("world "):
            return "the comparison does not find it"
        if answer.name in COMPARISONS and answer.seconds > limit:
            return f"the comparison takes {answer.seconds:.0f} s"
    return None


@dataclasses.dataclass(frozen=True)
class Row:
    """A defect, what its detectors say, and why it counts as missed."""

    defect: object
    answers: list
    problem: str | None = None

    @property
    def comparison(self):
        """What the comparison says; None where it was not asked."""
        return next((answer for answer in self.answers if answer.name in COMPARISONS), None)

    @property
    def alone(self):
        """The suite that finds it without the comparison; None where none does."""
        return next((each for each in self.answers if each.found and each.name not in COMPARISONS), None)

    @property
    def figures(self):
        """What is kept of it."""
        compared, alone = self.comparison, self.alone
        return {
            "name": self.defect.name,
            "known": self.defect.known,
            "compared": compared is not None,
            "comparison": round(compared.seconds, 1) if compared and compared.found else None,
            "unseen": self.defect.unseen or None,
            "alone": alone.name if alone else None,
            "alone_seconds": round(alone.seconds, 1) if alone else None,
            "problem": self.problem,
        }

    @property
    def cells(self):
        """Its line of the table."""
        compared, alone = self.comparison, self.alone
        if compared:
            told = "found" if compared.found else "NOT FOUND"
        else:
            told = self.defect.unseen or "-"
        return (
            self.defect.name, self.defect.known, told,
            f"{compared.seconds:.1f}" if compared else "-",
            alone.name if alone else "none" if self.answers else "NOT THERE",
            f"{alone.seconds:.1f}" if alone else "-",
        )  # fmt: skip


def table(rows):
    """The lines of a table of all defects."""
    texts = [COLUMNS, *(row.cells for row in rows)]
    widths = [max(len(cells[index]) for cells in texts) for index in range(len(COLUMNS))]
    for cells in texts:
        yield "  ".join(
            cell.rjust(width) if column == "s" else cell.ljust(width)
            for cell, width, column in zip(cells, widths, COLUMNS)
        ).rstrip()
