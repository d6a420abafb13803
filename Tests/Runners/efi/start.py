# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Starts Portcullis in UEFI's shell, which must work as before; starts it again, and where it has to refuse.

Each board is started without Portcullis too, as the control: the shell does the same there.
"""

import dataclasses
import pathlib
import sys
import tempfile

from Runners import commandline, counts, qemu, turns
from Runners.efi import machine, shell
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

    def judge(self, report):
        """What is wrong with the answers."""
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


def starts():
    """All boards and what is started there."""
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


def arguments(each, image, directory):
    """QEMU's arguments."""
    files = {"startup.nsh": shell.script(each.starts), **each.files}
    if each.starts:
        files[machine.APPLICATION] = image
    disks = machine.machine.make_disks(directory)
    # The Linux of this board is never started.
    return board_arguments(
        each.board, None, disks, each.has_el2, ramdisk=image, start=machine.start(directory, files)
    )


def attempt(each, options, say):
    """Starts a board and judges it; what is wrong."""
    say(f"# {each.title}")
    program = options.smmu_qemu if each.board.smmu and options.smmu_qemu else options.qemu
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        command = [program, *arguments(each, options.image, directory)]
        lines, status = qemu.run(command, SECONDS, dialogue=qemu.uefi_dialogue(starts=2))
    lines = list(machine.plain(lines))
    for line in lines:
        if line.startswith("portcullis: "):
            say(f"#   {line}")
    if options.logs:
        boot.leave(lines, options.logs / f"{each.title}.log".replace(" ", "_"))
    found = [*each.judge(shell.Report(lines)), *qemu.problems(status, what="QEMU's exit status")]
    say(f"{'not ok' if found else 'ok'} - {each.title}")
    return [f"{each.title}: {problem}" for problem in found]


def main():
    parser = commandline.parser(__doc__, "image", "--qemu", "--smmu-qemu", "--only", "--logs", "--results")
    parser.add_argument("--bare", action="store_true", help="the controls alone")
    options = parser.parse_args()
    chosen = commandline.chosen(starts(), options)
    if options.bare:
        chosen = [each for each in chosen if not each.starts]
    boot.fresh(options.logs)
    results = list(turns.in_turn(lambda each, say: attempt(each, options, say), chosen))
    problems = [problem for found in results for problem in found]
    counts.write(options.results, sum(not found for found in results), len(problems))
    return commandline.told(problems, "run-efi")


if __name__ == "__main__":
    sys.exit(main())
