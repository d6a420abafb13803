# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an unmodified Linux whose kernel turns hostile, and tells what became of each attack.

Each machine is booted several times: on the image without mediation, where the attacks must succeed; on the
image, where none may, EL2 must count each for its own reason, and the machine must go on working; and on an
image with a defect put back, where the races that it is about must succeed again. What each attack must come to
is in attacks.txt.
"""

import dataclasses
import pathlib
import sys
import tempfile
import time

from Runners import commandline, counts, turns
from Runners.linux import boot, machine, verdict

SECONDS = 900
# A CPU that leads, one that helps, and one that comes and goes (module/hostile).
CPUS = 3
TABLE = pathlib.Path(__file__).parent / "attacks.txt"
# A report that is shorter lies.
LEAST = 10
# A control is a race now and then: what was not seen to succeed is tried again, in at most so many boots.
CONTROL_BOOTS = 3

Machine = machine.Machine
SHORT = [Machine("6.1", 3, CPUS)]
FULL = [Machine(kernel, gic, CPUS) for kernel in machine.KERNELS for gic in machine.GIC_VERSIONS]


@dataclasses.dataclass(frozen=True)
class Way:
    """A way to boot a machine: `word` tells it from others, `chosen` are attacks, `due` what each must come to.

    Without `due` all must be held, and the machine must go on working after each group.
    """

    word: str
    image: pathlib.Path
    chosen: tuple
    due: object = None


def ways(tried, options, mutants):
    """All ways to boot a machine; `tried` are the attacks."""
    quiet = [each for each in tried if not each.ruins]
    for chosen in (quiet, *([each] for each in tried if each.ruins)):
        yield Way("without", options.unmediated, tuple(chosen), lambda attack: attack.without)
    yield Way("with", options.mediated, tuple(tried))
    for name, image in mutants.items():
        chosen = tuple(attack for attack in tried if attack.mutant == name)
        yield Way(name, image, chosen, lambda attack: "overwritten")


class Trial:
    """One machine, booted in one way; what came of it."""

    def __init__(self, options, table, board, way, images, say):
        self._options = options
        self._table = table
        self._board = board
        self._way = way
        self._images = images
        self._say = say
        self._boots = 0
        self.outcomes = {}
        self.passed = 0
        self.problems = []
        self.summary = []

    def run(self):
        """Boots it, and judges."""
        if not self._way.chosen:
            self._note(["no attack is for this image"])
        elif self._way.due:
            self._see_success()
        else:
            self._see_held()

    def _see_success(self):
        wrong = []
        left = self._way.chosen
        while left and self._boots < CONTROL_BOOTS:
            _, report = self._boot(left)
            lost = []
            again = []
            for attack in left:
                due = self._way.due(attack)
                self.outcomes[attack.name] = report.outcome(attack)
                if found := list(report.judge_without(attack, due)):
                    # A race that was lost has done nothing.
                    is_lost = due != verdict.NOTHING and report.outcome(attack) == verdict.HELD
                    (again if is_lost else []).append(attack)
                    (lost if is_lost else wrong).extend(found)
                elif due != verdict.NOTHING:
                    # What can't succeed is no test.
                    self.passed += 1
            left = again
        self._note([*wrong, *lost])

    def _see_held(self):
        this, report = self._boot(self._way.chosen)
        self.outcomes = {attack.name: report.outcome(attack) for attack in self._way.chosen}
        for attack in self._way.chosen:
            self._note(report.judge_with(attack))
        strange = sorted(set(report.outcomes) - self.outcomes.keys())
        self._note(f"{name}: nobody has said what it must come to" for name in strange)
        self.passed = this.passed

    def _command(self, directory, words, el2_words):
        """The arguments that start the machine, and what is typed at it."""
        disks = machine.make_disks(directory)
        return machine.arguments(self._board, self._images, disks, self._way.image, words, el2_words), ()

    @staticmethod
    def _only(lines):
        """Those of the printed lines that are the guest's or EL2's."""
        return lines

    def _boot(self, chosen):
        """What the boot reports of the attacks `chosen`."""
        board, options, way = self._board, self._options, self._way
        goes_on = not way.due
        title = f"{board.title} {way.word}"
        self._boots += 1
        self._say(f"# {title}")
        names = ",".join(_patterns(chosen, self._table))
        words = f"TESTS=hostile CPUS={board.cpus} GOES_ON={int(goes_on)} ATTACKS={names}"
        # A CPU that was started in EL2's memory aborts without end, and a line of EL2's log for each would break
        # the lines of the report.
        el2_words = "" if goes_on else "portcullis.log=error"
        echo = boot.report_to(self._say) if goes_on else boot.control_to(self._say)
        with tempfile.TemporaryDirectory() as directory:
            command, typed = self._command(pathlib.Path(directory), words, el2_words)
            start = time.monotonic()
            this = boot.Boot([options.qemu, *command], SECONDS, echo, typed, self._only)
            seconds = time.monotonic() - start
        if options.logs:
            ruin = f"-{chosen[0].name.replace('/', '-')}" if chosen[0].ruins and not goes_on else ""
            boot.leave(this.lines, options.logs / f"{title.replace(' ', '_')}{ruin}-{self._boots}.log")
        if goes_on:
            this.judge(LEAST, 1)
            self._note(this.problems)
        elif this.status:
            self._note([f"QEMU's exit status {this.status}"])
        self.summary.append(f"{title}: {len(chosen)} attacks in {seconds:.0f} s")
        return this, verdict.Report(this.lines)

    def _note(self, problems):
        self.problems += [f"{self._board.title} {self._way.word}: {problem}" for problem in problems]


def run_all(options, table, boards, all_ways, kind=Trial):
    """The trials of all machines, in every way, run; each with its machine and way."""
    with tempfile.TemporaryDirectory() as temporary:
        images = {
            kernel: machine.Images(
                options.fetched, kernel, options.tools, pathlib.Path(temporary), [machine.HOSTILE]
            )
            for kernel in {board.kernel for board in boards}
        }

        def run(pair, say):
            board, way = pair
            trial = kind(options, table, board, way, images[board.kernel], say)
            trial.run()
            return board, way, trial

        pairs = [(board, way) for board in boards for way in all_ways]
        return list(turns.in_turn(run, pairs))


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


def conclude(trials, tried, results, problems=()):
    """Tells what became of each attack, and writes the counts; the exit status."""
    problems = list(problems)
    columns = {}
    summary = []
    passed = 0
    for board, way, trial in trials:
        title = f"{board.column} {way.word}"
        columns.setdefault(title, {}).update(trial.outcomes)
        passed += trial.passed
        problems += trial.problems
        summary += trial.summary

    _table(columns, [attack.name for attack in tried])
    for attack in tried:
        if attack.without == verdict.NOTHING:
            print(f"# no control: {attack.name}: {attack.why}")
    for line in summary:
        print(f"# {line}")
    counts.write(results, passed, len(problems), outcomes=columns)
    return commandline.told(problems, "hostile")


def main():
    parser = commandline.parser(__doc__, *commandline.LINUX, "unmediated", "mediated", "--only", "--logs", "--results")
    parser.add_argument("mutants", type=pathlib.Path, nargs="*", help="images el2-DEFECT.img")
    parser.add_argument("--full", action="store_true", help="both kernels, GICv3 and GICv4")
    parser.add_argument(
        "--brief", action="store_true", help="without attacks that ruin the machine, a boot each"
    )
    options = parser.parse_args()

    boards = commandline.chosen(FULL if options.full else SHORT, options)
    boot.fresh(options.logs)
    table = verdict.parse(TABLE.read_text("utf-8"))
    mutants = {image.stem.removeprefix("el2-"): image for image in options.mutants}
    problems = [
        f"{attack.name}: there is no image with {attack.mutant}"
        for attack in table
        if attack.mutant and attack.mutant not in mutants and not options.brief
    ]
    tried = [attack for attack in table if not (options.brief and attack.ruins)]

    trials = run_all(options, table, boards, list(ways(tried, options, mutants)))
    return conclude(trials, tried, options.results, problems)


if __name__ == "__main__":
    sys.exit(main())
