# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Has `inspect` read ACPI tables: of QEMU's machines, made ones, hostile ones.

Of each machine of QEMU the report by its device tree and that by its ACPI tables must say the same of regions,
Redistributors, SMMUs and streams.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from Runners import ROOT, commandline, counts, pace, qemu
from Runners.acpi import agreement, machines, made, tables

EXPECTED = pathlib.Path(__file__).parent / "expected.txt"
HOSTILE = ROOT / "dts/acpi/hostile.py"
# The exit statuses of `inspect` that are due to a folder of hostile tables, by how its name begins.
STATUSES = {"broken": {65}, "lies": {0, 1}, "refused": {1}, "good": {0}, "odd": {0, 1, 65}}
# What is said of a structure that lies has the table and the offset.
PLACE = re.compile(r"\b(APIC|IORT|FACP)\+0x[0-9a-f]+: ")
# Seconds that it may take for one board, in a build for debugging.
MOST = 20


def inspected(program, path, *options):
    """The exit status of `inspect`, what it prints, and what it says."""
    command = [program, "inspect", *options, path]
    # Its coverage is that of the unit tests.
    environment = os.environ | {"LLVM_PROFILE_FILE": os.devnull}
    try:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=pace.limit(MOST), env=environment, check=False
        )
    except subprocess.TimeoutExpired:
        return qemu.OUT_OF_TIME, "", ""
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def report_of(program, path):
    """What `inspect --json` reports of one board."""
    status, text, said = inspected(program, path, "--json")
    if status not in (0, 1):
        raise ValueError(f"exit status {status}: {said.strip()}")
    return json.loads(text)["files"][0]


def compare_machines(options, directory):
    """Compares both reports of all machines of QEMU; the title of each, and what is wrong."""
    for each in machines.all_machines():
        folder = directory / each.title.replace(" ", "_")
        if each.fault:
            print(f"# {each.title}: not compared: {each.fault}")
            continue
        command = each.command(options)
        tables.write(tables.tables_of(command), folder)
        tree = folder.with_suffix(".dtb")
        qemu.tree_of(command, tree)
        try:
            reports = report_of(options.program, tree), report_of(options.program, folder)
            yield each.title, list(agreement.differences(*reports))
        except (ValueError, KeyError) as error:
            yield each.title, [f"{type(error).__name__}: {error}"]


def judge_made(options, directory):
    """Judges what is said of the made boards."""
    due = made.parse(EXPECTED.read_text("utf-8"))
    boards = made.compile_all(directory)
    for name in sorted(due.keys() - set(boards)):
        yield name, ["there is no such board"]
    for name in boards:
        status, text, said = inspected(options.program, directory / name)
        if name in due:
            yield name, list(due[name].judge(status, text + said))
        else:
            yield name, ["nobody has said what is due to it"]


def judge_hostile(options, directory):
    """Judges what is said of hostile tables."""
    subprocess.run([sys.executable, HOSTILE, directory], check=True)
    for folder in sorted(directory.iterdir()):
        status, _, said = inspected(options.program, folder)
        kind = folder.name.partition("-")[0]
        due = STATUSES[kind]
        wrong = [] if status in due else [f"exit status {status}, where one of {sorted(due)} is due: {said.strip()[:200]}"]
        if status and not said.strip() or kind == "lies" and not PLACE.search(said):
            wrong.append(f"it does not say what is wrong: {said.strip()[:200]!r}")
        yield folder.name, wrong


def main():
    parser = commandline.parser(__doc__, "program", "--qemu", "--smmu-qemu", "--results")
    options = parser.parse_args()
    passed, problems = 0, []
    with tempfile.TemporaryDirectory() as name:
        for number, judge in enumerate((compare_machines, judge_made, judge_hostile)):
            for title, wrong in judge(options, pathlib.Path(name) / str(number)):
                passed += not wrong
                problems += [f"{title}: {text}" for text in wrong]
    print(f"# {passed} boards by ACPI are as they should be")
    counts.write(options.results, passed, len(problems))
    return commandline.told(problems, "acpi")


if __name__ == "__main__":
    sys.exit(main())
