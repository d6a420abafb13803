# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Records what a host does to an ITS on QEMU, and has `portcullis` print it and run it again.

Each board is booted with `portcullis.trace`; at SYSTEM_OFF EL2 writes the trace to the console. It is
good if the host's tests passed, the three forms of `portcullis trace` can be read, `portcullis replay`
finds no difference, and finds one as soon as a single verdict of the trace is another.
"""

import itertools
import json
import subprocess
import sys

from Runners import commandline, counts, qemu
from Runners.board import judge

SECONDS = 180
MARK = "portcullis: trace "
# What a trace of the test host has at least, for the rest to mean anything.
LEAST_RECORDS = 10000
LEAST_REFUSED = 50
# The kinds of records, in the lowest byte of the first word, and the bits of a verdict in it.
COMMAND = 6
VERDICT_SHIFT = 48


def boot(program, image, gic, cpus, host=None):
    """The lines that one boot prints, and what is wrong with it; `host` where `image` is a harness."""
    board = qemu.board(image, gic, cpus, "portcullis.trace portcullis.log=error", host)
    lines, status = qemu.run([program, *board, *qemu.NO_SEMIHOSTING], SECONDS)
    reader = judge.read(lines)
    return lines, [*qemu.problems(status), *reader.errors, *reader.failed()]


def portcullis(program, *arguments):
    """Exit status and output of the program."""
    result = subprocess.run([program, *arguments], check=False, capture_output=True, text=True)
    return result.returncode, result.stdout + result.stderr


def changed(lines):
    """The lines with one verdict changed: that of the command in their middle."""
    places = [
        index
        for index, line in enumerate(lines)
        if line.startswith(MARK) and int(line[len(MARK) :][:16], 16) & 0xFF == COMMAND
    ]
    place = places[len(places) // 2]
    digits = lines[place][len(MARK) :]
    word = int(digits[:16], 16) ^ 2 << VERDICT_SHIFT
    return [*lines[:place], f"{MARK}{word:016x}{digits[16:]}", *lines[place + 1 :]]


def judged(program, lines, directory, name):
    """What is wrong with the trace among `lines`, and what replaying it said."""
    problems = []
    path = directory / f"trace-{name}.log"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    status, table = portcullis(program, "trace", path)
    count = sum(line.startswith(MARK) for line in lines)
    if status != 0 or len(table.splitlines()) != count + 1:
        problems.append(f"trace: exit status {status}, {count} records: {table[:200]}")
    if count < LEAST_RECORDS:
        problems.append(f"{count} records, at least {LEAST_RECORDS} are due")
    refused = sum(": refused: " in line for line in table.splitlines())
    if refused < LEAST_REFUSED:
        problems.append(f"{refused} refused commands, at least {LEAST_REFUSED} are due")
    for form, key in (("--json", "records"), ("--perfetto", "traceEvents")):
        status, text = portcullis(program, "trace", form, path)
        try:
            found = len(json.loads(text)[key])
        except (ValueError, KeyError) as error:
            problems.append(f"trace {form}: exit status {status}: {error}")
        else:
            if status != 0 or found < count - 1:
                problems.append(f"trace {form}: exit status {status}, {found} of {count} records")
    status, said = portcullis(program, "replay", path)
    if status != 0 or ": 0 differences" not in said:
        problems.append(f"replay: exit status {status}: {said}")
    other = directory / f"trace-{name}-changed.log"
    other.write_text("\n".join(changed(lines)) + "\n", "utf-8")
    status, told = portcullis(program, "replay", other)
    if status != 1 or "different at record" not in told:
        problems.append(f"replay of a changed trace: exit status {status}: {told}")
    other.unlink()
    return problems, said.splitlines()


def main():
    parser = commandline.parser(__doc__, "program", "image", "harness", "host", "--qemu")
    parser.add_argument("--results", **commandline.path("where to write the counts as JSON", required=True))
    options = parser.parse_args()

    directory = options.results.parent
    directory.mkdir(parents=True, exist_ok=True)
    passed = failed = 0
    forms = [("image", options.image, None), ("harness", options.harness, options.host)]
    for form, gic, cpus in itertools.product(forms, judge.GIC_VERSIONS, judge.CPU_COUNTS):
        name, image, host = form
        title = f"{name} gic-version={gic} smp={cpus}"
        lines, problems = boot(options.qemu, image, gic, cpus, host)
        if not any(line.startswith(MARK) for line in lines):
            problems.append("no trace")
            said = []
        else:
            more, said = judged(options.program, lines, directory, f"{name}-gic{gic}-smp{cpus}")
            problems += more
        passed += not problems
        failed += bool(problems)
        print(f"# {title}: {'BAD' if problems else 'good'}", flush=True)
        print(*(f"#   {line}" for line in said + problems), sep="\n", flush=True)
    counts.write(options.results, passed, failed)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
