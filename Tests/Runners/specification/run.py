# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Runs hostile hosts beside the specification, each in a soak of its own, and tells what of it they have reached.

Every rule that a transition names must have permitted an outcome so often, and so many of the lines must have been
run. The soaks run beside each other, as many as there are processors.
"""

import concurrent.futures
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from Runners import commandline
from Runners.specification import reach

FLAGS = [
    "-Xswiftc", "-enable-testing", "-Xswiftc", "-cross-module-optimization",
    "-Xswiftc", "-profile-generate", "-Xswiftc", "-profile-coverage-mapping",
]  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Soak:
    """A program that goes along with the specification, and which part of the time it has."""

    product: str
    share: float
    arguments: tuple = ("--check", "1")


SOAKS = (
    Soak("soak", 1),
    Soak("soak-smmu", 0.6, ("--check", "1", "--steps-per-world", "2000")),
    Soak("soak-redistributor", 0.3),
    Soak("soak-embedder", 0.3, ()),
    Soak("soak-psci", 0.05, ()),
    Soak("soak-handover", 0.1, ()),
)


def build(swift, scratch, product):
    """Builds a soak that counts which lines are run."""
    command = [swift, "build", "--build-system", "native", "-c", "release", "--scratch-path", scratch]
    environment = os.environ | {"PORTCULLIS_FUZZ": "1"}
    subprocess.run([*command, "--product", product, *FLAGS], env=environment, check=True)


def run(soak, scratch, seconds, seed):
    """What a soak prints; raises where it finds something."""
    environment = os.environ | {
        # Sets have an order by chance, which a failure must not depend on.
        "SWIFT_DETERMINISTIC_HASHING": "1",
        "LLVM_PROFILE_FILE": str(scratch / f"{soak.product}.profraw"),
    }  # fmt: skip
    command = [
        scratch / "release" / soak.product, "--seconds", str(max(1, int(seconds * soak.share))), "--seed", str(seed),
        *soak.arguments,
    ]  # fmt: skip
    result = subprocess.run(
        command, env=environment, text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    if result.returncode:
        raise SystemExit(f"{soak.product}: {result.stdout[-4000:]}")
    print(f"# {soak.product}: {result.stdout.splitlines()[-1]}", flush=True)
    return result.stdout


def covered(tools, scratch):
    """What llvm-cov exports of the specification's lines, of all soaks."""
    profiles = [scratch / f"{soak.product}.profraw" for soak in SOAKS]
    merged = scratch / "all.profdata"
    subprocess.run([tools / "llvm-profdata", "merge", "-o", merged, *profiles], check=True)
    first, *others = [scratch / "release" / soak.product for soak in SOAKS]
    objects = [f"--object={other}" for other in others]
    command = [tools / "llvm-cov", "export", "--skip-functions", f"--instr-profile={merged}", first, *objects, reach.FOLDER]
    report = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return json.loads(report.stdout)


def main():
    parser = commandline.parser(__doc__)
    parser.add_argument("--swift", default="swift")
    parser.add_argument("--tools", type=pathlib.Path, required=True, help="the folder of llvm-cov")
    parser.add_argument("--scratch", type=pathlib.Path, default=pathlib.Path(".build-soak-spec"))
    parser.add_argument("--seconds", type=int, default=600, help="of the soak that has the most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=int, default=100, help="how often each rule must be reached")
    parser.add_argument("--lines", type=float, default=99, help="per cent of the lines that must be run")
    options = parser.parse_args()

    scratch = options.scratch.resolve()
    for soak in SOAKS:
        build(options.swift, scratch, soak.product)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        tasks = [pool.submit(run, soak, scratch, options.seconds, options.seed) for soak in SOAKS]
        outputs = [task.result() for task in tasks]
    counts = reach.reached(outputs)
    rules = reach.rules()
    for rule in rules:
        print(f"rule {rule:<32} {counts[rule]}")
    report = covered(options.tools, scratch)
    found = reach.lines(report)
    print(*reach.table(found), sep="\n")
    branches = list(reach.branches(report))
    rare = [branch for branch in branches if branch[-1] < options.least]
    for name, line, text, count in rare:
        print(f"branch {name}:{line}, {count} times: {text}")
    print(f"branches reached {options.least} times: {len(branches) - len(rare)} of {len(branches)}")
    missing = [rule for rule in rules if counts[rule] < options.least]
    if missing:
        print(f"reached fewer than {options.least} times: {', '.join(missing)}", file=sys.stderr)
    count, run_lines = map(sum, zip(*found.values(), strict=True))
    is_low = run_lines * 100 < options.lines * count
    if is_low:
        print(f"fewer than {options.lines:g} % of the lines were run", file=sys.stderr)
    return int(bool(missing) or is_low)


if __name__ == "__main__":
    sys.exit(main())
