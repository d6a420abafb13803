# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs `swift test` and counts: a run of no tests, which `swift test` calls a success, fails."""

import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

from Runners import commandline, counts


def read_xunit(path):
    """The numbers of tests passed, failed and skipped, of the report at `path` if there is one."""
    passed = failed = skipped = 0
    if path.exists():
        for case in xml.etree.ElementTree.parse(path).iter("testcase"):
            if case.find("failure") is not None or case.find("error") is not None:
                failed += 1
            elif case.find("skipped") is not None:
                skipped += 1
            else:
                passed += 1
    return passed, failed, skipped


def main():
    parser = commandline.parser(__doc__, "--results")
    parser.add_argument("command", nargs="+", help="swift test with its flags, after --")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory, "report.xml")
        command = [*options.command, "--xunit-output", str(report)]
        status = subprocess.run(command, check=False).returncode
        passed, failed, skipped = read_xunit(report)

    # A crash loses the report, and with it the failed test.
    if status != 0 and failed == 0:
        failed = 1
    if passed == 0 and status == 0:
        print("no test was run", file=sys.stderr)
        failed += 1
    counts.write(options.results, passed, failed)
    print(f"unit tests: {passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
