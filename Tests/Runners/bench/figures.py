# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Writes the figures of `make bench`, read from standard input, into the table of an article."""

import pathlib
import re
import sys

from Runners import commandline

BEGIN = "<!-- figures: written by `make figures` -->\n"
END = "<!-- end of figures -->\n"
# As bench.py prints a figure, with its aim where there is one.
LINE = re.compile(r"^(\S+) +(\d+(?:\.\d+)?)(?: +\(aim: ([\d.]+), (met|missed)\))?$")
# Of each row what is measured, the names of the figures, and words behind them.
ROWS = [
    ("mediated 32-bit read of `GITS_TYPER`", ["read32-instructions"], "instructions"),
    ("mediated 32-bit read of `GITS_CREADR`", ["GITS_CREADR-read32-instructions"], "instructions"),
    ("HVC there and back", ["hvc-instructions"], "instructions"),
    ("doorbell with one INV", ["doorbell-inv-1-instructions"], "instructions"),
    ("each further INV of a batch", ["each-further-inv"], "instructions"),
    ("each further MAPTI of a batch", ["each-further-mapti"], "instructions"),
    ("one MAPD, its table zeroed", ["doorbell-mapd-1-instructions"], "instructions"),
    ("one `INT`, from its doorbell to its handler", ["int-to-handler-instructions"], "instructions"),
    ("one `INT`, from writing it to its handler", ["int-to-lpi-instructions"], "instructions"),
    ("the same unmediated", ["unmediated-int-to-lpi-instructions"], "instructions"),
    ("claiming a page, with the SMMU owned", ["smmu-owned-donate-1-el2-instructions"], "of EL2"),
    ("claiming a page, without an SMMU", ["smmu-off-donate-1-el2-instructions"], "of EL2"),
    ("claiming 512 pages of a block, the same",
     ["smmu-owned-donate-512-el2-instructions", "smmu-off-donate-512-el2-instructions"], "of EL2"),
    ("giving a page back, zeroed, the same",
     ["smmu-owned-give-back-1-el2-instructions", "smmu-off-give-back-1-el2-instructions"], "of EL2"),
    ("SYNCs of the SMMU for a claim of 1 page, 512 pages",
     ["smmu-owned-donate-1-syncs", "smmu-owned-donate-512-syncs"], ""),
    ("table pages of the host's stage 2 for 1 GiB, 64 GiB, 1 TiB of memory",
     ["table-pages-1g", "table-pages-64g", "table-pages-1t"], ""),
    ("of its devices, where blocks may be split",
     ["dma-table-pages-1g-blocks", "dma-table-pages-64g-blocks", "dma-table-pages-1t-blocks"], ""),
    ("of its devices, page by page",
     ["dma-table-pages-1g-leaves", "dma-table-pages-64g-leaves", "dma-table-pages-1t-leaves"], ""),
    ("the same through `portcullis.h`: read of `GITS_TYPER`, doorbell with one INV",
     ["through-c-read32-instructions", "through-c-doorbell-inv-1-instructions"], "instructions"),
    ("as a multiple of the image's read", ["through-c-read32"], ""),
    ("as a multiple of the image's doorbell", ["through-c-doorbell-inv-1"], ""),
    ("stack of `portcullis_init`", ["stack-init"], "bytes"),
    ("stack of `portcullis_claim`", ["stack-claim"], "bytes"),
    ("stack of a trap, from its vector on", ["stack-trap"], "bytes"),
    ("stack of a handover", ["stack-handover"], "bytes"),
    ("code and read-only data of the library in a linked program", ["library-text+rodata"], "bytes"),
    ("the same where the program fills its board itself", ["library-without-tree-text+rodata"], "bytes"),
    ("code of the image and its read-only data", ["text+rodata"], "bytes"),
    ("of both, what stays mapped while the host runs", ["resident"], "bytes"),
]  # fmt: skip


def read(lines):
    """The figures by name: each a number and its aim, or None."""
    figures = {}
    for line in lines:
        if match := LINE.match(line.rstrip()):
            name, value, aim, met = match.groups()
            number = float(value)
            figures[name] = (int(number) if number == int(number) else number, aim and f"{aim}, {met}")
    return figures


def table(figures):
    """The table; raises KeyError for a figure that is not there."""
    rows = ["| | measured | aim |", "|---|---|---|"]
    for what, names, unit in ROWS:
        found = [figures[name] for name in names]
        numbers = ", ".join(f"{number:,}" for number, _ in found)
        aim = next((aim for _, aim in found if aim), "")
        rows.append(f"| {what} | {numbers}{' ' + unit if unit else ''} |{' ' + aim if aim else ''} |")
    return "\n".join(rows) + "\n"


def written(text, figures):
    """The article's text with the figures; raises ValueError where it has no place for them."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError("there is no table of figures")
    return f"{head}{begin}\n{table(figures)}\n{end}{tail}"


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("article", type=pathlib.Path)
    options = parser.parse_args()
    text = options.article.read_text("utf-8")
    try:
        options.article.write_text(written(text, read(sys.stdin)), "utf-8")
    except (KeyError, ValueError) as error:
        print(f"{options.article}: not written: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
