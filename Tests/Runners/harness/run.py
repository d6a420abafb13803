# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots the example of an embedder with the test host, and judges the TAP that the host prints.

The mediated harness runs on every board, and with each form of handover on one: all tests must pass. The control, in
which the library is not called, runs on every board: there each test that the list of attacks names must fail. With a
second VM beside the host, whose memory all attacks aim at then, both run once more. With --linux a Debian kernel is
booted too.
"""

import dataclasses
import functools
import pathlib
import sys

from Runners import commandline, qemu, turns
from Runners.board import judge
from Runners.harness import linux

SECONDS = 120
LEAST_TESTS = 300
# Of a host that is recorded.
TRACED_TESTS = 50
# The control of a race may be won late on a busy machine: an attack must succeed in one of so many boots.
CONTROL_BOOTS = 3
MEDIATED = "harness: the ITS is mediated"
CONTROL = "harness: nothing is mediated"
# The harness's and the host's word for a second VM, and what must fail in its control beside the other attacks.
SECOND_VM = "harness.guest"
SECOND_VM_ATTACKS = pathlib.Path(__file__).with_name("attacks.txt")
# The last line of a board whose host ends the trust and keeps a live ITS.
SWITCHED_OFF = "harness: switched off: a live ITS was not handed over"


@dataclasses.dataclass(frozen=True)
class Boot(judge.Boot):
    """One boot of the harness."""

    bootargs: str = ""
    # The least tests that the host reports.
    least: int = LEAST_TESTS
    processor: str = "cortex-a76"
    # Whether every attack must succeed.
    is_control: bool = False
    # Whether the harness is to end the board, and the host is not to report.
    is_ended: bool = False

    def arguments(self, host):
        """QEMU's arguments for the board with the image `host` at EL1."""
        return qemu.board(self.image, self.gic, self.cpus, self.bootargs, host, processor=self.processor)


def boots(mediated, control):
    """All boots."""
    for gic in judge.GIC_VERSIONS:
        for cpus in judge.CPU_COUNTS:
            yield Boot("embedded", mediated, gic, cpus)
    # Here an indirect branch to what is no landing pad is an exception.
    yield Boot("landing-pads", mediated, 4, 1, processor="max")
    yield Boot("second-vm", mediated, 3, 4, SECOND_VM)
    yield Boot("second-vm", mediated, 4, 1, SECOND_VM)
    # EL2 loads from where nothing answers.
    yield Boot("memory-silent", mediated, 3, 1, "harness.silent testhost.silent", least=4)
    yield Boot("trace", mediated, 3, 1, "portcullis.trace", least=TRACED_TESTS)
    trusted = "portcullis.handover"
    yield Boot("handover", mediated, 3, 4, trusted)
    yield Boot("handover-two-levels", mediated, 4, 1, f"{trusted} testhost.two-levels")
    yield Boot("handover-disabled", mediated, 3, 1, f"{trusted} testhost.disabled")
    yield Boot("handover-kept", mediated, 3, 1, f"{trusted} testhost.kept", is_ended=True)
    for gic in judge.GIC_VERSIONS:
        for cpus in judge.CPU_COUNTS:
            yield Boot("control", control, gic, cpus, is_control=True)
    yield Boot("second-vm-control", control, 3, 4, SECOND_VM, is_control=True)
    yield Boot("second-vm-control", control, 4, 1, SECOND_VM, is_control=True)


def judge_start(each, lines):
    """What is wrong with what the harness says of itself."""
    due = CONTROL if each.is_control else MEDIATED
    return [] if due in lines else [f"no line {due!r}: another harness than was to run"]


def judge_end(lines):
    """What is wrong with the output of a board that the harness is to end."""
    problems = judge.lives(lines)
    if judge.last(lines) != SWITCHED_OFF:
        problems.append(f"the last line is not {SWITCHED_OFF!r}")
    if judge.LIVE not in lines:
        problems.append("there was no live ITS")
    return problems


def judge_control(boot_once, patterns, most=CONTROL_BOOTS):
    """What is wrong with the control, which is booted until all attacks have succeeded, in one boot or another.

    `boot_once` returns a reader and an exit status. With what is wrong, the reader of the last boot is returned.
    """
    problems = None
    for _ in range(most):
        reader, status = boot_once()
        found = judge.unmediated(reader, status, patterns)
        if problems is None:
            problems = found
        else:
            # Another report that is not whole is wrong all the same.
            problems = [p for p in found if p in problems or not p.startswith(judge.HELD)]
        if not all(p.startswith(judge.HELD) for p in problems) or not problems:
            break
    return problems, reader


def patterns(each, attacks):
    """The patterns of what must fail in a control."""
    files = [attacks, SECOND_VM_ATTACKS] if SECOND_VM in each.bootargs else [attacks]
    return [pattern for file in files for pattern in judge.patterns(file)]


def attempt(each, options, say):
    """Boots a board and judges it."""
    problems = []

    def boot_once():
        say(f"# {each.title}")
        lines, status = qemu.run([options.qemu, *each.arguments(options.host)], SECONDS, say)
        problems.extend(judge_start(each, lines))
        if each.is_ended:
            problems.extend(judge_end(lines) + qemu.problems(status))
            return None, status
        return judge.read(lines), status

    failures, passed, skipped = [], 0, 0
    if each.is_control:
        found, reader = judge_control(boot_once, patterns(each, options.attacks))
        problems += found
    else:
        reader, status = boot_once()
        problems += judge.mediated(reader, status, each.least) if reader else []
    if reader:
        failures, passed, skipped = reader.failures, reader.passed, reader.skipped
    else:
        passed = int(not problems)
    what = f"{passed} passed, {len(failures)} failed, {skipped} skipped"
    # A failure that is due in a control counts as passed.
    return judge.Outcome(passed + (0 if problems else len(failures)), len(problems), problems, judge.summary(each.title, what, problems))


def main():
    parser = commandline.parser(__doc__, "mediated", "unmediated", "host", "--qemu", "--tools", "--only", "--results")
    parser.add_argument("--attacks", type=pathlib.Path, required=True, help="what must fail in the control")
    parser.add_argument("--linux", type=pathlib.Path, help="where Debian's kernels are, to boot one too")
    options = parser.parse_args()
    chosen = [each for each in boots(options.mediated, options.unmediated) if options.only in each.title]
    jobs = [functools.partial(attempt, each, options) for each in chosen]
    if options.linux and options.only in linux.TITLE:
        # First, for it is the longest.
        jobs.insert(0, functools.partial(linux.attempt, options.mediated, qemu.HARNESS_HOST_ADDRESS, options))
    outcomes = list(turns.in_turn(lambda job, say: job(say), jobs))
    return judge.conclude(outcomes, options.results)


if __name__ == "__main__":
    sys.exit(main())
