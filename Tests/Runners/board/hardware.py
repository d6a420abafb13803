# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""Boards whose tree disables hardware that is there, or says what can't be of it."""

import functools
import re

# The nodes that a tree disables, by what the host then tries.
UNUSED = {"its": "its@8080000", "gic": "intc@8000000", "smmu": "smmuv3@9050000"}
REDISTRIBUTORS = "0x00 0x80a0000 0x00 "
LAST = "the last one of the region does not say GICR_TYPER.Last"


def disabled(text, node):
    """The source of a tree with a node, which has no `status`, disabled."""
    return text.replace(f"{node} {{", f'{node} {{ status = "disabled";', 1)


def unused(boot, image, kinds=tuple(UNUSED)):
    """The boots, made by `boot`, of boards whose tree disables hardware that is there."""
    for kind in kinds:
        yield boot(
            f"{kind}-disabled", image, smmu=kind == "smmu", least=1, works=False,
            bootargs=f"portcullis.log=error testhost.unused={kind}",
            edit=functools.partial(disabled, node=UNUSED[kind]),
        )  # fmt: skip


def cut(text):
    """The source of a tree whose region of Redistributors ends behind the second one."""
    return text.replace(f"{REDISTRIBUTORS}0xf60000", f"{REDISTRIBUTORS}0x40000")


def spinning(text):
    """The source of a tree whose last CPU waits for a word in memory."""
    head, method, tail = text.rpartition('enable-method = "psci"')
    return head + method.replace("psci", "spin-table") + tail


def newer(text):
    """The source of a tree whose GIC and ITS are those of a GICv5."""
    return text.replace('"arm,gic-v3', '"arm,gic-v5')


def console_in_image(text):
    """The source of a tree whose console lies in EL2's image."""
    return text.replace("reg = <0x00 0x9000000 0x00 0x1000>", "reg = <0x00 0x40280000 0x00 0x1000>")


def added(text, name, compatible, reg):
    """The source of a tree with one more node."""
    head, _, tail = text.rpartition("};")
    return f'{head}{name} {{ compatible = "{compatible}"; reg = <{reg}>; }}; }};{tail}'


def refused(boot, image):
    """The boots of boards that are refused."""
    smmu = functools.partial(
        added, name="smmu@8090000", compatible="arm,smmu-v3", reg="0 0x8090000 0 0x20000")  # fmt: skip
    monitor = functools.partial(
        added, name="monitor", compatible="arm,smmu-v3-pmcg", reg="0x80000 0 0x80000 0")  # fmt: skip
    for form, line, cpus, edit in (
        ("redistributors",
         f"not started: the Redistributors cannot be claimed: {LAST}, at 0x80a0000", 4, cut),
        ("spin-table", r"device tree: /cpus/cpu@\d: enable-method: is not psci: .*", 2, spinning),
        ("doorbell",
         "device tree: /smmu@8090000: reg: overlaps 0x8080000 size 0x20000 of .*/its@8080000", 1, smmu),
        ("gic-v5", r"device tree: /intc@8000000: compatible: is an interrupt controller that is not supported", 1, newer),
        ("monitor", "device tree: /monitor: reg: size 0x8000000000000 is more than 0x20000", 1, monitor),
    ):  # fmt: skip
        yield boot(
            f"refused-{form}", image, cpus=cpus, edit=edit, refused=re.compile("portcullis: " + line)
        )
    # `inspect` tells of it; on the board there is nothing to say it with.
    yield boot("refused-console", image, edit=console_in_image, silent=True)
