# SPDX-FileCopyrightText: 2026 The Portcullis Authors
# SPDX-License-Identifier: Apache-2.0
"""The defects that `run.py` puts back: what it is, where, and what the sources become."""

import dataclasses

# A soak whose each trap is compared with the specification, and nothing else is checked: of ITSes, of the SMMU that a host
# sees, and of Redistributors.
COMPARISON = "comparison"
COMPARISON_SMMU = "comparison-smmu"
COMPARISON_REDISTRIBUTOR = "comparison-redistributor"
# The soak that each is.
COMPARISONS = {COMPARISON: "soak", COMPARISON_SMMU: "soak-smmu", COMPARISON_REDISTRIBUTOR: "soak-redistributor"}
# Every interleaving in small worlds.
EXHAUSTIVE = "exhaustive"
# What defects of a room are for, where they do not say it themselves.
DETECTORS = {
    "ITS": (COMPARISON, "soak", EXHAUSTIVE),
    "SMMUDriver": (COMPARISON_SMMU, "soak-smmu"),
    "VirtualSMMU": (COMPARISON_SMMU, "soak-smmu"),
    "Redistributor": (COMPARISON_REDISTRIBUTOR, "soak-redistributor"),
}


@dataclasses.dataclass(frozen=True)
class Defect:
    """One replacement."""

    name: str
    known: str
    file: str
    old: str
    new: str
    room: str = "ITS"
    # What is to find it, where that is not what finds defects of its room.
    detectors: tuple = ()
    # Why the comparison, which would be asked otherwise, can't find it.
    unseen: str = ""

    @property
    def asked(self):
        """The names of what is asked for it."""
        names = self.detectors or DETECTORS.get(self.room, ("soak-smmu",))
        return tuple(name for name in names if not (self.unseen and name in COMPARISONS))


DEFECTS = [
    Defect(
        "release-before-sync", "B-43", "MediatedITS+Drain.swift",
        "if retirement.hasUnsealed {\n      for index in 0..<targets.count where targets.isUsed(",
        "if retirement.hasUnsealed {\n      for index in 0..<UInt64(0) where targets.isUsed(",
    ),
    Defect(
        "completed-before-its-syncs", "a queue that seems done before EL2's SYNCs", "MediatedITS+Drain.swift",
        "    let place = commit.isIdle ? staging.takenOffset : commit.lastOrigin(memory: machine.memory)\n",
        "    let place = staging.takenOffset\n",
    ),
    Defect(
        "vpe-table-by-its-size", "a vINTID of another vPE behind the table", "MediatedITS+VirtualCommands.swift",
        "    let size = LPITableSizes(interruptIDBits: Self.virtualIDBitsLimit).pending\n",
        "    let size = LPITableSizes(interruptIDBits: bits).pending\n",
    ),
    Defect(
        "replayed-queue-resumed", "F-09", "MediatedITS+Resume.swift",
        "      pointer(ITSRegister.commandRead) == reading, pointer(ITSRegister.commandWrite) == writing\n",
        "      pointer(ITSRegister.commandRead) != nil || reading == writing\n",
    ),
    Defect(
        "queue-read-from-the-cache", "F-08", "StagingQueue.swift",
        "    if !isCoherent { memory.clean(place, size: ITSCommand.size) }\n",
        "",
        unseen="what EL2 loads is taken for what is there",
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
        unseen="what EL2's tables hold is not compared",
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
        "        deviceID: old.deviceID, eventIDBits: old.eventIDBits, table: table, name: old.name),\n"
        "      machine)\n",
    ),
    Defect(
        "mapped-again-is-empty", "F-22", "MediatedITS+Commands.swift",
        "    if let old, old.name == command.translationTable, old.eventIDBits == bits { return .done }\n",
        "",
    ),
    Defect(
        "mapped-elsewhere-is-kept", "F-22", "MediatedITS+Commands.swift",
        "    if let old, old.name == command.translationTable, old.eventIDBits == bits { return .done }\n",
        "    if let old, old.eventIDBits == bits { return .done }\n",
    ),
    Defect(
        "resuming-host-loses-its-table", "F-23", "MediatedITS+TableMarks.swift",
        "if isRestated, word == 0, table.isIndirect",
        "if isRestated, word == 0 || word != 0, table.isIndirect",
    ),
    Defect(
        "unread-slot-rewritten", "B-42", "CommitQueue.swift",
        "slots &- 1 &- (written &- completed)",
        "slots &- 1",
    ),
    Defect(
        "table-base-ored", "B-80", "MediatedITS+Registers.swift",
        "      setTableBase(index, merge(value, into: tableBases[index], access))\n",
        "      setTableBase(index, merge(value, into: tableBases[index], access))\n"
        "        _ = hardware(\n"
        "          write: access.offset & ~7, .double, value | deviceTable.register.rawValue,\n"
        "          machine)\n",
    ),
    Defect(
        "queue-base-ored", "B-80", "MediatedITS+Registers.swift",
        "      setCommandBase(merge(value, into: staging.register.rawValue, access), machine)\n",
        "      setCommandBase(merge(value, into: staging.register.rawValue, access), machine)\n"
        "        _ = hardware(\n"
        "          write: 0x80, .double, value | commit.base.rawValue | 1 << 63 | 15, machine)\n",
    ),
    Defect(
        "double-fetch", "B-33", "MediatedITS+Commands.swift",
        "    default: return carryOutRare(command, &budget, machine)\n    }\n"
        "    commit.append(rebuilt,",
        "    default: return carryOutRare(command, &budget, machine)\n    }\n"
        "    commit.append(staging.read(memory: machine.memory) ?? rebuilt,",
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
        unseen="memory is taken as EL2 sees it",
    ),
    Defect(
        "table-not-cleaned", "B-67", "MediatedITS+Commands.swift",
        "    if !deviceTable.isCoherent { machine.memory.clean(PhysicalAddress(start), size: count) }\n",
        "",
        unseen="memory is taken as EL2 sees it",
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
        "zero-behind-a-reset-believed", "F-09", "MediatedITS+Resume.swift",
        "    rest(believesZero: commit.isUnused, machine)\n",
        "    rest(believesZero: true, machine)\n",
    ),
    Defect(
        "reset-taken-for-progress", "F-09", "MediatedITS+Drain.swift",
        "    guard isRunning(machine) else {\n      isBroken = true\n      return\n    }\n    while let freed",
        "    while let freed",
    ),
    Defect(
        "reserved-bits-refused", "F-21", "MediatedITS+Commands.swift",
        "    let rebuilt: ITSCommand\n    switch command.number {\n",
        "    let rebuilt: ITSCommand\n"
        "    if let opcode = command.opcode, command.rebuilt(as: opcode) != command {\n"
        "      return .refused(.reservedCommand)\n    }\n"
        "    switch command.number {\n",
    ),
    Defect(
        "reserved-bits-passed-on", "F-21", "MediatedITS+Commands.swift",
        "    commit.append(rebuilt,",
        "    commit.append(command,",
    ),
    Defect(
        "emptied-table-keeps-events", "F-23", "MediatedITS+TableMarks.swift",
        "      marks.restated |= bit & ~marks.staged\n",
        "      marks.restated &= ~bit\n",
    ),
    Defect(
        "type-promises-more-devices", "F-25", "MediatedITS+Setup.swift",
        "          offered = offered.with(deviceIDBits: bits)\n",
        "          offered = offered.with(deviceIDBits: max(bits, typer.deviceIDBits))\n",
    ),
    Defect(
        "table-base-begins-at-zero", "F-26", "TableBaseRules.swift",
        "    guard let value else { return GITSTableBase(rawValue: initial) }\n",
        "    guard let value else { return GITSTableBase(rawValue: fixed) }\n",
    ),
    Defect(
        "shared-pages-refused", "F-33", "Ownership+Holding.swift",
        "        ($0.state != .owned && $0.state != .sharedOwned) || $0.pins == UInt32.max\n",
        "        $0.state != .owned || $0.pins == UInt32.max\n",
        "Ownership", (COMPARISON, "soak-iommu"),
    ),
    Defect(
        "tables-not-given-back", "F-18", "PagePool.swift",
        "    firstReturned = page\n    returned += 1\n",
        "",
        "Ownership", (COMPARISON, "soak-iommu"),
    ),
    Defect(
        "early-queue-base-ignored", "F-34", "MediatedITS+Registers.swift",
        "      guard isUnlocked(machine) else { return waitUntilQuiescent() }\n      setCommandBase",
        "      guard isUnlocked(machine) else {\n        counters.ignored &+= 1\n        return .done\n      }\n"
        "      setCommandBase",
    ),
    Defect(
        "early-table-base-ignored", "F-34", "MediatedITS+Registers.swift",
        "      guard isUnlocked(machine) else { return waitUntilQuiescent() }\n      setTableBase",
        "      guard isUnlocked(machine) else {\n        counters.ignored &+= 1\n        return .done\n      }\n"
        "      setTableBase",
    ),
    Defect(
        "uncounted-store", "a store to nothing", "MediatedITS+Registers.swift",
        "      else {\n        counters.ignored &+= 1\n        return .done\n      }\n"
        "      guard isUnlocked(machine) else { return waitUntilQuiescent() }\n      setTableBase",
        "      else { return .done }\n"
        "      guard isUnlocked(machine) else { return waitUntilQuiescent() }\n      setTableBase",
    ),
    Defect(
        "retry-kept-back", "a stall that the host can't end", "MediatedITS+Registers.swift",
        "    guard isHardwareStalled, !isBroken,\n",
        "    guard isHardwareStalled, !isBroken, fruitlessRuns > 1 << 20,\n",
    ),
    Defect(
        "waiting-store-given-up-early", "16 repetitions instead of 65,536", "MediatedITS+Registers.swift",
        "fruitlessRuns < 1 << 16",
        "fruitlessRuns < 1 << 4",
    ),
    Defect(
        "budget-overdrawn", "a trap without end", "MediatedITS+Drain.swift",
        "      guard budget.takeCommand(), hasRoom(machine) else { return .more }\n",
        "      _ = budget.takeCommand()\n      guard hasRoom(machine) else { return .more }\n",
    ),
    Defect(
        "invall-unchecked", "a collection that is not mapped", "MediatedITS+Commands.swift",
        "      guard collections.isMapped(id, memory: machine.memory) else {\n"
        "        return .refused(.collectionNotMapped)\n      }\n",
        "",
    ),
    Defect(
        "changed-table-keeps-mappings", "another table", "MediatedITS+Registers.swift",
        "    noteTable(index, isChanged: isChanged)\n",
        "    noteTable(index, isChanged: isChanged && !new.isValid)\n",
    ),
    Defect(
        "last-device-refused", "one DeviceID less than the table has", "MediatedITS+Commands.swift",
        "    guard id < deviceTable.capacity, id < hostDeviceCapacity else {\n",
        "    guard id < deviceTable.capacity, id &+ 1 < hostDeviceCapacity else {\n",
    ),
    Defect(
        "uncounted-refusal", "a refusal that nobody learns of", "MediatedITS+Drain.swift",
        "        counters.refused[Int(reason.rawValue)] &+= 1\n",
        "",
    ),
    Defect(
        "refused-for-another-reason", "a refusal with a wrong reason", "MediatedITS+Commands.swift",
        "      guard targets.find(rebuilt.target, memory: machine.memory) != nil else {\n"
        "        return .refused(.unknownTarget)\n",
        "      guard targets.find(rebuilt.target, memory: machine.memory) != nil else {\n"
        "        return .refused(.collectionOutOfRange)\n",
    ),
    Defect(
        "write-pointer-behind", "GITS_CWRITER reads as what was taken", "MediatedITS+Registers.swift",
        "      return part(of: GITSQueuePointer(offset: staging.askedOffset).rawValue, access)\n",
        "      return part(of: GITSQueuePointer(offset: staging.takenOffset).rawValue, access)\n",
    ),
    Defect(
        "type-as-it-is", "virtual interrupts promised", "MediatedITS+Registers.swift",
        "      return part(of: offered.rawValue, access)\n",
        "      return part(of: typer.rawValue, access)\n",
    ),
    Defect(
        "entry-with-ats", "4.4 d", "SMMUUnit+Streams.swift",
        "      entry.forbidsStalls = features.mayStall\n",
        "      entry.forbidsStalls = features.mayStall\n      entry.serve(.full)\n",
        "SMMUDriver",
    ),
    Defect(
        "contexts-of-an-entry-kept", "4.3.1", "SMMUUnit+Streams.swift",
        "      return new.configuration?.hasStage1 != true || forget(stream, machine)\n",
        "      return true\n",
        "SMMUDriver",
    ),
    Defect(
        "bypass-as-it-is", "4.4", "SMMUUnit+Streams.swift",
        "    case .pass: break\n",
        "    case .pass: entry.configure(.bypass)\n",
        "SMMUDriver",
    ),
    Defect(
        "combined-stages-kept", "4.3", "SMMUUnit+Commands.swift",
        "parts?.nested == nil || carryOut(.invalidateStage1(vmid), machine)",
        "parts?.nested == nil || !vmid.rawValue.words.isEmpty",
        "SMMUDriver",
    ),
    Defect(
        "combined-stages-refilled", "F-06", "SMMUGroup+Driver.swift",
        "      if let count = unit.submit(pending, vmid, machine) {\n"
        "        usage.invalidations &+= count\n"
        "        usage.syncs &+= 1\n"
        "        submitted |= 1 << UInt64(index)\n"
        "      } else {\n"
        "        failed = failed ?? unit.port.unit\n"
        "        usage.unconfirmed &+= 1\n"
        "      }\n"
        "      units[index] = unit\n"
        "    }\n"
        "    for index in units.indices where submitted >> UInt64(index) & 1 == 1 {\n"
        "      var unit = units[index]\n"
        "      if !unit.confirm(machine) || !unit.forgetCombined(vmid, machine) {\n",
        "      if unit.forgetCombined(vmid, machine),\n"
        "        let count = unit.submit(pending, vmid, machine)\n"
        "      {\n"
        "        usage.invalidations &+= count\n"
        "        usage.syncs &+= 1\n"
        "        submitted |= 1 << UInt64(index)\n"
        "      } else {\n"
        "        failed = failed ?? unit.port.unit\n"
        "        usage.unconfirmed &+= 1\n"
        "      }\n"
        "      units[index] = unit\n"
        "    }\n"
        "    for index in units.indices where submitted >> UInt64(index) & 1 == 1 {\n"
        "      let unit = units[index]\n"
        "      if !unit.confirm(machine) {\n",
        "SMMUDriver",
    ),
    Defect(
        "own-sync-no-barrier", "F-07", "MediatedSMMU+Commands.swift",
        "        guard confirm(&batch, upTo: commands.advanced(ahead), machine) else { return }\n"
        "      case .forget(let invalidation):\n",
        "        break\n      case .forget(let invalidation):\n",
        "VirtualSMMU",
    ),
    Defect(
        "batch-larger-than-the-queue", "F-20", "SMMUUnit+Commands.swift",
        "      let end = min(commands.count, next + Int(queue.batchLimit))\n",
        "      let end = commands.count\n",
        "SMMUDriver",
    ),
    Defect(
        "sharing-ends-by-the-range", "F-19", "Ownership+Holding.swift",
        "in: pages, { $0.pins == 0 }) {\n",
        "in: pages, { _ in true }) {\n",
        "Ownership", (COMPARISON, "soak-iommu"),
    ),
    Defect(
        "sharing-begins-by-the-range", "F-19", "Ownership+Holding.swift",
        "in: ranges[index], { $0.state }) {\n",
        "in: ranges[index], { _ in true }) {\n",
        "Ownership", (COMPARISON, "soak-iommu"),
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
    Defect(
        "entry-valid-too-early", "4.4", "SMMUUnit+Streams.swift",
        "      store(1, new.word1, place, memory)\n"
        "      store(2, new.word2, place, memory)\n"
        "      store(3, new.word3, place, memory)\n"
        "      return forget(stream, machine) && publish(new.word0, stream, place, machine)\n",
        "      store(1, new.word1, place, memory)\n"
        "      store(2, new.word2, place, memory)\n"
        "      guard publish(new.word0, stream, place, machine) else { return false }\n"
        "      store(3, new.word3, place, memory)\n"
        "      return true\n",
        "SMMUDriver",
    ),
    Defect(
        "stalls-kept", "4.4", "SMMUUnit+Streams.swift",
        "      entry.forbidsStalls = features.mayStall\n",
        "",
        "SMMUDriver",
    ),
    Defect(
        "event-queue-not-held", "4.4", "MediatedSMMU+Events.swift",
        "    guard events.slot != nil else { return lose() }\n",
        "",
        "VirtualSMMU",
    ),
    Defect(
        "stream-table-not-held", "4.4", "MediatedSMMU+Streams.swift",
        "    guard second.open(place, &pins, machine), let entry",
        "    guard place > 0, let entry",
        "VirtualSMMU",
    ),
    Defect(
        "stream-table-kept", "4.4", "MediatedSMMU+Streams.swift",
        "    second.close(&pins, machine)\n",
        "",
        "VirtualSMMU",
    ),
    Defect(
        "stream-not-confined", "4.4", "NestedStreamTable.swift",
        "    UInt64(stream.rawValue) >> log2 == 0 && streams.contains(stream)\n",
        "    UInt64(stream.rawValue) >> log2 == 0\n",
        "SMMUDriver",
    ),
    Defect(
        "host-tlb-not-invalidated", "tables", "Stage2Table.swift",
        "    if hasBroken { cache.invalidateStage2(pages) }\n",
        "    if hasBroken { pool.memory.publishTables() }\n",
        "Ownership", ("soak-iommu",),
    ),
    Defect(
        "block-replaced-at-once", "tables", "Stage2Table.swift",
        "    if Stage2Descriptor.isValid(slot.entry) { breakEntry(slot, around: page, in: pool.memory) }\n",
        "",
        "Ownership", ("soak-iommu",),
    ),
    Defect(
        "table-linked-before-barrier", "tables", "PageTree.swift",
        "    // The zeroes must be visible before a walk can reach them.\n    pool.memory.publishTables()\n",
        "",
        "Ownership", ("soak-iommu",),
    ),
    Defect(
        "table-reused-before-tlbi", "tables", "EL2Stage1Table.swift",
        "      cache.invalidateEL2(\n"
        "        VirtualAddress(piece.lowerBound << PageFrameNumber.shift), count: UInt64(piece.count))\n",
        "",
        "Ownership", ("soak-iommu",),
    ),
    Defect(
        "nothing-invalidated", "4.3", "SMMUGroup+Driver.swift",
        "    defer { pending.add(pages) }\n",
        "",
        "SMMUDriver", ("soak-iommu",),
    ),
    Defect(
        "sync-not-awaited", "4.3", "SMMUGroup+Driver.swift",
        "      if !unit.confirm(machine) || ",
        "      if ",
        "SMMUDriver", ("soak-iommu",),
    ),
    Defect(
        "one-smmu-told", "4.3", "SMMUGroup+Driver.swift",
        "    for index in units.indices {\n",
        "    for index in units.indices where index == 0 {\n",
        "SMMUDriver", ("soak-iommu",),
    ),
    Defect(
        "first-range-alone", "4.1 i", "DMAMirror+Following.swift",
        "      while tried < ranges.count {\n",
        "      while tried < 1 {\n",
        "IOMMU", ("soak-iommu",),
    ),
    Defect(
        "mmio-not-followed", "4.1 iv", "DMAMirror+Following.swift",
        "    guard transition.effect == .unmap, phase == .following else { return }\n",
        "    guard transition.effect == .unmap, transition.kind == .memory, phase == .following else {\n"
        "      return\n    }\n",
        "IOMMU", ("soak-iommu",),
    ),
    Defect(
        "failure-to-unmap-ignored", "4.1 iii", "DMAMirror+Following.swift",
        "        if let pages = ranges[index].below(driver.pageLimit) { driver.restore(pages, &pool) }\n"
        "      }\n"
        "      refusals += 1\n"
        "      throw Self.refusal(error, ranges)\n",
        "        if let pages = ranges[index].below(driver.pageLimit) { driver.restore(pages, &pool) }\n"
        "      }\n"
        "      refusals += 1\n",
        "IOMMU", ("soak-iommu",),
    ),
    Defect(
        "refused-pages-not-restored", "4.1 iii", "DMAMirror+Following.swift",
        "        if let pages = ranges[index].below(driver.pageLimit) { driver.restore(pages, &pool) }\n",
        "        if ranges[index].below(driver.pageLimit) == nil { tried = 0 }\n",
        "IOMMU", ("soak-iommu",),
    ),
    Defect(
        "first-page-decides", "4.1 i", "PageLedger.swift",
        "    for number in pages.numbers {\n",
        "    for number in pages.numbers.prefix(1) {\n",
        "Ownership", ("soak-iommu",),
    ),
    Defect(
        "doorbell-readable", "4.5", "DMAAccess.swift",
        "var doorbell: Self { Self(isReadable: false, isWritable: true, kind: .mmio) }",
        "var doorbell: Self { Self(isReadable: true, isWritable: true, kind: .mmio) }",
        "IOMMU", ("soak-iommu",),
    ),
    Defect(
        "doorbell-taken", "4.5", "DMAMirror+Following.swift",
        "          if !isDoorbell { try driver.unmap(part, &pool, &reservation) }\n",
        "          if isDoorbell || part.count > 0 { try driver.unmap(part, &pool, &reservation) }\n",
        "IOMMU", ("soak-iommu",),
    ),
    Defect(
        "unlisted-device-mapped", "4.5", "MediatedITS+Commands.swift",
        "    guard policy.devices.permits(command.deviceID) else { return .refused(.unknownDevice) }\n",
        "",
    ),
    Defect(
        "place-of-an-earlier-queue", "GITS_CREADR", "MediatedITS+Registers.swift",
        "offset: isEarlier ? 0 : offset, flag",
        "offset: isEarlier && offset == 0 ? 0 : offset, flag",
        detectors=("exhaustive",),
    ),
    Defect(
        "plain-load-of-the-queue", "a load that may abort", "StagingQueue.swift",
        "    guard let words = memory.tryLoad4(place) else { return nil }\n",
        "    let words = memory.load4(place)\n",
    ),
    Defect(
        "plain-load-of-a-command", "a load that may abort", "MediatedSMMU+Commands.swift",
        "    guard let word0 = machine.memory.tryLoad(place),\n"
        "      let word1 = machine.memory.tryLoad(PhysicalAddress(place.rawValue &+ 8))\n"
        "    else { return nil }\n",
        "    let word0 = machine.memory.load(place)\n"
        "    let word1 = machine.memory.load(PhysicalAddress(place.rawValue &+ 8))\n",
        "VirtualSMMU",
    ),
    Defect(
        "one-table-for-all", "F-24", "MediatedRedistributors+Control.swift",
        "      guard bits(held.configuration) == bits(configuration) else {",
        "      guard held.configuration.isSameTable(as: configuration) else {",
        "Redistributor",
    ),
    Defect(
        "shared-table-released", "F-24", "MediatedRedistributors+Release.swift",
        "    } else if hasOneConfigurationBase != false, !isHeld {\n",
        "    } else if hasOneConfigurationBase == nil, !isHeld {\n",
        "Redistributor",
    ),
    Defect(
        "table-kept-twice", "GICD_TYPER.IDbits", "MediatedRedistributors+Release.swift",
        "first.base == second.base && bits(first) == bits(second)",
        "first.isSameTable(as: second)",
        "Redistributor",
    ),
    Defect(
        "fewer-tables-kept", "16 tables", "ParkedTables.swift",
        "static var capacity: Int { 16 }",
        "static var capacity: Int { 15 }",
        "Redistributor",
    ),
    Defect(
        "released-while-enabled", "B-86", "MediatedRedistributors+Control.swift",
        "      redistributor.lpis.use = .stopping\n",
        "      redistributor.lpis.use = .stopping\n      letGo(&redistributor, number, machine)\n",
        "Redistributor",
    ),
    Defect(
        "released-by-any-cpu", "B-88", "MediatedRedistributors+Control.swift",
        "redistributor.lpis.holding != nil,\n        redistributor.isOwn(machine)\n",
        "redistributor.lpis.holding != nil\n",
        "Redistributor",
    ),
    Defect(
        "released-without-promise", "B-86", "MediatedRedistributors+Control.swift",
        "      if redistributor.canBeDisabled, redistributor.lpis.holding != nil,\n",
        "      if redistributor.lpis.holding != nil,\n",
        "Redistributor",
    ),
    Defect(
        "boot-tables-not-held", "F-38", "MediatedRedistributors+Setup.swift",
        "      } else if !redistributor.canBeDisabled {\n",
        "      } else if keepsLive, !redistributor.canBeDisabled {\n",
        "Redistributor",
    ),
    Defect(
        "waking-unchecked", "F-10", "MediatedRedistributors+Wake.swift",
        "guard control.isEnabled, !hasHeldTables(number, machine) else { continue }",
        "guard control.isEnabled, slots[number].lpis.holding == nil else { continue }",
        "Redistributor",
    ),
    Defect(
        "waking-vpe-unchecked", "F-10", "MediatedRedistributors+Wake.swift",
        "!hasHeldVPE(number, machine) {",
        "redistributor.vpe.use == .idle {",
        "Redistributor",
    ),
    Defect(
        "vpe-stays", "a vPE that firmware has restored", "MediatedRedistributors+Virtual.swift",
        "        redistributor.vpe.use = base.isValid ? .inUse : .stopping\n",
        "",
        "Redistributor",
    ),
    Defect(
        "promise-passed-twice", "PTZ", "MediatedRedistributors+Control.swift",
        "        redistributor.isPendingTableZeroed = false\n",
        "",
        "Redistributor",
    ),
    Defect(
        "interrupt-unchecked", "GICR_SETLPIR", "MediatedRedistributors+Registers.swift",
        "      guard value >= 8192, value < limit else { return ignore() }\n",
        "      guard value >= 8192, limit > 0 else { return ignore() }\n",
        "Redistributor",
    ),
    Defect(
        "uncounted-tables", "a refusal that nobody learns of", "MediatedRedistributors.swift",
        "    counters.refused[Int(reason.rawValue)] &+= 1\n",
        "",
        "Redistributor",
    ),
]
