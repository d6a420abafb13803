# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Prints the line coverage of the rooms of the core, and fails if one has less than it should.

The totals of the report itself would count tests and generated code, so they are not used.
"""

import collections
import json
import pathlib
import sys

from Runners import commandline


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("--least", type=float, default=95, help="per cent of the lines of each room")
    parser.add_argument("report", type=pathlib.Path, help="JSON of llvm-cov export")
    parser.add_argument("rooms", nargs="+")
    options = parser.parse_args()

    if not options.report.exists():
        print("no coverage report: run `make unit` first", file=sys.stderr)
        return 1
    roots = {(pathlib.Path("Sources") / room).resolve(): room for room in options.rooms}
    lines = collections.Counter()
    covered = collections.Counter()
    files = []
    for data in json.loads(options.report.read_text("utf-8"))["data"]:
        for entry in data["files"]:
            path = pathlib.Path(entry["filename"])
            room = next((roots[parent] for parent in path.parents if parent in roots), None)
            if room is None:
                continue
            summary = entry["summary"]["lines"]
            lines[room] += summary["count"]
            covered[room] += summary["covered"]
            missed = summary["count"] - summary["covered"]
            files.append((missed, path.relative_to(pathlib.Path.cwd()), summary["percent"]))

    def row(name, count, hits):
        percent = f"{100 * hits / count:6.2f} %" if count else "       -"
        print(f"{name:<14} {hits:>6} / {count:<6} {percent}")

    for room in options.rooms:
        row(room, lines[room], covered[room])
    total = sum(lines.values())
    hits = sum(covered.values())
    row("core", total, hits)

    print("most lines missed:")
    for missed, path, percent in sorted(files, reverse=True)[:5]:
        print(f"  {missed:>4} {path} ({percent:.1f} %)")

    unmeasured = [room for room in options.rooms if lines[room] == 0]
    if unmeasured:
        print(f"not measured: {', '.join(unmeasured)}", file=sys.stderr)
        return 1
    low = [room for room in options.rooms if covered[room] * 100 < options.least * lines[room]]
    if low:
        print(f"line coverage is below {options.least:g} %: {', '.join(low)}", file=sys.stderr)
    return 1 if low else 0


if __name__ == "__main__":
    sys.exit(main())
