# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Measures what a command costs in the mediation on this machine, next to a copy of 32 bytes.

Time is the best of several runs; instructions are counted by valgrind, as the difference between two
runs of different length. Both include the staging of the command by the host that is played here.
"""

import re
import subprocess
import sys

from Runners import commandline

KINDS = ("copy", "inv", "mapti")
RUNS = 5
COMMANDS = 4_000_000
COUNTED = (20_000, 40_000)
REPORT = re.compile(r"(\w+) (\d+) ([\d.]+) (\d+)")
COLLECTED = re.compile(r"Collected : (\d+)")


def run(command):
    """The output of `command`, both streams."""
    result = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return result.stdout


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("program")
    options = parser.parse_args()
    for kind in KINDS:
        times = []
        writes = 0
        for _ in range(RUNS):
            match = REPORT.fullmatch(run([options.program, kind, str(COMMANDS)]).strip())
            if not match:
                sys.exit(f"bench: no report of {kind}")
            times.append(float(match[3]))
            writes = int(match[4])
        counted = []
        for commands in COUNTED:
            tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
            match = COLLECTED.search(run([*tool, options.program, kind, str(commands)]))
            if not match:
                sys.exit(f"bench: valgrind counted nothing of {kind}")
            counted.append(int(match[1]))
        instructions = (counted[1] - counted[0]) / (COUNTED[1] - COUNTED[0])
        print(f"linux-{kind + '-nanoseconds':<34} {min(times):>10.1f}")
        print(f"linux-{kind + '-instructions':<34} {instructions:>10.1f}")
        if writes:
            # 1024 commands a doorbell, in traps of 512 commands.
            print(f"linux-{kind + '-commands-per-write':<34} {COMMANDS / writes:>10.1f}")


if __name__ == "__main__":
    main()
