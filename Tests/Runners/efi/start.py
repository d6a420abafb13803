# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Starts Portcullis in UEFI's shell, which must work as before; starts it again, and where it has to refuse. A boot entry and
GRUB start it as well.

Each board of the shell is started without Portcullis too, as the control: it does the same there.
"""

import dataclasses
import pathlib
import re
import sys
import tempfile

from Runners import commandline, counts, qemu, turns
from Runners.efi import machine, shell, stick
from Runners.linux import boot
from Runners.linux.machine import OWNED
from Runners.linux.machine import arguments as board_arguments

SECONDS = 120
# No word that Portcullis knows, and a file of options that has it.
WRONG = "portcullis.nonsense"
OPTIONS = "portcullis.cfg"


def _lies(address, size, ranges):
    """Whether a range lies in one of these; firmware shows neighbours as one."""
    return any(first <= address and address + size <= first + length for first, length in ranges)


@dataclasses.dataclass(frozen=True)
class Start:
    """One board, and what is started there; `title` tells it from the others."""

    title: str
    board: machine.Machine
    # Commands by the parts of the script.
    starts: dict
    # More files of the stick.
    files: dict = dataclasses.field(default_factory=dict)
    # Whether the board has EL2.
    has_el2: bool = True

    dialogue = qemu.uefi_dialogue(starts=2)

    @property
    def is_control(self):
        """Whether Portcullis is not there."""
        return not self.starts

    def stick(self, image):
        """The files of the stick."""
        application = {machine.APPLICATION: image} if self.starts else {}
        return {"startup.nsh": shell.script(self.starts), **self.files, **application}

    def judge(self, lines):
        """What is wrong with the answers."""
        report = shell.Report(lines)
        yield from report.judge_work()
        for name in self.starts:
            yield from getattr(self, f"_judge_{name}")(report)
        news = self._news(report)
        if bool(news) != ("first" in self.starts):
            yield f"memory that is reserved now: {[f'{first:#x}, {size:#x} bytes' for first, size in news]}"

    @staticmethod
    def _news(report):
        """The ranges that are reserved now."""
        return sorted(set(report.reserved("after")) - set(report.reserved("before")))

    def _judge_first(self, report):
        if report.status("first") != shell.SUCCESS:
            yield f"started: the status is {report.status('first')}"
        told = [match for line in report.parts.get("first", ()) if (match := machine.PLACE.match(line))]
        news = self._news(report)
        if not any(_lies(int(match[1], 16), int(match[2], 16), news) for match in told):
            yield f"started: where it says that it lies is not reserved: {[match[0] for match in told]}"
        if not report.has("first", machine.CLAIMED.pattern):
            yield "started: it does not say that it has claimed an ITS"

    def _judge_again(self, report):
        if report.status("again") != shell.ALREADY_STARTED:
            yield f"started again: the status is {report.status('again')}"
        if not report.has("again", r"portcullis: .*already.*"):
            yield "started again: it does not say that it is there already"

    def _judge_wrong(self, report):
        return self._judge_refusal(report, "wrong", rf"portcullis: .*{WRONG}.*")

    def _judge_refused(self, report):
        return self._judge_refusal(report, "refused", r"portcullis: .*EL2.*")

    @staticmethod
    def _judge_refusal(report, name, pattern):
        if not report.status(name):
            yield f"{name}: the status is {report.status(name)}"
        if not report.has(name, pattern):
            yield f"{name}: no line matches {pattern!r}"


@dataclasses.dataclass(frozen=True)
class Loaded:
    """Something else than the shell starts Portcullis: what must be printed once, and what comes when all is done."""

    title: str
    board: machine.Machine
    # The files of the stick.
    files: dict
    once: tuple
    last: bytes
    # What nobody may print.
    never: re.Pattern = re.compile(r"(?!)")
    has_el2: bool = True

    is_control = False

    @property
    def dialogue(self):
        """What ends the machine; one that does not come that far runs out of time."""
        return (*(qemu.uefi_dialogue() if "startup.nsh" in self.files else ()), (self.last, b"\x01x"))

    def stick(self, image):
        """The files of the stick."""
        return self.files | {machine.APPLICATION: image}

    def judge(self, lines):
        """What is wrong with what was printed."""
        for pattern in self.once:
            if (times := sum(bool(pattern.fullmatch(line)) for line in lines)) != 1:
                yield f"{times} lines match {pattern.pattern!r}"
        yield from (f"printed: {line}" for line in lines if self.never.fullmatch(line))


def _loaded(loaders):
    """A boot entry, behind which firmware shows its menu; GRUB, which is not to go on where Portcullis is refused.

    `loaders` is the folder that the packages of boot loaders are unpacked in.
    """
    make = f"bcfg boot add 0 fs0:\\{machine.APPLICATION} Portcullis"
    entry = {"startup.nsh": stick.script(make, "reset")}
    started = (machine.PLACE, machine.CLAIMED)
    begun = re.compile(r'BdsDxe: starting Boot\d+ "Portcullis" from .*')
    board = machine.Machine("", 3, 2)
    yield Loaded("boot entry", board, entry, (*started, begun), b"Boot Maintenance Manager")
    # There is no Linux: GRUB says so where it would start it.
    grub = machine.grub_script([machine.APPLICATION], "") | {machine.BOOT_LOADER: loaders / machine.LOADERS[machine.GRUB]}
    missing = re.compile(rf"error: .*{machine.KERNEL}.*")
    prompt = b"grub> "
    yield Loaded("GRUB goes on", board, grub, (*started, missing), prompt)
    refused = (re.compile(r"portcullis: not started: .*EL2.*"),)
    yield Loaded("GRUB is refused", board, grub, refused, prompt, missing, has_el2=False)


def starts(loaders):
    """All boards and what is started there; `loaders` as for `_loaded`."""
    boards = [
        machine.Machine("", 3, 1), machine.Machine("", 4, 4), machine.Machine("", 3, 4, acpi=False),
        machine.Machine("", 3, 1, smmu=OWNED),
    ]  # fmt: skip
    for board in boards:
        title = board.title.partition(" ")[2]
        yield Start(f"{title} bare", board, {})
        again = machine.application_command(board)
        yield Start(title, board, {"first": again, "again": again})
    board = machine.Machine("", 3, 1, acpi=False)
    # Nothing else is started: what a refusal keeps of the memory is seen.
    yield Start("wrong option", board, {"wrong": f"{machine.APPLICATION} {WRONG}"})
    # Options that are given by the command are taken in place of the file.
    named = f"{machine.APPLICATION} portcullis.log=info"
    wrong = {"wrong": machine.APPLICATION, "first": named, "again": named}
    yield Start("wrong option in a file", board, wrong, {OPTIONS: f"{WRONG}\n".encode()})
    # As the shell itself writes a file.
    marked = f"\ufeff{WRONG}\r\n".encode("utf-16-le")
    yield Start("wrong option in a file of the shell", board, wrong, {OPTIONS: marked})
    yield Start("no EL2", board, {"refused": machine.APPLICATION}, has_el2=False)
    yield from _loaded(loaders)


def arguments(each, image, directory):
    """QEMU's arguments."""
    disks = machine.machine.make_disks(directory)
    # The Linux of this board is never started.
    return board_arguments(
        each.board, None, disks, each.has_el2, ramdisk=image, start=machine.start(directory, each.stick(image))
    )


def attempt(each, options, say):
    """Starts a board and judges it; what is wrong."""
    say(f"# {each.title}")
    program = options.smmu_qemu if each.board.smmu and options.smmu_qemu else options.qemu
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        command = [program, *arguments(each, options.image, directory)]
        lines, status = qemu.run(command, SECONDS, dialogue=each.dialogue)
    lines = list(machine.plain(lines))
    for line in lines:
        if line.startswith("portcullis: "):
            say(f"#   {line}")
    if options.logs:
        boot.leave(lines, options.logs / f"{each.title}.log".replace(" ", "_"))
    found = [*each.judge(lines), *qemu.problems(status, what="QEMU's exit status")]
    say(f"{'not ok' if found else 'ok'} - {each.title}")
    return [f"{each.title}: {problem}" for problem in found]


def main():
    parser = commandline.parser(__doc__, "fetched", "image", "--qemu", "--smmu-qemu", "--only", "--logs", "--results")
    parser.add_argument("--bare", action="store_true", help="the controls alone")
    options = parser.parse_args()
    chosen = commandline.chosen(starts(options.fetched), options)
    if options.bare:
        chosen = [each for each in chosen if each.is_control]
    boot.fresh(options.logs)
    results = list(turns.in_turn(lambda each, say: attempt(each, options, say), chosen))
    problems = [problem for found in results for problem in found]
    counts.write(options.results, sum(not found for found in results), len(problems))
    return commandline.told(problems, "run-efi")


if __name__ == "__main__":
    sys.exit(main())
