# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots EL2 on boards with an SMMUv3 and two devices that do DMA, and judges what their host finds.

With the SMMU owned every test must pass, and the log must name the streams and the addresses of what
was refused. The controls are the same boards with the SMMU left to the host, and with the image that
mediates nothing: there each attack that the lists name must be seen to succeed, by what it changed or
read, and all that is no attack must go on. An SMMU that can't be owned must not be left to the host.

On a QEMU whose SMMUv3 has no stage 2 nothing is run, and nothing is told to have passed.
"""

import dataclasses
import fnmatch
import pathlib
import re
import sys

from Runners import commandline, counts, qemu, turns
from Runners.board import judge

FOLDER = pathlib.Path(__file__).parent
SECONDS = 300
LEAST_TESTS = 30
LEAST_HANDOVER_TESTS = 14

AREA = "dma attack: "
# By these an attack is seen to have succeeded, and not only to have gone wrong; what it comes to then.
EFFECTS = {
    "words of EL2's memory that were overwritten": "overwritten",
    "what a device has read": "leaked",
    "the ITS doesn't read INT": "stopped",
    "the LPIs taken": "lost",
}
# What is no attack, and needs nobody who confines devices.
HONEST = (
    "dma: *", "dma, second device: *", "dma handover: the live ITS's table *",
    "dma handover: what a refused *", "dma handover: the ITS is handed over *",
)  # fmt: skip

FAULT = re.compile(
    r"portcullis: DMA fault: SMMU 0 stream (0x[0-9a-f]+) (\w+) at (0x[0-9a-f]+), a (read|write)"
)
STREAMS = {slot << 3 for slot in qemu.EDU_SLOTS}
# The control frame of the ITS, and the doorbell.
CONTROL_FRAME = range(0x8080000, 0x8090000)
DOORBELL = range(0x8090000, 0x80A0000)

REFUSAL = r"portcullis: not started: the SMMUs cannot be owned: it has no stage 2"
NO_STAGE_1 = r"portcullis: not started: the SMMUs cannot be owned: it has no stage 1"


@dataclasses.dataclass(frozen=True)
class Boot(judge.Boot):
    """One boot: an image on a board with these arguments, and the attacks that must succeed on it."""

    bootargs: str = "portcullis.log=warning testhost.dma"
    machine: tuple = ()
    least: int = LEAST_TESTS
    # The list of the attacks that succeed; None where all must be held off.
    attacks: str = None
    # What the last line must be, where the host is not to be entered.
    end: str = None
    # Whether the log must tell of faults of these kinds; None where EL2 logs nothing while the host runs.
    faults: tuple = ()
    # The host, where another hypervisor links the library.
    host: pathlib.Path = None

    @property
    def arguments(self):
        """QEMU's arguments: time is that of the instructions, so that a DMA takes its time."""
        common = qemu.board(self.image, self.gic, self.cpus, self.bootargs, self.host, smmu=True)
        # QEMU warns, or does not, of a clock that counts where nobody runs any more.
        clock = () if self.end else qemu.ICOUNT
        return [*common, *qemu.EDU, *clock, *self.machine]


def harness_boots(harness, unmediated, host):
    """The boots of the example of an embedder, with the controls."""
    by = {"host": host, "faults": None}
    second_vm = "testhost.dma harness.guest"
    for gic, cpus in ((3, 1), (4, 4)):
        yield Boot("harness", harness, gic, cpus, bootargs="testhost.dma", **by)
    yield Boot("harness-second-vm", harness, bootargs=second_vm, **by)
    yield Boot(
        "harness-handover", harness, bootargs="portcullis.handover testhost.dma", least=LEAST_HANDOVER_TESTS, **by
    )
    yield Boot("harness-nested", harness, bootargs="portcullis.smmu=nested testhost.dma testhost.nested", **by)
    yield Boot("harness-control", unmediated, bootargs="testhost.dma", attacks="attacks-dma.txt", **by)
    yield Boot(
        "harness-second-vm-control", unmediated, bootargs=second_vm, attacks="attacks-dma-second-vm.txt", **by
    )


def boots(image, unmediated):
    """All boots, the controls among them."""
    handover = "portcullis.log=warning portcullis.handover testhost.dma"
    kinds = ("F_TRANSLATION", "F_PERMISSION")
    for gic, cpus in ((3, 1), (4, 4)):
        yield Boot("owned", image, gic, cpus, faults=kinds)
    yield Boot(
        "owned-handover", image, bootargs=handover, least=LEAST_HANDOVER_TESTS,
        faults=("F_TRANSLATION",),
    )  # fmt: skip
    off = "portcullis.log=error portcullis.smmu=off"
    yield Boot("control-off", image, bootargs=f"{off} testhost.dma", attacks="attacks-dma.txt")
    yield Boot(
        "control-off-handover", image, bootargs=f"{off} portcullis.handover testhost.dma",
        attacks="attacks-dma-handover.txt",
    )  # fmt: skip
    yield Boot("control-unmediated", unmediated, attacks="attacks-dma.txt")
    yield Boot("refused", image, machine=qemu.older_smmu(stage=1), end=REFUSAL)
    # The host has a stage 1 in front of EL2's stage 2.
    nested = "portcullis.log=warning portcullis.smmu=nested testhost.dma testhost.nested"
    for gic, cpus in ((3, 1), (4, 4)):
        yield Boot("nested", image, gic, cpus, bootargs=nested, faults=kinds)
    yield Boot(
        "control-off-nested", image, bootargs=f"{off} testhost.dma testhost.nested",
        attacks="attacks-dma-nested.txt",
    )  # fmt: skip
    yield Boot("refused-nested", image, bootargs=nested, machine=qemu.older_smmu(stage=2), end=NO_STAGE_1)


def outcomes(reader):
    """What each attack came to, by its name: an effect, `held`, `failed` for no effect, or `not run`."""
    found = {}
    for point in reader.points:
        if not point.name.startswith(AREA):
            continue
        effects = [EFFECTS[what] for what in sorted(point.differences & EFFECTS.keys())]
        if point.skipped:
            outcome = "not run"
        else:
            outcome = "held" if point.passed else (effects or ["failed"])[0]
        found[point.name.removeprefix(AREA)] = outcome
    return found


def judge_control(reader, status, patterns):
    """What is wrong with a control, in which each named attack must succeed and no honest test fail."""
    problems = list(reader.errors)
    if status == qemu.OUT_OF_TIME:
        problems.append("out of time")
    for pattern in patterns:
        matching = [p for p in reader.points if fnmatch.fnmatchcase(p.name, pattern)]
        if not matching:
            problems.append(f"no test is named {pattern!r}")
        for point in matching:
            if point.skipped or point.passed or not point.differences & EFFECTS.keys():
                problems.append(f"does not succeed: {point}")
    attacks = [p for p in reader.points if p.name.startswith(AREA)]
    for point in attacks:
        if not any(fnmatch.fnmatchcase(point.name, pattern) for pattern in patterns):
            problems.append(f"is not listed: {point.name}")
    for point in reader.points:
        if not point.passed and any(fnmatch.fnmatchcase(point.name, name) for name in HONEST):
            problems.append(f"fails without an SMMU: {point}")
    return problems


def judge_log(lines, kinds):
    """What is wrong with what the log tells of faults."""
    faults = [FAULT.fullmatch(line) for line in lines if "DMA fault" in line]
    problems = []
    if not all(faults):
        problems.append("a line of the log that is no fault's")
    told = {(int(f[1], 16), f[2], int(f[3], 16), f[4]) for f in faults if f}
    if strays := {fault[0] for fault in told} - STREAMS:
        problems.append(f"faults of streams of no device: {sorted(map(hex, strays))}")
    for stream in STREAMS:
        for word in ("read", "write"):
            fitting = (stream, "F_TRANSLATION", word)
            if not any((fault[0], fault[1], fault[3]) == fitting for fault in told):
                problems.append(f"no {word} of stream {stream:#x} is told of")
    for kind in kinds:
        if not any(fault[1] == kind for fault in told):
            problems.append(f"no {kind} is told of")
    if "F_PERMISSION" in kinds:
        if not any(fault[2] in CONTROL_FRAME for fault in told):
            problems.append("nothing is told of the control frame")
        for _, kind, address, word in told:
            if address in DOORBELL and (kind, word) != ("F_PERMISSION", "read"):
                problems.append(f"a fault at the doorbell: {kind}, a {word}")
    return problems


def judged(boot, lines, status):
    """(passed, failed, skipped, what is wrong) of a boot."""
    if boot.end:
        problems = []
        if not re.fullmatch(boot.end, judge.last(lines)):
            problems.append(f"the last line does not match {boot.end!r}")
        if any(line.startswith("TAP version") for line in lines):
            problems.append("the host was entered")
        problems += qemu.problems(status)
        return int(not problems), 0, 0, problems
    reader = judge.read(lines)
    if boot.attacks:
        patterns = judge.patterns(FOLDER / boot.attacks)
        problems = judge_control(reader, status, patterns)
        # What is due are the attacks that succeed.
        return 0 if problems else len(patterns), 0, 0, problems
    problems = judge.mediated(reader, status, boot.least)
    if boot.faults is not None:
        problems += judge_log(lines, boot.faults)
    return reader.passed, len(reader.failures), reader.skipped, problems


def attempt(boot, options, say):
    """Boots a board and judges it."""
    say(f"# {boot.title}")
    # What fails in a control is due: as comments it is no failure for who reads TAP.
    prefix = "#   " if boot.attacks else ""
    lines, status = qemu.run(
        [options.qemu, *boot.arguments], options.seconds, lambda line: say(f"{prefix}{line}")
    )
    good, failures, skipped, problems = judged(boot, lines, status)
    what = f"{good} attacks succeed" if boot.attacks else f"{good} passed, {failures} failed"
    summary = judge.summary(boot.title, f"{what}, {skipped} skipped", problems)
    return judge.Outcome(good, failures or int(bool(problems)), problems, summary)


def main():
    parser = commandline.parser(
        __doc__, "unmediated", "image", "harness", "harness_unmediated", "host", "--qemu", "--only", "--results",
    )  # fmt: skip
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit of one run")
    options = parser.parse_args()

    if lack := qemu.lack(options.qemu):
        print(f"# not run: {lack}")
        counts.write(options.results, 0, 0, not_run=lack)
        return 0
    print(f"# QEMU {'.'.join(map(str, qemu.version(options.qemu)))}", flush=True)
    every = [
        *boots(options.image, options.unmediated),
        *harness_boots(options.harness, options.harness_unmediated, options.host),
    ]
    chosen = commandline.chosen(every, options)
    outcomes = list(turns.in_turn(lambda boot, say: attempt(boot, options, say), chosen))
    return judge.conclude(outcomes, options.results)


if __name__ == "__main__":
    sys.exit(main())
