# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The table of what EL2 counts, as portcullis_hypercalls.h has it."""

import re

from Runners import ROOT

HEADER = ROOT / "CShims/Embedder/include/portcullis_hypercalls.h"
# The numbers of EL2 as a whole, and of each ITS.
PAGE = 512
ENUM = re.compile(r"enum portcullis_(its_)?statistic \{")
ROW = re.compile(r"    PORTCULLIS_STATISTIC_(\w+) = (\d+), /\* (\w+): (.*?)(\+ item)? \*/")
ITEM = re.compile(r"    /\* \+ (\d+): (.*) \*/")


def read(text):
    """The numbers by symbol, those of an ITS within it; and the names by number, those of ITS 0 among them."""
    numbers, names, first, row, prefix = {}, {}, 0, None, ""
    for line in text.splitlines():
        if match := ENUM.match(line):
            first, prefix = (PAGE, "ITS ") if match[1] else (0, "")
        elif match := ROW.fullmatch(line):
            symbol, number, kind, name, has_items = match.groups()
            numbers[symbol] = int(number)
            row = first + int(number), prefix + name
            if not has_items:
                names[row[0]] = ("now: " if kind == "gauge" else "") + row[1]
        elif match := ITEM.fullmatch(line):
            names[row[0] + int(match[1])] = row[1] + match[2]
    return numbers, names


NUMBERS, _NAMES = read(HEADER.read_text("utf-8"))
# Registers without a name are told by their offsets.
for _symbol, _text in (("LOADS", "ITS loads of"), ("STORES", "ITS stores to")):
    for _item in range(80):
        _NAMES.setdefault(PAGE + NUMBERS[_symbol] + _item, f"{_text} offset {4 * _item:#x}")


def name(number):
    """What a number counts, of whichever ITS; the number itself where the table has no name."""
    index = number if number < PAGE else PAGE + number % PAGE
    return _NAMES.get(index, str(number)).removeprefix("now: ")


def named(*symbols, of=0):
    """The numbers of rows with their names; `of=PAGE` for rows of an ITS."""
    return {NUMBERS[symbol]: name(of + NUMBERS[symbol]).removeprefix("ITS ") for symbol in symbols}


def listing():
    """A line for each name, its number before it: what the guest's portcullis-stat knows them by."""
    return "".join(f"{number} {text}\n" for number, text in sorted(_NAMES.items()))
