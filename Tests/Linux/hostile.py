# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an unmodified Linux whose kernel turns hostile, and tells what became of each attack.

Each machine is booted several times: on the image without mediation, where the attacks must succeed; on the
image, where none may, EL2 must count each for its own reason, and the machine must go on working; and on an
image with a defect put back, where the races that it is about must succeed again. What each attack must come to
is in attacks.txt.
"""

import pathlib
import shutil
import sys
import tempfile
import time

import boot
import commandline
import counts
import machine
import verdict

SECONDS = 900
# A CPU that leads, one that helps, and one that comes and goes (module/hostile).
CPUS = 3
TABLE = pathlib.Path(__file__).parent / "attacks.txt"
# A report that is shorter lies.
LEAST = 10

Machine = machine.Machine
SHORT = [Machine("6.1", 3, CPUS)]
FULL = [Machine(kernel, gic, CPUS) for kernel in machine.KERNELS for gic in machine.GIC_VERSIONS]


class Runner:
    """Boots a machine on images of EL2, with some of the attacks."""

    def __init__(self, options, table, board, directory):
        self._options = options
        self._table = table
        self._board = board
        self._directory = directory
        self._linux = machine.Images(
            options.fetched, board.kernel, options.toolchain, directory, [machine.HOSTILE]
        )
        self.problems = []
        self.summary = []

    def run(self, word, image, chosen, goes_on):
        """What the boot reports of the attacks `chosen`; `word` tells the boots of a machine apart.

        With `goes_on` the machine must go on working after each group.
        """
        board = self._board
        options = self._options
        title = f"{board.title} {word}"
        print(f"# {title}", flush=True)
        names = ",".join(_patterns(chosen, self._table))
        words = f"TESTS=hostile CPUS={board.cpus} GOES_ON={int(goes_on)} ATTACKS={names}"
        disks = machine.make_disks(self._directory)
        # A CPU that was started in EL2's memory aborts without end, and a line of EL2's log for each would break
        # the lines of the report.
        el2_words = "" if goes_on else "portcullis.log=error"
        command = machine.arguments(board, self._linux, disks, image, words, el2_words)
        start = time.monotonic()
        echo = boot.print_report if goes_on else boot.print_control
        this = boot.Boot([options.qemu, *command], SECONDS, echo)
        seconds = time.monotonic() - start
        if options.logs:
            file = options.logs / f"{title.replace(' ', '_')}-{len(self.summary)}.log"
            file.write_text("".join(f"{line}\n" for line in this.lines), "utf-8")
        if goes_on:
            this.judge(LEAST, 1)
            self.problems += [f"{title}: {problem}" for problem in this.problems]
        elif this.status:
            self.problems.append(f"{title}: QEMU's exit status {this.status}")
        self.summary.append(f"{title}: {len(chosen)} attacks in {seconds:.0f} s")
        return this, verdict.Report(this.lines)

    def note(self, word, problems):
        """Notes problems of a boot; whether there were none."""
        found = [f"{self._board.title} {word}: {problem}" for problem in problems]
        self.problems += found
        return not found


def _attack(runner, table, options, mutants):
    """Boots a machine in every way; what became of each attack, by the way, and how many tests have passed."""
    columns = {"without": {}}
    passed = 0
    for chosen in ([each for each in table if not each.ruins], *([each] for each in table if each.ruins)):
        _, report = runner.run("without", options.unmediated, chosen, False)
        for attack in chosen:
            columns["without"][attack.name] = report.outcome(attack)
            is_due = runner.note("without", report.judge_without(attack, attack.without))
            # What can't succeed is no test.
            passed += is_due and attack.without != verdict.NOTHING
    this, report = runner.run("with", options.mediated, table, True)
    columns["with"] = {attack.name: report.outcome(attack) for attack in table}
    for attack in table:
        runner.note("with", report.judge_with(attack))
    strange = sorted(set(report.outcomes) - {attack.name for attack in table})
    runner.note("with", [f"{name}: nobody has said what it must come to" for name in strange])
    passed += this.passed
    for name, image in mutants.items():
        chosen = [attack for attack in table if attack.mutant == name]
        if not chosen:
            runner.note(name, ["no attack is for this image"])
            continue
        _, report = runner.run(name, image, chosen, False)
        columns[name] = {attack.name: report.outcome(attack) for attack in chosen}
        for attack in chosen:
            passed += runner.note(name, report.judge_without(attack, "overwritten"))
    return columns, passed


def _patterns(chosen, table):
    """The attacks for the kernel's command line, which is short: a whole group is one pattern."""
    groups = {}
    for attack in chosen:
        groups.setdefault(attack.name.partition("/")[0], []).append(attack.name)
    whole = {}
    for attack in table:
        whole.setdefault(attack.name.partition("/")[0], []).append(attack.name)
    for group, names in groups.items():
        yield from ([f"{group}/*"] if names == whole[group] else names)


def _table(columns, names):
    """Prints what became of each attack, a column for each way of booting."""
    width = max(map(len, names))
    print(f"{'attack':<{width}}", *(f"{title:<{max(len(title), 11)}}" for title in columns), sep="  ")
    for name in names:
        row = (f"{outcomes.get(name, '-'):<{max(len(title), 11)}}" for title, outcomes in columns.items())
        print(f"{name:<{width}}", *row, sep="  ")


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("unmediated", type=pathlib.Path, help="the control image")
    parser.add_argument("mediated", type=pathlib.Path, help="the image")
    parser.add_argument("mutants", type=pathlib.Path, nargs="*", help="images el2-DEFECT.img")
    commandline.add_matrix(parser, "both kernels, GICv3 and GICv4")
    parser.add_argument("--logs", type=pathlib.Path, help="where to leave what was printed")
    counts.add_option(parser)
    options = parser.parse_args()

    boards = [each for each in (FULL if options.full else SHORT) if options.only in each.title]
    if not boards:
        print(f"no machine is named {options.only!r}", file=sys.stderr)
        return 1
    if options.logs:
        shutil.rmtree(options.logs, ignore_errors=True)
        options.logs.mkdir(parents=True)
    table = verdict.parse(TABLE.read_text("utf-8"))
    mutants = {image.stem.removeprefix("el2-"): image for image in options.mutants}
    problems = [
        f"{attack.name}: there is no image with {attack.mutant}"
        for attack in table
        if attack.mutant and attack.mutant not in mutants
    ]

    columns = {}
    summary = []
    passed = 0
    for board in boards:
        with tempfile.TemporaryDirectory() as temporary:
            runner = Runner(options, table, board, pathlib.Path(temporary))
            found, count = _attack(runner, table, options, mutants)
        columns |= {f"{board.kernel} v{board.gic} {word}": outcomes for word, outcomes in found.items()}
        passed += count
        problems += runner.problems
        summary += runner.summary

    _table(columns, [attack.name for attack in table])
    for attack in table:
        if attack.without == verdict.NOTHING:
            print(f"# no control: {attack.name}: {attack.why}")
    for line in summary:
        print(f"# {line}")
    for problem in problems:
        print(f"hostile: {problem}", file=sys.stderr)
    counts.write(options.results, passed, len(problems), outcomes=columns)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
