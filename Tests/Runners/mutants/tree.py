# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Makes a copy of the sources with one known defect put back, to build from."""

import pathlib
import shutil
import sys

from Runners import commandline
from Runners.mutants.defects import DEFECTS

FOLDERS = ["Sources", "Tests", "CShims"]
# Where the rooms are.
ROOMS = pathlib.Path("Sources")


class Stale(Exception):
    """The place of a defect is not there any more."""


def place(defect):
    """The file that a defect changes."""
    return ROOMS / defect.room / defect.file


def with_defect(defect):
    """The bytes of the file that a defect changes, with it; raises `Stale`."""
    text = place(defect).read_text("utf-8")
    if text.count(defect.old) != 1:
        raise Stale(f"{defect.name}: its place in {defect.file} is not there")
    return text.replace(defect.old, defect.new).encode()


def copy(tree, defect=None):
    """Makes `tree` as the working tree is, but with a defect, and leaves what is the same alone."""
    changed = {place(defect): with_defect(defect)} if defect else {}
    tree.mkdir(parents=True, exist_ok=True)
    for folder in FOLDERS:
        for source in sorted(pathlib.Path(folder).rglob("*")):
            target = tree / source
            if source.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            content = changed.get(source) or source.read_bytes()
            if not target.exists() or target.read_bytes() != content:
                target.write_bytes(content)
        for target in sorted((tree / folder).rglob("*"), reverse=True):
            if target.is_file() and not pathlib.Path(target.relative_to(tree)).exists():
                target.unlink()
    manifest = tree / "Package.swift"
    if not manifest.exists() or manifest.read_bytes() != pathlib.Path("Package.swift").read_bytes():
        shutil.copyfile("Package.swift", manifest)


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("name", choices=[defect.name for defect in DEFECTS], help="of the defect")
    parser.add_argument("tree", type=pathlib.Path, help="the directory of the copy")
    options = parser.parse_args()
    [defect] = [defect for defect in DEFECTS if defect.name == options.name]
    try:
        copy(options.tree, defect)
    except Stale as stale:
        print(f"tree: {stale}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
