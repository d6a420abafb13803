# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The rules of the house that no compiler checks: layering, licence headers, where things lie."""

import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys

from Runners import commandline
from Runners.models import model as models
from Runners.mutants import tree
from Runners.mutants.defects import DEFECTS

# Has the picture of the house. Its lines, from the top down: a label, rooms of Sources and CShims, rooms of Tests.
HOUSE = pathlib.Path("CONTRIBUTING.md")
PICTURE = re.compile(r"^## Rooms\n(?:.*\n)*?((?:    .*│.*\n)+)", re.MULTILINE)
# Labels of the lines whose rooms are not the core.
OUTSIDE = {"programs", "interfaces", "C, assembly"}
MAKEFILE_CORE = re.compile(r"^CORE := (.*)$", re.MULTILINE)
# The room that may not know the other although it stands above it.
STRANGERS = {
    ("Ownership", "GIC"), ("Ownership", "SMMU"), ("Ownership", "Boards"), ("Ownership", "DeviceTree"),
    ("Ownership", "ACPI"), ("DeviceTree", "ACPI"), ("ACPI", "DeviceTree"),
    ("Traps", "GIC"), ("Traps", "SMMU"),
}  # fmt: skip

# Modules of the toolchain: for everyone, and for what runs on Linux alone.
FREESTANDING = {"Swift", "Synchronization"}
# What the checked image alone has, and so is not told to who asks for the package's targets.
CHECKED = {"CHeap", "CheckedMonitor", "Observing"}
HOSTED = {"Glibc", "Musl", "Foundation", "FoundationEssentials"}
LINUX_ONLY = {"Inspection", "Replay", "portcullis"}

TOP_LEVEL = {
    "Package.swift", "Sources", "CShims", "Tests", "dts", "Makefile",
    "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md",
}  # fmt: skip
LICENSED = {".swift", ".c", ".h", ".S", ".py", ".sh", ".dts", ".dtsi", ".ld", ".modulemap", ".pml"}
SPDX = (
    "SPDX-FileCopyrightText: 2026 The Portcullis Authors",
    "SPDX-License-Identifier: Apache-2.0",
)

IMPORT = re.compile(
    r"^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:(?:public|package|internal|fileprivate|private)\s+)?"
    r"import\s+(?:(?:struct|class|enum|protocol|func|var|let|typealias)\s+)?(\w+)"
)
CONDITION = re.compile(r"^\s*#(?:if|elseif)\b")
MACHINE_PATH = re.compile(r"(?<![\w.*])/(?:work|home|root|Users|opt)/\w")
SHADOW = re.compile(r"\bshadow|[a-z_]Shadow", re.IGNORECASE)


def files():
    """All files of the repository, as paths relative to its root."""
    for directory, folders, names in os.walk("."):
        folders[:] = sorted(
            name
            for name in folders
            # What is built lies at the top: anywhere else it is in nobody's way until it is committed.
            if name not in {".git", ".swiftpm", "__pycache__"}
            and not (directory == "." and name.startswith(".build"))
        )
        for name in sorted(names):
            path = pathlib.Path(directory, name)
            if name != ".git" and not path.is_symlink():
                yield path


def text_of(path):
    """The text of a file, or nothing if it is not text."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def check_top_level():
    for entry in sorted(os.listdir(".")):
        if entry not in TOP_LEVEL and not entry.startswith("."):
            yield f"{entry}: does not belong at the top level"


def check_file(path, core):
    """What is wrong with one file by itself."""
    text = text_of(path)
    head = "\n".join(text.splitlines()[:5])
    licensed = path.suffix in LICENSED or path.name == "Makefile" or text.startswith("#!")
    if licensed and not all(line in head for line in SPDX):
        yield f"{path}: lacks the two SPDX lines"
    in_code = path.parts[0] in {"Sources", "CShims"}
    room = path.parts[1] if path.parts[0] == "Sources" and len(path.parts) > 2 else None
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: names a path of one machine"
        if in_code and SHADOW.search(line):
            yield f"{path}:{number}: a copy has a better name than 'shadow' (staging, mirror)"
        if room in core and path.suffix == ".swift" and CONDITION.match(line):
            yield f"{path}:{number}: conditional compilation in the logic of the core"


def describe(swift):
    """Each target's dependencies, as the manifest declares them; tests are left out."""
    # Not where the unit tests may be built at the same time.
    command = [swift, "package", "--scratch-path", ".build-lint", "describe", "--type", "json"]
    # With what is for bare metal alone, and for fuzzing.
    environment = os.environ | {"PORTCULLIS_METAL": "1", "PORTCULLIS_FUZZ": "1"}
    package = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environment).stdout
    )
    return {
        target["name"]: set(target.get("target_dependencies", []))
        for target in package["targets"]
        if target["type"] != "test"
    }


def read_picture(text):
    """The storeys of the picture, from the ground up: each a label, the rooms of Sources, and those of Tests."""
    match = PICTURE.search(text)
    rows = [line.split("│") for line in match[1].splitlines()] if match else []
    storeys, label = [], ""
    for head, *cells in rows[1:]:  # the first has the headings
        label = head.strip() or label
        sources, tests, *_ = [*(cell.split() for cell in cells), [], []]
        storeys.insert(0, (label, sources, tests))
    return storeys


def check_house(storeys, targets):
    """Where the picture and the dependencies between targets do not agree."""
    storey = {}
    for level, (_, sources, tests) in enumerate(storeys):
        for name in [*sources, *tests]:
            if name in storey:
                yield f"{HOUSE}: {name} is in the picture twice"
            if name not in targets:
                yield f"{HOUSE}: {name} is in the picture, and no target of Package.swift"
            storey[name] = level
    for name, dependencies in sorted(targets.items()):
        if name not in storey:
            yield f"Package.swift: {name} is not in the picture of {HOUSE}"
            continue
        for dependency in sorted(dependencies & storey.keys()):
            if storey[dependency] >= storey[name]:
                yield f"Package.swift: {name} depends on {dependency}, which is not below it"
            if (name, dependency) in STRANGERS:
                yield f"Package.swift: {name} may not know {dependency}"


def check_core(core, makefile):
    """Whether the Makefile, which measures coverage of the core and documents it, means the picture's."""
    match = MAKEFILE_CORE.search(makefile)
    for name in sorted(core ^ set(match[1].split() if match else ())):
        yield f"Makefile: CORE and the core in the picture of {HOUSE} differ by {name}"


LOCKS = pathlib.Path("Sources/Architecture/SpinLock.swift")
RANK = re.compile(r"^  case (\w+)$", re.MULTILINE)
ORDER = re.compile(r"^    (\w+(?: → \w+)+)$", re.MULTILINE)


def check_locks(source, text):
    """Whether the order of locks that is told is that of the ranks."""
    order = " → ".join(RANK.findall(source))
    if not order or order not in ORDER.findall(text):
        yield f"{HOUSE}: the order of locks is not that of {LOCKS}: {order}"


README_LINES = 120


def check_readme(text):
    """Whether the README has become long: what does not fit belongs in an article."""
    if (lines := len(text.splitlines())) > README_LINES:
        yield f"README.md: {lines} lines, where {README_LINES} are allowed"


LINK = re.compile(r"\]\((?!https?:)([^)#]+)[^)]*\)")
# A path of the repository in backquotes, without patterns.
PATH = re.compile(r"`((?:Sources|CShims|Tests|dts)/[\w./-]*)`")


def check_paths(name, text):
    """Links of a text at the top level, and paths that it names, which lead nowhere."""
    for path in sorted({*LINK.findall(text), *PATH.findall(text)}):
        if not pathlib.Path(path).exists():
            yield f"{name}: there is no {path}"


def check_imports(path, targets):
    """Imports of a Swift file below Sources that its target does not declare."""
    room = path.parts[1]
    allowed = targets.get(room, set()) | FREESTANDING | {room}
    if room in LINUX_ONLY:
        allowed |= HOSTED
    if path.parts[2] == "Checked":
        allowed |= CHECKED
    for number, line in enumerate(text_of(path).splitlines(), 1):
        match = IMPORT.match(line)
        if match and match[1] not in allowed:
            yield f"{path}:{number}: {room} may not import {match[1]}"


RUNNERS = pathlib.Path("Tests/Runners")
# The module that alone knows QEMU's options.
QEMU = RUNNERS / "qemu.py"
OPTION = re.compile(r'"(-\w[\w-]*)"')


def check_runner(path, options):
    """Whether a Python file of the tests lies among the runners, and leaves QEMU's `options` to their module."""
    if RUNNERS not in path.parents:
        yield f"{path}: a runner belongs below {RUNNERS}"
    elif path != QEMU and not path.name.startswith("test_"):
        for option in sorted(options & set(OPTION.findall(text_of(path)))):
            yield f"{path}: {option} is an option of QEMU, which {QEMU} alone knows"


THREAT_MODEL = pathlib.Path("Sources/Hypervisor/Hypervisor.docc/Security.md")
TITLE = re.compile(r'@(?:Suite|Test)\(\s*"((?:[^"\\]|\\.)*)"')
BOARD = ("Tests/Runners/board", "attacks*.txt", re.compile(r"^(?!#)(\S.*)$", re.MULTILINE))
LINUX = ("Tests/Runners/linux", "attacks.txt", re.compile(r"^attack (\S+)$", re.MULTILINE))


def names_in(folder, pattern, expression):
    """What the expression finds in the folder's files of that name."""
    found = pathlib.Path(folder).rglob(pattern)
    return {name for path in found for name in expression.findall(text_of(path))}


# The text of a test in C.
LITERAL = re.compile(r'"((?:[^"\\\n]|\\.)*)"')


def titles():
    """What tests of the code are called, in Swift or in C."""
    return names_in("Tests", "*.swift", TITLE) | names_in("Tests/CAPI", "*.c", LITERAL)


def check_models():
    """Functions and tests that the models name and that are not there, and other errors of their tables."""
    known = titles()
    for path in sorted(models.MODELS.glob("*.pml")):
        try:
            yield from models.faults(models.read(path), known)
        except models.Malformed as error:
            yield str(error)


def check_threat_model():
    """Tests that the threat model names and that are not there, and entrances that none is named for.

    The last column of its table of entrances: titles of suites or tests, and in backquotes `board: PATTERN`,
    names in the lists of attacks of the test host, and `linux: PATTERN`, attacks of the hostile kernel.
    """
    known = {
        "": names_in("Tests", "*.swift", TITLE),
        "board": names_in(*BOARD),
        "linux": names_in(*LINUX),
    }
    _, _, after = text_of(THREAT_MODEL).partition("\n### Entrances\n")
    rows = [line for line in after.partition("\n### ")[0].splitlines() if line.startswith("|")]
    if len(rows) < 3:
        yield f"{THREAT_MODEL}: has no table of entrances"
    for row in rows[2:]:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        for test in cells[-1].split("; "):
            kind, _, name = test.strip("`").partition(": ") if test.startswith("`") else ("", "", test)
            if not any(fnmatch.fnmatchcase(each, name) for each in known.get(kind, ())):
                yield f"{THREAT_MODEL}: {cells[0]}: no test is named {test}"


def check_defects():
    """Known defects that the mutants' test could not put back, for their place is not there."""
    for defect in DEFECTS:
        try:
            tree.with_defect(defect)
        except tree.Stale as stale:
            yield f"Tests/Runners/mutants: {stale}"


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("--swift", default="swift")
    options = parser.parse_args()

    targets = describe(options.swift)
    storeys = read_picture(text_of(HOUSE))
    core = {name for label, sources, _ in storeys if label not in OUTSIDE for name in sources}
    findings = [*check_top_level(), *check_house(storeys, targets), *check_threat_model(), *check_defects()]
    findings += check_models()
    findings += check_core(core, text_of(pathlib.Path("Makefile")))
    findings += check_locks(text_of(LOCKS), text_of(HOUSE))
    findings += check_readme(text_of(pathlib.Path("README.md")))
    for name in ("README.md", "CONTRIBUTING.md"):
        findings += check_paths(name, text_of(pathlib.Path(name)))
    qemu_options = set(OPTION.findall(text_of(QEMU)))
    for path in files():
        findings += check_file(path, core)
        if path.parts[0] == "Tests" and path.suffix == ".py":
            findings += check_runner(path, qemu_options)
        if path.parts[0] == "Sources" and path.suffix == ".swift":
            findings += check_imports(path, targets)
    print(*findings, sep="\n", end="\n" if findings else "", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
