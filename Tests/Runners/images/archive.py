# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Checks that libportcullis.a is what another hypervisor can link, and that these checks find what is wrong.

The archive has one object. Its global symbols are the functions of portcullis.h. What it leaves undefined the header
names. It has no variables, no address that would need a relocation at run time, no instruction that names x18 or a
SIMD register, a landing pad at the start of each function, and the note that says so. It links with lld and GNU ld,
with and without --gc-sections, position independent and not, without a warning and with the landing pads forced. A
program that reads no device tree links without libfdt, and one that adds no SMMUs without their driver.

Then the same is asked of archives with a defect put in. Each must be found.
"""

import dataclasses
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

from Runners import commandline, counts
from Runners.programs import output

TARGET = "--target=aarch64-none-elf"
PREFIX = "portcullis_"
FUNCTION = re.compile(r"\b(portcullis_\w+)\(")
LABEL = re.compile(r"^[0-9a-f]+ <(.*)>:$")
INSTRUCTION = re.compile(r"^\s*[0-9a-f]+:\s+(\S+)\s*(.*)$")
X18 = re.compile(r"\b[wx]18\b")
SIMD = re.compile(r"\b[bhsdqvz](?:[0-9]|[12][0-9]|3[01])\b")
# What is called where a check fails; an embedder may have its own.
PANIC = "portcullis_panic"
LANDING_PADS = {"bti", "paciasp", "pacibsp"}
# A note of GNU's with the features of the code (ELF for the Arm 64-bit Architecture, 8.1): BTI is bit 0, PAC bit 1.
NOTE_TYPE = 5
FEATURES = 0xC0000000
BTI_AND_PAC = 3


def disassembly_problems(text):
    """What is wrong with the code that llvm-objdump has printed, each kind once for a function."""
    function, is_first, found = None, False, {}
    for line in text.splitlines():
        if label := LABEL.match(line):
            function, is_first = label[1], True
        elif instruction := INSTRUCTION.match(line):
            name, operands = instruction[1], re.sub(r"<.*", "", instruction[2])
            if is_first and name not in LANDING_PADS:
                found.setdefault(("has no landing pad", function))
            if X18.search(operands):
                found.setdefault(("names x18", function))
            if SIMD.search(operands):
                found.setdefault(("names a SIMD register", function))
            if name == "brk" and function != PANIC:
                found.setdefault(("stops by itself", function))
            is_first = False
    if function is None:
        yield "no function is there"
    yield from (f"{function} {what}" for what, function in found)


def features(note):
    """The features that the bytes of .note.gnu.property tell of; 0 where there are none."""
    at = 0
    while at + 12 <= len(note):
        name_size, size, kind = struct.unpack_from("<III", note, at)
        at += 12 + (name_size + 3 & ~3)
        properties = note[at : at + size]
        at += size + 7 & ~7
        while kind == NOTE_TYPE and len(properties) >= 12:
            number, length, value = struct.unpack_from("<III", properties)
            if number == FEATURES:
                return value
            properties = properties[8 + (length + 7 & ~7) :]
    return 0


def symbol_problems(defined, undefined, header):
    """What is wrong with the global symbols, against the text of portcullis.h."""
    declared = set(FUNCTION.findall(re.sub(r"//.*", "", header)))
    for name in sorted(defined - declared):
        yield f"{name} is global, and no function of portcullis.h"
    for name in sorted(declared - defined):
        yield f"{name} is not there"
    for name in sorted(undefined):
        if not re.search(rf"\b{re.escape(name)}\b", header):
            yield f"{name} is undefined, and portcullis.h does not say so"


@dataclasses.dataclass(frozen=True)
class Tools:
    """The compiler's tools, and GNU's linker."""

    folder: pathlib.Path
    gnu: str

    def run(self, tool, *arguments):
        """Runs a tool of the compiler's; what it has printed."""
        return output(self.folder / tool, *arguments)

    def compile(self, source, target, *options):
        """Compiles C for bare metal."""
        self.run("clang", TARGET, "-O1", "-ffreestanding", *options, "-c", source, "-o", target)

    def symbols(self, archive, *options):
        """Names of global symbols."""
        printed = self.run("llvm-nm", "--extern-only", "--format=just-symbols", *options, archive)
        return {line for line in printed.splitlines() if line and not line.endswith(":")}


def section_problems(tools, archive):
    """Variables, and addresses that would need a relocation at run time."""
    for line in tools.run("llvm-objdump", "--section-headers", archive).splitlines():
        match = re.match(r"\s*\d+ (\S+)\s+([0-9a-f]+) [0-9a-f]+ (DATA|BSS)?\s*$", line)
        name = match[1] if match else ""
        is_variable = re.match(r"\.(data|bss|tdata|tbss|init_array)", name)
        if is_variable and not name.startswith(".data.rel.ro") and int(match[2], 16):
            yield f"{name} holds variables"
    for line in tools.run("llvm-objdump", "--reloc", archive).splitlines():
        if "R_AARCH64_ABS64" in line:
            yield f"an address in data needs a relocation at run time: {' '.join(line.split())}"


def write_program(path, missing, functions):
    """Writes a program that has the functions which are missing, and calls the others; returns its place."""
    lines = [f"void {name}(void) {{}}" for name in sorted(missing)]
    lines += [f"void {name}(void);" for name in sorted(functions)]
    lines += ["void start(void) {", *(f"  {name}();" for name in sorted(functions)), "}"]
    path.write_text("\n".join(lines), "utf-8")
    return path


def complaint(*command):
    """The first thing that a linker says which does not succeed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return (done.stdout.strip().splitlines() or ["nothing"])[0] if done.returncode else None


def has_breakpoint(tools, program):
    """Whether code of a program executes a BRK."""
    printed = tools.run("llvm-objdump", "--disassemble", "--no-show-raw-insn", program)
    return any(match[1] == "brk" for line in printed.splitlines() if (match := INSTRUCTION.match(line)))


def link_problems(tools, archive, folder):
    """What linkers say, of all ways to link a program that uses all of the library."""
    functions = {name for name in tools.symbols(archive, "--defined-only") if name.startswith(PREFIX)}
    # What fails a check is the program's own.
    missing = tools.symbols(archive, "--undefined-only") | {PANIC}
    program = write_program(folder / "program.c", missing, functions)
    for is_pie in (False, True):
        compiled = folder / "program.o"
        tools.compile(program, compiled, "-mbranch-protection=standard", *(["-fpie"] if is_pie else []))
        for linker in (str(tools.folder / "ld.lld"), tools.gnu):
            for collected in ("--gc-sections", "--no-gc-sections"):
                options = ["-pie", "--no-dynamic-linker"] if is_pie else ["-static"]
                options += [collected, "-z", "force-bti", "--fatal-warnings", "-e", "start"]
                said = complaint(linker, *options, compiled, archive, "-o", folder / "program")
                # The library's own is left where no sections are collected, but nothing comes there.
                if not said and collected == "--gc-sections" and has_breakpoint(tools, folder / "program"):
                    said = f"the program's own {PANIC} is not what is called"
                if said:
                    yield f"{pathlib.Path(linker).name} {' '.join(options)}: {said}"


# What the sections of the code that drives SMMUs have in their names.
DRIVER = "SMMUUnit"
# What reads a device tree, by libfdt.
READS_TREE = {
    "portcullis_init", "portcullis_board_from_tree", "portcullis_smmus_from_tree", "portcullis_write_host_tree",
}  # fmt: skip


def libfdt_problems(tools, archive, folder):
    """What linkers say where libfdt is not there: a program that fills its board itself does not need it."""
    functions = {name for name in tools.symbols(archive, "--defined-only") if name.startswith(PREFIX)}
    missing = {name for name in tools.symbols(archive, "--undefined-only") if not name.startswith("fdt_")}
    program = write_program(folder / "board.c", missing, functions - READS_TREE)
    tools.compile(program, folder / "board.o")
    for linker in (str(tools.folder / "ld.lld"), tools.gnu):
        options = ["-static", "--gc-sections", "-e", "start"]
        if said := complaint(linker, *options, folder / "board.o", archive, "-o", folder / "board"):
            yield f"without libfdt: {pathlib.Path(linker).name}: {said}"


def driver_problems(tools, archive, folder):
    """What is wrong where a program has no SMMUs added: no code of their driver may be linked."""
    names = {"portcullis_init_board", "portcullis_claim", "portcullis_handle_trap", "portcullis_took"}
    for more, is_due in ((set(), False), ({"portcullis_add_smmus"}, True)):
        program = write_program(folder / "smmus.c", tools.symbols(archive, "--undefined-only"), names | more)
        tools.compile(program, folder / "smmus.o")
        linked = tools.run(
            "ld.lld", "-static", "--gc-sections", "-e", "start", "-Map=-", folder / "smmus.o", archive, "-o", folder / "smmus"
        )
        if (DRIVER in linked) != is_due:
            yield f"the driver of SMMUs is {'not ' if is_due else ''}linked where {'' if is_due else 'no '}SMMUs are added"


def problems(tools, archive, header, folder):
    """All that is wrong with an archive."""
    members = tools.run("llvm-ar", "t", archive).split()
    if len(members) != 1:
        yield f"{len(members)} members, and not one"
    yield from symbol_problems(
        tools.symbols(archive, "--defined-only"), tools.symbols(archive, "--undefined-only"), header
    )
    yield from disassembly_problems(tools.run("llvm-objdump", "--disassemble", "--no-show-raw-insn", archive))
    yield from section_problems(tools, archive)
    note = folder / "note"
    whole = folder / "whole.o"
    whole.write_bytes(subprocess.run([tools.folder / "llvm-ar", "p", archive], check=True, stdout=subprocess.PIPE).stdout)
    if ".note.gnu.property" in tools.run("llvm-objdump", "--section-headers", whole):
        tools.run("llvm-objcopy", f"--dump-section=.note.gnu.property={note}", whole, folder / "copy.o")
    if not note.exists() or features(note.read_bytes()) & BTI_AND_PAC != BTI_AND_PAC:
        yield "the note does not say that the code has landing pads and signs return addresses"
    yield from link_problems(tools, archive, folder)
    yield from libfdt_problems(tools, archive, folder)
    yield from driver_problems(tools, archive, folder)


# Defects: C that is put in, the compiler's options, and what must be said.
PROTECTED = "-mbranch-protection=standard"
DEFECTS = (
    ("int stranger(void) { return 1; }", (PROTECTED,), "stranger is global"),
    ("int printf(const char *, ...); int portcullis_init2(void) { return printf(\"\"); }", (PROTECTED,),
     "printf is undefined"),
    ("static __attribute__((used)) void f(void) { __asm__ volatile(\"mov x18, xzr\"); }", (PROTECTED,), "names x18"),
    ("static __attribute__((used)) void f(void) { __asm__ volatile(\"movi v3.16b, #0\"); }", (PROTECTED,),
     "names a SIMD register"),
    ("static __attribute__((used)) void f(void) { __asm__ volatile(\"brk #1\"); }", (PROTECTED,), "stops by itself"),
    ("void portcullis_f(void) { __asm__ volatile(\"brk #1\"); }", (PROTECTED,), "is not what is called"),
    ("static __attribute__((used)) void f(void) { __asm__ volatile(\"\"); }", (), "has no landing pad"),
    ("static __attribute__((used)) void f(void) {}", (), "the note does not say"),
    ("static __attribute__((used)) void f(void) {}", (), "force-bti"),
    ("static __attribute__((used)) int variable = 1;", (PROTECTED,), "holds variables"),
    ("int fdt_check_full(const void *, unsigned long); int portcullis_version2(void) { return fdt_check_full(0, 0); }",
     (PROTECTED,), "without libfdt"),
    ("static const char text[] = \"t\"; static __attribute__((used)) const char *const p = text;", (PROTECTED,),
     "needs a relocation at run time"),
)  # fmt: skip


def defect_problems(tools, archive, header, folder):
    """Defects that are not found."""
    for number, (source, options, due) in enumerate(DEFECTS):
        place = folder / f"defect-{number}"
        place.mkdir()
        (place / "defect.c").write_text(source + "\n", "utf-8")
        tools.compile(place / "defect.c", place / "defect.o", *options)
        tools.run("ld.lld", "-r", "--whole-archive", archive, place / "defect.o", "-o", place / "both.o")
        spoiled = place / "spoiled.a"
        tools.run("llvm-ar", "rcs", spoiled, place / "both.o")
        if not any(due in problem for problem in problems(tools, spoiled, header, place)):
            yield f"not found, though it was put in: {due!r}"


def main():
    parser = commandline.parser(__doc__, "--tools", "--results")
    parser.add_argument("archive", type=pathlib.Path)
    parser.add_argument("header", type=pathlib.Path, help="portcullis.h")
    parser.add_argument("--gnu-ld", default="aarch64-linux-gnu-ld")
    options = parser.parse_args()
    tools = Tools(options.tools, options.gnu_ld)
    header = options.header.read_text("utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        found = list(problems(tools, options.archive, header, folder))
        missed = list(defect_problems(tools, options.archive, header, folder))
    print(*found, *missed, sep="\n", end="\n" if found or missed else "")
    print(f"{options.archive.name}: {len(found)} problems; {len(DEFECTS) - len(missed)} of {len(DEFECTS)} defects found")
    counts.write(options.results, 1 + len(DEFECTS) - len(missed) - bool(found), len(missed) + bool(found))
    return 1 if found or missed else 0


if __name__ == "__main__":
    sys.exit(main())
