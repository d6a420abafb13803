# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""What `make test` and `make test-all` consist of. A step is the make target of its name.

The order is that in which steps are started, as far as what they come after allows: what fails fast first, then long
ones, so that no processor waits for the last of them.
"""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Step:
    """One step; `checks` is its row in CONTRIBUTING."""

    name: str
    # Seconds at the pace of the reference machine, with another step beside it.
    budget: int
    checks: str
    # The steps that leave what this one needs.
    after: tuple = ()
    # Which gates it belongs to.
    quick: bool = True
    whole: bool = True
    # Variables of the makefile.
    variables: tuple = ()
    # What no two steps may work in at a time.
    folders: tuple = ()


def quick(name, budget, checks, *after, folders=()):
    """A step of `make test` alone: what it leaves out is in a step of `make test-all`."""
    return Step(name, budget, checks, after, whole=False, folders=folders)


def whole(name, budget, checks, *after, variables=(), folders=()):
    """A step of `make test-all` alone."""
    return Step(name, budget, checks, after, quick=False, variables=variables, folders=folders)


HOST = ".build"
METAL = ".build-metal"
SOAK = ".build-soak"
CORPUS = ".build/corpus"

STEPS = (
    Step("setup-test", 60, "Debian's packages are there"),
    Step("lint", 60, "formatting, licences, layering, this table; names in the runners, their own tests", ("setup-test",)),
    Step("fetch", 90, "libfdt, QEMU and both kernels are there", ("setup-test",)),
    Step("images", 240, "the images build for bare metal", ("fetch",), folders=(METAL,)),
    Step("unit", 660, "unit tests of all rooms, with coverage", ("setup-test",), folders=(HOST,)),
    whole("mutants", 3600, "known defects put back, each of which must be caught", "setup-test"),
    whole(
        "test-iommu-linux", 1500,
        "both kernels behind an SMMUv3, owned and nested; devices that may reach nothing", "images",
    ),
    whole(
        "test-linux", 1400,
        "six machines bare and through Portcullis, logs compared: both kernels and the newest, GICv3, GICv4, three processors,"
        " U-Boot", "images",
    ),
    whole(
        "test-efi", 2400,
        "machines that EDK2 starts, bare and through Portcullis, logs compared: its shell, GRUB, systemd-boot; ACPI, device tree; SMMUs owned and"
        " nested; variables, reset, power-off", "images",
    ),
    whole("unit-thread", 900, "unit tests under ThreadSanitizer", "setup-test"),
    whole("unit-address", 900, "unit tests under AddressSanitizer", "setup-test"),
    whole(
        "hostile-linux", 900,
        "all attacks from a Debian kernel, with their controls and a defect put back", "images",
    ),
    quick(
        "test-linux-brief", 660,
        "each Debian kernel once bare and once through Portcullis, logs compared; one drives a nested SMMU",
        "images",
    ),
    quick(
        "test-efi-brief", 300, "two machines that EDK2 starts, by ACPI and by device tree, bare and through Portcullis", "images",
    ),
    Step("run", 400, "the host's tests on every board and in every form (TAP)", ("images",)),
    Step("embedded", 240, "the library builds for bare metal, and links as it should", ("fetch",)),
    Step(
        "run-harness", 240,
        "the host's tests, with the control, and a Debian kernel on a hypervisor in C that links the library (TAP)",
        ("images", "embedded"),
    ),
    quick(
        "hostile-linux-brief", 240,
        "attacks from a Debian kernel that do not ruin the machine, with their controls", "images",
    ),
    whole(
        "hostile-efi", 600, "attacks from a Debian kernel that EDK2 has started; the control is the same boot without Portcullis", "images",
    ),
    whole(
        "run-efi", 300,
        "Portcullis in the shell of EDK2, which works as before, by a boot entry and by GRUB; a second start, and boards that it refuses",
        "images",
    ),
    whole(
        "exhaustive", 900, "every interleaving in small worlds, each trap compared with the specification, to millions of states",
        "setup-test", folders=(SOAK,),
    ),
    quick(
        "exhaustive-brief", 300, "the same to a million states, and whether states that are merged behave alike", "setup-test",
        folders=(SOAK,),
    ),
    whole("soak", 600, "a Debian kernel under stress for a minute", "images", variables=("MINUTES=1",)),
    whole("docs", 400, "the documentation of all rooms, without a broken link", "setup-test"),
    whole(
        "corpus", 300, "`inspect` against an independent reading of Debian's device trees", "fetch",
        folders=(HOST, CORPUS),
    ),
    Step(
        "test-acpi", 120, "`inspect` on ACPI tables: QEMU's machines, as by their device trees; made and hostile tables", ("fetch",),
        folders=(HOST,),
    ),
    whole(
        "attacks", 300, "each attack of the host without and with mediation, by the ITS and by DMA", "images",
        variables=("QEMU=new",),
    ),
    whole("trace", 300, "a trace of each board is printed and replayed", "images", "embedded", folders=(HOST,)),
    Step(
        "test-iommu", 150, "DMA on boards with an SMMUv3, owned and nested, of the image and of the hypervisor in C, with the"
        " controls", ("images", "embedded"),
    ),
    whole("replay", 200, "each seed of the device tree's fuzzer, with AddressSanitizer", "setup-test", folders=(CORPUS,)),
    whole(
        "fuzz", 200, "a minute of the device tree's fuzzer", "replay", variables=("FUZZ_SECONDS=60",),
        folders=(CORPUS,),
    ),
    whole("replay-acpi", 200, "each seed of the ACPI tables' fuzzer, with AddressSanitizer", "setup-test"),
    whole("fuzz-acpi", 200, "a minute of the ACPI tables' fuzzer", "replay-acpi", variables=("FUZZ_SECONDS=60",)),
    whole("replay-its", 200, "each seed of the ITS's fuzzer", "setup-test"),
    whole("fuzz-its", 200, "a minute of the ITS's fuzzer", "replay-its", variables=("FUZZ_SECONDS=60",)),
    whole("fuzz-smmu", 300, "a minute of the virtual SMMU's fuzzer", "setup-test", variables=("FUZZ_SECONDS=60",)),
    whole("soak-its", 200, "a minute of hostile hosts with an ITS", "setup-test", variables=("SOAK_STEPS=4000000",), folders=(SOAK,)),
    whole(
        "soak-spec", 700, "two minutes of hostile hosts, each trap compared with the specification", "setup-test",
        variables=("SPEC_SECONDS=120", "SPEC_LEAST=1", "SPEC_LINES=95"),
    ),
    quick(
        "soak-spec-brief", 400, "a few hundred thousand steps of hostile hosts, each trap compared with the specification", "setup-test",
        folders=(SOAK,),
    ),
    whole("soak-smmu", 200, "a minute of hostile hosts with an SMMU", "setup-test", variables=("SOAK_STEPS=1000000",), folders=(SOAK,)),
    whole("soak-iommu", 200, "a minute of pages that change owners", "setup-test", variables=("SOAK_STEPS=1500000",)),
    Step("models", 240, "spin searches all states of the models, without and with known defects", ("setup-test",)),
    Step("capi", 90, "a C program against `portcullis.h`", ("setup-test",), folders=(HOST,)),
    whole("test-install", 200, "what `make install` installs: the example compiles and links there, the CLI runs", "embedded", folders=(HOST,)),
    Step(
        "pictures", 90, "what `inspect --svg` draws, rendered: no text is cut or overlapped", ("setup-test",),
        folders=(HOST,),
    ),
    Step("coverage", 15, "least coverage of the core by `unit`", ("unit",), folders=(HOST,)),
)  # fmt: skip


def gate(name):
    """The steps of a gate, `test` or `test-all`."""
    return [step for step in STEPS if (step.quick if name == "test" else step.whole)]


def chosen(gate_name, steps, names=(), begin=""):
    """The steps to run of a gate's: those of the names, or from `begin` on; all if nothing is said.

    Raises ValueError for a name that no step of the gate has.
    """
    known = [step.name for step in steps]
    for name in [*names, *([begin] if begin else [])]:
        if name not in known:
            elsewhere = any(step.name == name for step in STEPS)
            what = "not in this gate" if elsewhere else "not there"
            raise ValueError(f"step {name!r} is {what}; make {gate_name} has: {' '.join(known)}")
    rest = steps[known.index(begin) :] if begin else steps
    return [step for step in rest if not names or step.name in names]


def with_needs(steps, to_run):
    """The steps to run, and before them what they come after, in the gate's order."""
    by_name = {step.name: step for step in steps}
    needed = set()

    def need(step):
        needed.add(step.name)
        for name in step.after:
            need(by_name[name])

    for step in to_run:
        need(step)
    return [step for step in steps if step.name in needed]


def table():
    """The rows of CONTRIBUTING's table."""
    yield "| step | what it checks | needs | budget, s | `make test` | `make test-all` |"
    yield "|---|---|---|---|---|---|"
    for step in STEPS:
        name = " ".join([step.name, *step.variables])
        marks = ("yes" if is_in else "" for is_in in (step.quick, step.whole))
        yield f"| `{name}` | {step.checks} | {' '.join(step.after)} | {step.budget} | {' | '.join(marks)} |"


if __name__ == "__main__":
    print(*table(), sep="\n")
