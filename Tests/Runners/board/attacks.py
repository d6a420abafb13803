# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs every attack without and with mediation and prints what became of it.

Each image is booted with GICv3 and GICv4, and on boards whose tree disables the ITS, or the GIC with it. What an
attack comes to:

    overwritten  EL2's canary was changed by the ITS
    held         the canary is intact and the ITS still serves its host
    wedged       the canary is intact, but the ITS does not go on, or serves nobody afterwards
    not run      the host skipped it, or did not get as far

It is an error if an attack does not hold with mediation, if one that the lists name does not
overwrite the canary without, and if one does that they do not name; also if another test that they
name does not fail without mediation.

What devices do is tried on boards with an SMMUv3, by the boots of iommu.py, and comes to

    overwritten  EL2's canary was changed by a device, or by the SMMU
    leaked       a device has read what EL2 owns
    stopped      the ITS does not go on, for a device has switched it off
    lost         an interrupt is lost, for a device has changed the ITS's table
    held         nothing of that
    failed       none of that was seen, but the test has failed

Each must succeed without mediation, and where the SMMU is the host's own, and hold otherwise. A QEMU whose
SMMUv3 has no stage 2 runs none of these, and that is said.
"""

import fnmatch
import pathlib
import sys
import tempfile

from Runners import commandline, counts, qemu
from Runners.board import flattree, hardware, iommu, judge, run

AREA = "attack: "
OVERWRITTEN = "words of EL2's memory that were overwritten"
# So many must be seen to succeed without mediation, or the attacks are none.
LEAST_OVERWRITTEN = 20
LEAST_ATTACKS = 60
GIC_VERSIONS = (3, 4)
CPUS = 4
SECONDS = 300

# Patterns of the attacks that overwrite the canary without mediation: with any GIC, and with one
# that has virtual LPIs beside those.
LISTS = {3: ("attacks.txt",), 4: ("attacks.txt", "attacks-gicv4.txt")}

OUTCOMES = ("overwritten", "held", "wedged", "not run")

# The tables of what devices do: the boots of iommu.py, the controls first.
DMA_TABLES = {
    "of a device": ("control-unmediated", "control-off", "owned"),
    "of a device, while the ITS is handed over": ("control-off-handover", "owned-handover"),
    "of a device, by an SMMU that the host sees": ("control-off-nested", "nested"),
}
DMA_OUTCOMES = ("overwritten", "leaked", "stopped", "lost", "held", "failed", "not run")
SUCCESSES = frozenset(iommu.EFFECTS.values())


class Run:
    """One boot: the attacks in their order and what became of each."""

    def __init__(self, command, seconds):
        lines, self.status = qemu.run(command, seconds)
        self.reader = judge.read(lines)
        self.outcomes = {
            point.name.removeprefix(AREA): self._outcome(point)
            for point in self.reader.points
            if point.name.startswith(AREA)
        }

    @staticmethod
    def _outcome(point):
        if point.skipped:
            return "not run"
        if point.passed:
            return "held"
        return "overwritten" if OVERWRITTEN in point.differences else "wedged"

    def problems(self):
        """What makes the report as a whole unfit to be judged."""
        problems = list(self.reader.errors)
        if self.status == qemu.OUT_OF_TIME:
            problems.append("out of time")
        if len(self.outcomes) < LEAST_ATTACKS:
            problems.append(f"{len(self.outcomes)} attacks, at least {LEAST_ATTACKS} are due")
        return problems


def judge_without(outcomes, patterns):
    """What is wrong with a run without mediation."""
    seen = [name for name, outcome in outcomes.items() if outcome == "overwritten"]
    if len(seen) < LEAST_OVERWRITTEN:
        yield f"{len(seen)} attacks succeed, at least {LEAST_OVERWRITTEN} are due"
    for pattern in patterns:
        matching = [name for name in outcomes if fnmatch.fnmatchcase(AREA + name, pattern)]
        if not matching:
            yield f"no attack is named {pattern!r}"
        for name in matching:
            if name not in seen:
                yield f"does not succeed although it is listed: {name} ({outcomes[name]})"
    for name in seen:
        if not any(fnmatch.fnmatchcase(AREA + name, pattern) for pattern in patterns):
            yield f"succeeds although it is not listed: {name}"


def judge_with(outcomes):
    """What is wrong with a run with mediation."""
    for name, outcome in outcomes.items():
        if outcome != "held":
            yield f"{name}: {outcome}"


def patterns_of(gic):
    """All patterns that hold for a version of the GIC."""
    folder = pathlib.Path(__file__).parent
    return [pattern for name in LISTS[gic] for pattern in judge.patterns(folder / name)]


def attack_patterns(gic):
    """Those of attacks on the canary alone."""
    return [pattern for pattern in patterns_of(gic) if pattern.startswith(AREA)]


def judge_others(points, gic):
    """What is wrong with the other tests that must fail without mediation."""
    patterns = [pattern for pattern in patterns_of(gic) if not pattern.startswith(AREA)]
    yield from judge.failures(points, patterns)


def judge_devices(controls, others):
    """What is wrong with a table of what devices do; each is columns by their titles."""
    names = {name for columns in (controls, others) for each in columns.values() for name in each}
    if not names or not controls or not others:
        yield "nothing was tried"
    for name in sorted(names):
        for title, outcomes in controls.items():
            outcome = outcomes.get(name, "not run")
            if outcome not in SUCCESSES:
                yield f"{title}: does not succeed: {name} ({outcome})"
        for title, outcomes in others.items():
            outcome = outcomes.get(name, "not run")
            if outcome != "held":
                yield f"{title}: {name}: {outcome}"


def table(heading, columns, kinds):
    """The lines of a table: the attacks, what became of each, and how often."""
    names = list(dict.fromkeys(name for outcomes in columns.values() for name in outcomes))
    width = max(map(len, [heading, *names]))
    widths = [max(len(title), 15) for title in columns]

    def line(first, cells):
        aligned = (f"{cell:<{size}}" for cell, size in zip(cells, widths, strict=True))
        return "  ".join((f"{first:<{width}}", *aligned)).rstrip()

    yield line(heading, columns)
    for name in names:
        yield line(name, (outcomes.get(name, "not run") for outcomes in columns.values()))
    for kind in kinds:
        counts = [
            sum(outcomes.get(name, "not run") == kind for name in names)
            for outcomes in columns.values()
        ]
        yield line(f"{kind} of {len(names)}", counts)


def run_its(program, images, seconds):
    """The columns of the attacks by the ITS, and what is wrong with them."""
    columns = {}
    problems = []
    for word, image in images.items():
        for gic in GIC_VERSIONS:
            title = f"{word}, GICv{gic}"
            # A CPU that an attack has lost may have EL2 print for ever, in the middle of the host's lines.
            this = Run([program, *qemu.board(image, gic, CPUS, "portcullis.log=error")], seconds)
            columns[title] = this.outcomes
            found = this.problems()
            if word == "without":
                found += judge_without(this.outcomes, attack_patterns(gic))
                found += judge_others(this.reader.points, gic)
            else:
                found += judge_with(this.outcomes)
            problems += [f"{title}: {problem}" for problem in found]
    return columns, problems


def run_unused(program, images, seconds, directory):
    """The columns of attacks by hardware that the tree disables, and what is wrong with them."""
    columns = {}
    problems = []
    for word, image in images.items():
        due = "overwritten" if word == "without" else "held"
        for boot in hardware.unused(run.Boot, image, ("its", "gic")):
            title = f"{word}, {boot.form}"
            path = directory / title.replace(", ", "-")
            command = flattree.edited([program, *boot.arguments], path, boot.edit)
            this = Run(command, seconds)
            columns[title] = this.outcomes
            problems += [f"{title}: {error}" for error in this.reader.errors]
            if not this.outcomes:
                problems.append(f"{title}: nothing was tried")
            problems += [
                f"{title}: {name}: {outcome}, {due} is due"
                for name, outcome in this.outcomes.items()
                if outcome != due
            ]
    return columns, problems


def run_devices(program, boots, seconds):
    """The columns of what devices do, and what is wrong with them."""
    controls, others = {}, {}
    problems = []
    for boot in boots:
        title = f"{boot.form}, GICv{boot.gic}"
        lines, status = qemu.run([program, *boot.arguments], seconds)
        (controls if boot.attacks else others)[title] = iommu.outcomes(judge.read(lines))
        *_, found = iommu.judged(boot, lines, status)
        problems += [f"{title}: {problem}" for problem in found]
    problems += judge_devices(controls, others)
    return controls | others, problems


def main():
    parser = commandline.parser(__doc__, "unmediated", "mediated", "--qemu", "--results")
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit of one run")
    options = parser.parse_args()

    images = {"without": options.unmediated, "with": options.mediated}
    columns, problems = run_its(options.qemu, images, options.seconds)
    tables = {"of the ITS": columns}
    print(*table("attacks of the ITS", columns, OUTCOMES), sep="\n", flush=True)
    with tempfile.TemporaryDirectory() as directory:
        columns, found = run_unused(
            options.qemu, images, options.seconds, pathlib.Path(directory)
        )
    tables["of disabled hardware"] = columns
    problems += found
    print("", *table("attacks of disabled hardware", columns, OUTCOMES), sep="\n", flush=True)
    lack = qemu.lack(options.qemu)
    for heading, forms in DMA_TABLES.items():
        print(flush=True)
        if lack:
            print(f"attacks {heading}: not run: {lack}; QEMU=new takes one that has")
            continue
        boots = [
            boot
            for form in forms
            for boot in iommu.boots(options.mediated, options.unmediated)
            if boot.form == form
        ]
        columns, found = run_devices(options.qemu, boots, options.seconds)
        tables[heading] = columns
        problems += found
        print(*table(f"attacks {heading}", columns, DMA_OUTCOMES), sep="\n", flush=True)
    tried = sum(len(outcomes) for columns in tables.values() for outcomes in columns.values())
    more = {"not_run": lack} if lack else {}
    counts.write(options.results, max(tried - len(problems), 0), len(problems), tables=tables, **more)
    return commandline.told(problems, "attacks")


if __name__ == "__main__":
    sys.exit(main())
