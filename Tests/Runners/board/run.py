# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boots an EL2 image on every board there is to test and judges the TAP that its host prints.

The image runs its built-in host on every board, with a log of errors alone. With --elf and
--payload the other forms are booted too, on the first board: the ELF that the image is made of, the
image with a host that QEMU's guest-loader puts in memory, what the boot arguments change, and a board
with an SMMU where QEMU has one that can be owned.

A run is good if its TAP is complete, has enough tests that were not skipped, has no failure, and
QEMU's exit status is 0. With --expect-failures FILE a run is good if its TAP is complete and every
test that a pattern of FILE names was seen to fail: the control of the tests themselves.

With --checked the specification goes along with each ITS of the image, and a host that reports with an ITS that is
mediated from the start must have had traps that were compared.
"""

import dataclasses
import pathlib
import re
import sys
import tempfile
from collections.abc import Callable

from Runners import commandline, qemu, turns
from Runners.board import flattree, hardware, judge, payload, refusals, starts

LEAST_TESTS = 40
SECONDS = 120
# A board that is refused, QEMU's start included.
REFUSAL_SECONDS = 5
# How much longer the checked image may take.
CHECKED_FACTOR = 5

# Where the guest-loader puts a payload: an arm64 `Image` on a boundary of 2 MiB, as its header asks,
# a flat payload off every boundary but a page's.
IMAGE_ADDRESS = 0x49000000
FLAT_ADDRESS = 0x49001000

# What EL2 logs of a refused access, and what the test host prints instead of TAP where its own boot
# arguments ask for it.
REFUSAL = r"portcullis: refused: width not permitted, ipa 0x[0-9a-f]+ va 0x[0-9a-f]+ esr 0x[0-9a-f]+"
FIGURE = r"bench: read32-instructions \d+"

# The last line of a board whose host ends the trust and keeps a live ITS.
SWITCHED_OFF = r"portcullis: switched off: a live ITS was not handed over, number \d+"


@dataclasses.dataclass(frozen=True)
class Boot(judge.Boot):
    """One boot: what starts EL2 on which board with which arguments, and what EL2 starts."""

    bootargs: str = "portcullis.log=error"
    # The `payload` of qemu.board; None for the built-in host.
    payload: tuple = None
    # Whether the board has an SMMUv3.
    smmu: bool = False
    # Whether U-Boot starts EL2, with no arguments; and what is typed there, if not that alone.
    u_boot: bool = False
    typed: tuple = ()
    # What is another than in QEMU's own tree: a property, and what makes of its cells the new ones; or None, and
    # what makes of the tree the new one.
    tree: tuple = None
    # The tests that must be run, where they are not those of every board.
    least: int = None
    # Whether the host has the ITS at work, so that the checked image has much to compare.
    works: bool = True
    # Where the host's report is not what is looked at: a line of the output must match this.
    sign: str = None
    # Whether that line is the last: nobody is left who prints another.
    ends: bool = False
    # The board that EL2 refuses: a pattern of the line that says why.
    refused: re.Pattern = None
    # Whether nothing is printed, for there is no console; the exit status tells how far it came.
    silent: bool = False
    # Whether the board is ended by the line that is looked for: nobody switches it off, or what follows says nothing.
    stops: bool = False
    # More of what the machine is, and further arguments.
    machine: str = ""
    more: tuple = ()
    # Whether the image is started as the CPU comes out of reset, by no loader.
    is_bare: bool = False
    # QEMU's arguments for another board, all of them.
    whole: list = None
    # The exit status that is due.
    status: int = 0
    # What makes of the source of QEMU's tree another one.
    edit: Callable[[str], str] = None
    # Where that one is put for the firmware to hand it on, if QEMU is not to.
    tree_address: int = None

    @property
    def arguments(self):
        """QEMU's arguments."""
        if self.whole:
            return self.whole
        return [
            *qemu.board(
                self.image, self.gic, self.cpus, self.bootargs, payload=self.payload, u_boot=self.u_boot,
                smmu=self.smmu, machine=self.machine, is_bare=self.is_bare,
            ),
            *self.more,
        ]  # fmt: skip

    @property
    def dialogue(self):
        """What is typed at the board."""
        if self.typed:
            return qemu.u_boot_dialogue(self.typed)
        return qemu.u_boot_dialogue() if self.u_boot else ()

    def judge(self, lines):
        """What is wrong with the output, whatever the host's tests say."""
        if self.refused:
            return self.judge_refusal(lines)
        if self.silent:
            return [f"something lives: {line!r}" for line in lines if line.strip()][:1]
        if self.sign and self.ends:
            return self.judge_end(lines)
        if self.sign:
            found = any(re.fullmatch(self.sign, line) for line in lines)
            return [] if found else [f"no line matches {self.sign!r}"]
        problems = []
        last_words = payload.LOADED if self.payload else payload.BUILT_IN
        if not any(line.endswith(last_words.decode().strip()) for line in lines):
            problems.append("the host that ran is not the one that was to run")
        # Who starts these two tells EL2 no level.
        if not (self.u_boot or self.is_bare) and any(re.fullmatch(REFUSAL, line) for line in lines):
            problems.append("a warning is logged, though the level is error")
        return problems

    def judge_refusal(self, lines):
        """What is wrong with the output of a board that EL2 is to refuse."""
        problems = judge.lives(lines)[:1]
        if not any(self.refused.fullmatch(line) for line in lines):
            problems.append(f"no line matches {self.refused.pattern!r}")
        if not any(line.startswith("portcullis: not started: ") for line in lines):
            problems.append("EL2 does not say that it has not started")
        return problems

    def judge_end(self, lines):
        """What is wrong with the output of a board that EL2 is to switch off."""
        problems = judge.lives(lines)
        if not re.fullmatch(self.sign, judge.last(lines)):
            problems.append(f"the last line does not match {self.sign!r}")
        if judge.LIVE not in lines:
            problems.append("there was no live ITS")
        return problems


def handovers(image):
    """The boots whose host is trusted at first."""
    trusted = "portcullis.log=error portcullis.handover"
    yield Boot("handover", image, 3, 4, bootargs=trusted)
    yield Boot("handover-two-levels", image, 4, 1, bootargs=f"{trusted} testhost.two-levels")
    yield Boot("handover-disabled", image, 3, 1, bootargs=f"{trusted} testhost.disabled")
    yield Boot(
        "handover-kept", image, bootargs=f"{trusted} testhost.kept", sign=SWITCHED_OFF, ends=True
    )


def few_devices(cells):
    """`msi-map` of a board on whose bus 16 requesters alone have a DeviceID: first, controller, first, count."""
    return [*cells[:3], 16]


def more_memory(tree):
    """The tree of a board that tells of 16 MiB behind its memory, where nothing answers.

    QEMU puts nodes of its own in the place of all that are named `memory`.
    """
    return flattree.with_node(tree, "bank@80000000", device_type="memory", reg=[0, 0x80000000, 0, 0x1000000])


def boots(image, elf, testhost, directory):
    """All boots of `image`; the payloads made of `testhost` are written to `directory`."""
    for gic in judge.GIC_VERSIONS:
        for cpus in judge.CPU_COUNTS:
            yield Boot("image", image, gic, cpus)
    if elf:
        yield Boot("elf", elf)
    if testhost:
        yield from handovers(image)
        checked = "portcullis.log=error portcullis.vlpi=checked"
        yield Boot("vlpi-checked", image, 4, 4, bootargs=checked)
        yield Boot("u-boot", image, cpus=4, u_boot=True)
        # As an application of UEFI, and once more: the second is told by a U-Boot that has gone on at EL1.
        # Of memory that nothing was loaded to it wants to know how much: more than the image has will do.
        application = f"{qemu.U_BOOT_ADDRESS:x}:400000"
        again = (*(f"bootefi {application} ${{fdtcontroladdr}}",) * 2, "poweroff")
        yield Boot("u-boot-efi", image, cpus=4, u_boot=True, typed=again, sign="portcullis: is there already")
        entry = directory / "entry"
        entry.write_bytes(payload.entry(qemu.U_BOOT_ADDRESS))
        at_entry = tuple(qemu.loader(image, qemu.U_BOOT_ADDRESS))
        yield Boot("loader-sp-el0", entry, is_bare=True, more=at_entry)
        original = testhost.read_bytes()
        arm64 = directory / "image"
        arm64.write_bytes(payload.image(original))
        flat = directory / "flat"
        flat.write_bytes(payload.flat(original))
        yield Boot("module-image", image, payload=(arm64, IMAGE_ADDRESS, "quiet"))
        yield Boot("module-flat", image, payload=(flat, FLAT_ADDRESS, "quiet"))
        measuring = (arm64, IMAGE_ADDRESS, "portcullis.bench")
        yield Boot("module-bootargs", image, payload=measuring, sign=FIGURE)
        claiming = "portcullis.log=error portcullis.masters=claim"
        yield Boot("masters-claimed", image, 3, 4, bootargs=claiming)
        listed = "portcullis.log=error portcullis.deviceids=listed testhost.listed"
        yield Boot("devices-listed", image, bootargs=listed, tree=("msi-map", few_devices), least=3)
        yield from hardware.unused(Boot, image)
        silent = "portcullis.log=error testhost.silent"
        yield Boot("memory-silent", image, bootargs=silent, tree=(None, more_memory), least=4)
        yield Boot("smmu", image, 4, 4, smmu=True)
        yield Boot("log-warning", image, bootargs="portcullis.log=warning", sign=REFUSAL)
        yield from refusals.boots(Boot, image, arm64, flat)
        yield from hardware.refused(Boot, image)
        offset = directory / "offset"
        offset.write_bytes(payload.image(original, text_offset=starts.TEXT_OFFSET))
        appended = directory / "appended"
        appended.write_bytes(payload.image(original, appended=0x1001))
        yield from starts.boots(Boot, image, offset, appended, directory)


def qemu_of(each, options):
    """The QEMU that can have a board, and why none can: one of the two is None."""
    if not each.smmu:
        return options.qemu, None
    lack = qemu.lack(options.qemu)
    if lack and options.smmu_qemu:
        return options.smmu_qemu, qemu.lack(options.smmu_qemu)
    return options.qemu, lack


def attempt(each, options, patterns, directory, say):
    """Boots a board and judges it."""
    program, lack = qemu_of(each, options)
    if lack:
        return judge.Outcome(summary=[f"{each.title}: not run: {lack}"])
    say(f"# {each.title}")
    command = [program, *each.arguments]
    if each.tree:
        command = flattree.board_with(command, directory / f"tree-{each.form}", *each.tree)
    if each.edit:
        path = directory / f"tree-{each.form}"
        command = flattree.edited(command, path, each.edit, each.tree_address)
    seconds = REFUSAL_SECONDS if each.refused or each.silent else options.seconds
    if options.checked:
        seconds *= CHECKED_FACTOR
    until = re.compile(each.refused or each.sign) if each.stops else None
    lines, status = qemu.run(command, seconds, say, each.dialogue, until)
    problems = each.judge(lines)
    if each.sign or each.refused or each.silent:
        problems += qemu.problems(status, each.status)
        good, skipped, failures = int(not problems), 0, []
    else:
        reader = judge.read(lines)
        if patterns:
            problems += judge.unmediated(reader, status, patterns)
        else:
            problems += judge.mediated(reader, status, each.least or options.least)
            if options.checked and each.works and "portcullis.handover" not in each.bootargs:
                problems += judge.compared(lines)
        good, skipped, failures = reader.passed, reader.skipped, reader.failures
    what = f"{good} passed, {len(failures)} failed, {skipped} skipped"
    summary = judge.summary(each.title, what, problems)
    if patterns and not problems:
        summary += [f"  fails as it must: {point}" for point in failures]
    # A run that is wrong as a whole (cut off, hung) counts as one failure.
    return judge.Outcome(good, len(failures) or int(bool(problems)), problems, summary)


def main():
    parser = commandline.parser(__doc__, "image", "--qemu", "--smmu-qemu", "--only", "--results")
    parser.add_argument("--elf", type=pathlib.Path, help="the image as ELF, to be booted too")
    parser.add_argument(
        "--payload", type=pathlib.Path, help="a test host for the guest-loader, to be booted too"
    )
    parser.add_argument("--seconds", type=int, default=SECONDS, help="limit of one run")
    parser.add_argument("--least", type=int, default=LEAST_TESTS, help="tests that must be run")
    parser.add_argument("--expect-failures", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--checked", action="store_true", help="the image has the specification in it")
    parser.add_argument("--debug", action="store_true", help="boot one board, on this terminal, halted for gdb")
    options = parser.parse_args()
    if options.debug:
        return qemu.interact([options.qemu, *qemu.board(options.image), *qemu.HALTED])

    patterns = []
    if options.expect_failures:
        patterns = judge.patterns(options.expect_failures)
        if not patterns:
            print(f"{options.expect_failures}: names no test", file=sys.stderr)
            return 1

    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        every = boots(options.image, options.elf, options.payload, directory)
        all_boots = commandline.chosen(every, options)
        outcomes = list(
            turns.in_turn(
                lambda each, say: attempt(each, options, patterns, directory, say), all_boots
            )
        )
    return judge.conclude(outcomes, options.results)


if __name__ == "__main__":
    sys.exit(main())
