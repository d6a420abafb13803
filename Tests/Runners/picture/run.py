# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Draws boards with `portcullis inspect --svg`, renders them, and checks that no text is cut or overlapped."""

import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET

from Runners import commandline, counts
from Runners.picture import page, trees

# Statuses with which there is a picture: fine, and refused.
DRAWN = (0, 1)


def draw(program, blob):
    """The tree of the picture of `blob`."""
    command = [program, "inspect", "--svg", "-", blob]
    # A program that counts what it covers would leave a file of it here.
    environment = os.environ | {"LLVM_PROFILE_FILE": os.devnull}
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, check=False
    )
    if result.returncode not in DRAWN:
        raise RuntimeError(f"{program} ended with {result.returncode}")
    return ET.fromstring(result.stdout)


def wider(root):
    """As if texts were wider than the program takes them to be."""
    for text in root.iter(page.NAMESPACE + "text"):
        text.set("font-size", str(int(text.get("font-size")) * 8 // 5))


def moved(root):
    """As if the page were cut at the right."""
    width = int(root.get("width")) - 3 * page.BLANK
    root.set("width", str(width))
    root.set("viewBox", f"0 0 {width} {root.get('height')}")
    next(root.iter(page.NAMESPACE + "rect")).set("width", str(width))


# Each has a word that one of its faults must have.
CONTROLS = ((wider, "overlap"), (moved, "leaves the page"), (moved, "is not blank"))


def main():
    parser = commandline.parser(__doc__, "program", "--qemu", "--results")
    parser.add_argument("--keep", type=pathlib.Path, help="a directory for the pictures")
    options = parser.parse_args()

    passed = failed = 0

    def tell(name, faults):
        nonlocal passed, failed
        passed, failed = passed + (not faults), failed + bool(faults)
        print("not ok" if faults else "ok", name)
        for fault in faults[:10]:
            print("  " + fault)

    with tempfile.TemporaryDirectory() as directory:
        root = None
        for name, blob in trees.trees(options.qemu, directory):
            root = draw(options.program, blob)
            if options.keep:
                options.keep.mkdir(parents=True, exist_ok=True)
                (options.keep / f"{name}.svg").write_bytes(ET.tostring(root))
            tell(name, list(page.faults(root)))
        text = ET.tostring(root)
        for change, word in CONTROLS:
            root = ET.fromstring(text)
            change(root)
            found = any(word in fault for fault in page.faults(root))
            tell(f"control: {change.__name__}, {word}", [] if found else ["no such fault is found"])
    counts.write(options.results, passed, failed)
    print(f"pictures: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
