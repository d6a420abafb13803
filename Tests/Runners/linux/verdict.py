# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The attacks of a hostile kernel: what each must come to, and what a boot says that it came to."""

import dataclasses
import re

from Runners.linux import statistic

# In the order in which a worse one hides a better one.
OUTCOMES = ("overwritten", "taken", "started", "wrong")
NOTHING = "nothing"
HELD = "held"
UNMADE = "unmade"
NOT_RUN = "not run"

OUTCOME = re.compile(r"# outcome: (\S+): (.*)")
COUNTED = re.compile(r"# counted: (\S+): (\d+) (\d+)")
# What stands before a reason in a count's name, and before it in the log.
LOGGED = {
    "accesses refused: ": "portcullis: refused: ",
    "ITS commands refused: ": "command refused: ",
    "Redistributors, tables refused: ": "tables refused: ",
}


@dataclasses.dataclass
class Attack:
    """What one attack must come to."""

    name: str
    without: str = ""
    why: str = ""  # where it is nothing
    ruins: bool = False
    mutant: str = ""
    counts: set = dataclasses.field(default_factory=set)
    may_count: set = dataclasses.field(default_factory=set)


def parse(text):
    """The attacks that a table of them names; raises ValueError for a line that means nothing."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        if line.startswith("attack "):
            found.append(Attack(line.removeprefix("attack ")))
            continue
        if not found:
            raise ValueError(f"line {number}: no attack")
        attack = found[-1]
        if line == "ruins":
            attack.ruins = True
        elif line.startswith("without "):
            attack.without, _, attack.why = line.removeprefix("without ").partition(": ")
            if (attack.without == NOTHING) != bool(attack.why):
                raise ValueError(f"line {number}: a reason is due where there is no control, only there")
            if attack.without not in (*OUTCOMES, NOTHING):
                raise ValueError(f"line {number}: no outcome: {attack.without!r}")
        elif line.startswith("mutant "):
            attack.mutant = line.removeprefix("mutant ")
        elif line.startswith("counts "):
            attack.counts.add(line.removeprefix("counts "))
        elif line.startswith("may count "):
            attack.may_count.add(line.removeprefix("may count "))
        else:
            raise ValueError(f"line {number}: {line!r}")
    for attack in found:
        if not attack.without:
            raise ValueError(f"{attack.name}: what it comes to without mediation is not told")
    names = [attack.name for attack in found]
    if len(set(names)) != len(names):
        raise ValueError("an attack is named twice")
    return found


class Report:
    """What the lines of a boot say of attacks."""

    def __init__(self, lines):
        self.outcomes = {}
        self.details = {}
        self.counted = {}
        for line in lines:
            if match := OUTCOME.fullmatch(line):
                self.outcomes[match[1]], self.details[match[1]] = _outcome(match[2])
            elif match := COUNTED.fullmatch(line):
                # Of whichever ITS: the boards have one. A count that has no name stays a number, which nobody expects.
                self.counted.setdefault(match[1], set()).add(statistic.name(int(match[2])))
        self._log = "\n".join(line for line in lines if line.startswith("portcullis: "))

    def outcome(self, attack):
        """What the attack came to, in a word."""
        return self.outcomes.get(attack.name, NOT_RUN)

    def judge_without(self, attack, due):
        """What is wrong where the attack is to have the outcome `due`."""
        outcome = self.outcome(attack)
        if outcome != (HELD if due == NOTHING else due):
            yield f"{attack.name}: {outcome}, where {due} is due ({self.details.get(attack.name)})"

    def judge_with(self, attack):
        """What is wrong where the attack is to be held."""
        if self.outcome(attack) != HELD:
            yield f"{attack.name}: {self.outcome(attack)} ({self.details.get(attack.name)})"
        counted = self.counted.get(attack.name, set())
        for reason in sorted(attack.counts - counted):
            yield f"{attack.name}: EL2 has not counted {reason!r}"
        for reason in sorted(counted - attack.counts - attack.may_count):
            yield f"{attack.name}: EL2 has counted {reason!r}"
        for reason in sorted(counted):
            if (text := _logged(reason)) and text not in self._log:
                yield f"{attack.name}: no line of the log says {text!r}"


def _outcome(text):
    values = {}
    for part in text.split(";"):
        key, _, value = part.strip().partition(" ")
        if key:
            values[key] = value
    details = ", ".join(f"{key} {value}" for key, value in values.items() if value != "0")
    for key in OUTCOMES:
        if values.get(key, "0") != "0":
            return key, details
    if UNMADE in values:
        return UNMADE, details
    # Not a word of it: the attack did not come to its end.
    return (HELD if all(key in values for key in OUTCOMES) else NOT_RUN), details


def _logged(reason):
    """How a line of the log begins that tells of the reason; none where there is none."""
    for count, log in LOGGED.items():
        if reason.startswith(count):
            return log + reason.removeprefix(count)
    return None
