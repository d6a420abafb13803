# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The defects that `mutants.py` puts back: what it is, where, and what the sources become."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Defect:
    """One replacement."""

    name: str
    known: str
    file: str
    old: str
    new: str
    room: str = "ITS"


DEFECTS = [
    Defect(
        "release-before-sync", "B-43", "MediatedITS+Drain.swift",
        "for index in 0..<targets.count where targets.isUsed(index, memory: machine.memory) {",
        "for index in 0..<targets.count where index > targets.count {",
    ),
    Defect(
        "release-before-completion", "B-43", "MediatedITS+Drain.swift",
        "retirement.takeFirst(completed: commit.completed,",
        "retirement.takeFirst(completed: commit.written,",
    ),
    Defect(
        "second-level-not-zeroed", "B-53", "MediatedITS+Commands.swift",
        "    pages.zero(machine.memory)\n",
        "",
    ),
    Defect(
        "mapc-target-unchecked", "B-47", "MediatedITS+Commands.swift",
        "      guard let index = targets.find(command.target, memory: machine.memory) else {\n"
        "        return .refused(.unknownTarget)\n"
        "      }\n",
        "      let index = targets.find(command.target, memory: machine.memory) ?? 0\n",
    ),
    Defect(
        "movall-second-target-unchecked", "B-47", "MediatedITS+Commands.swift",
        "        targets.find(command.secondTarget, memory: machine.memory) != nil\n",
        "        command.secondTarget < .max\n",
    ),
    Defect(
        "unmap-by-the-command", "B-60", "MediatedITS+Commands.swift",
        "    guard !retirement.isFull else { return .later }\n    unmap(old, machine)\n",
        "    guard !retirement.isFull else { return .later }\n"
        "    let first = PageFrameNumber(containing: PhysicalAddress(command.translationTable))\n"
        "    let table = PageRange(first: first, count: old.table.count) ?? old.table\n"
        "    unmap(\n"
        "      MappedDevice(\n"
        "        deviceID: old.deviceID, eventIDBits: old.eventIDBits, table: table), machine)\n",
    ),
    Defect(
        "unread-slot-rewritten", "B-42", "CommitQueue.swift",
        "slots &- 1 &- (written &- completed)",
        "slots &- 1",
    ),
    Defect(
        "table-base-ored", "B-80", "MediatedITS+Registers.swift",
        "        setTableBase(index, merge(value, into: tableBases[index], access))\n",
        "        setTableBase(index, merge(value, into: tableBases[index], access))\n"
        "        _ = hardware(\n"
        "          write: access.offset & ~7, .double, value | deviceTable.register.rawValue,\n"
        "          machine)\n",
    ),
    Defect(
        "queue-base-ored", "B-80", "MediatedITS+Registers.swift",
        "        setCommandBase(merge(value, into: staging.register.rawValue, access), machine)\n",
        "        setCommandBase(merge(value, into: staging.register.rawValue, access), machine)\n"
        "        _ = hardware(\n"
        "          write: 0x80, .double, value | commit.base.rawValue | 1 << 63 | 15, machine)\n",
    ),
    Defect(
        "double-fetch", "B-33", "MediatedITS+Commands.swift",
        "    default: return carryOutRare(command, &budget, machine)\n    }\n"
        "    commit.append(command,",
        "    default: return carryOutRare(command, &budget, machine)\n    }\n"
        "    commit.append(staging.read(memory: machine.memory),",
    ),
    Defect(
        "pending-command-read-again", "B-65", "MediatedITS+Drain.swift",
        "let command = pending ?? staging.read(memory: machine.memory)",
        "let command = staging.read(memory: machine.memory)",
    ),
    Defect(
        "write-pointer-at-the-end", "B-35", "StagingQueue.swift",
        "guard offset < register.size else",
        "guard offset <= register.size else",
    ),
    Defect(
        "sub-page-span", "B-56", "MediatedITS+Commands.swift",
        "    let count = PageRange.pages(for: max(typer.translationEntrySize << bits, 256))\n",
        "    let count = max((typer.translationEntrySize << bits) >> PageFrameNumber.shift, 1)\n",
    ),
    Defect(
        "size-unbounded", "B-62", "MediatedITS+Commands.swift",
        "guard bits <= typer.eventIDBits else",
        "guard bits <= 32 else",
    ),
    Defect(
        "device-range-unchecked", "B-69", "MediatedITS+Commands.swift",
        "guard id < deviceTable.capacity, id < hostDeviceCapacity else",
        "guard id < hostDeviceCapacity else",
    ),
    Defect(
        "table-of-the-host", "B-64", "MediatedITS+Commands.swift",
        ".mapd(command.deviceID, table: table.address.rawValue,",
        ".mapd(command.deviceID, table: command.translationTable,",
    ),
    Defect(
        "no-barrier-before-the-doorbell", "B-36", "CommitQueue.swift",
        "      memory.publishToDevices()\n",
        "",
    ),
    Defect(
        "table-not-cleaned", "B-67", "MediatedITS+Commands.swift",
        "    if !deviceTable.isCoherent { machine.memory.clean(PhysicalAddress(start), size: count) }\n",
        "",
    ),
    Defect(
        "doorbell-rewinds", "an old store runs again", "MediatedITS+Registers.swift",
        "      tokens.count > 0\n",
        "      tokens.count > .max\n",
    ),
    Defect(
        "read-pointer-of-the-old-queue", "B-84", "MediatedITS+Registers.swift",
        "offset: isEarlier ? 0 : offset,",
        "offset: isEarlier ? offset : offset,",
    ),
    Defect(
        "entry-with-ats", "4.4 d", "SMMUUnit+Streams.swift",
        "      entry.forbidsStalls = features.mayStall\n",
        "      entry.forbidsStalls = features.mayStall\n      entry.serve(.full)\n",
        "SMMUDriver",
    ),
    Defect(
        "bypass-as-it-is", "4.4", "SMMUUnit+Streams.swift",
        "    case .pass: break\n",
        "    case .pass: entry.configure(.bypass)\n",
        "SMMUDriver",
    ),
    Defect(
        "combined-stages-kept", "4.3", "PendingInvalidation.swift",
        "    if hasStage1 { issue(.invalidateStage1(vmid)) }\n",
        "",
        "SMMUDriver",
    ),
    Defect(
        "command-queue-not-held", "4.4", "MediatedSMMU+Commands.swift",
        "    guard commands.slot != nil else { return nil }\n",
        "",
        "VirtualSMMU",
    ),
    Defect(
        "stage-1-as-it-is", "4.4", "SMMUUnit+Streams.swift",
        "      entry.configure(.nested)\n",
        "      entry.configure(.stage1)\n",
        "SMMUDriver",
    ),
    Defect(
        "range-unchecked", "4.4 c", "CommandRule.swift",
        "      return command.levelHint == 0 ? .refused(.range) : single\n",
        "",
        "VirtualSMMU",
    ),
]
