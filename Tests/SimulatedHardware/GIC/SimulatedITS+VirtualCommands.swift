// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

extension SimulatedITS {
  func executeVirtual(_ command: ITSCommand, _ opcode: ITSOpcode) throws(CommandError) {
    switch opcode {
    case .vmapp: try mapVPE(command)
    case .vmapti:
      try mapVirtualEvent(command, interrupt: UInt32(truncatingIfNeeded: command.words[2]))
    case .vmapi: try mapVirtualEvent(command, interrupt: command.eventID)
    case .vmovi: try moveVirtualEvent(command)
    case .vmovp: try moveVPE(command)
    case .vsgi: try configureVirtualSGI(command)
    case .vsync:
      let id = command.vpeID
      try checkRange(id)
      state.lingering.removeAll { $0.vpe == id }
    case .vinvall, .invdb: reachStrayTarget(try vpe(command.vpeID).vpeTarget, 0)
    default: break
    }
  }

  private func checkRange(_ id: UInt16) throws(CommandError) {
    guard address(.vpes, UInt32(id)) != nil else { throw .vpeOutOfRange(id) }
  }

  /// The entry of a vPE that is mapped.
  func vpe(_ id: UInt16) throws(CommandError) -> TableEntry {
    guard let entry = entry(.vpes, UInt32(id)) else { throw .vpeOutOfRange(id) }
    guard entry.isValid else { throw .unmappedVPE(id) }
    return entry
  }

  private func mapVPE(_ command: ITSCommand) throws(CommandError) {
    let id = command.vpeID
    let isGICv41 = configuration.version >= .gicv41
    let bits = command.virtualIDBitsMinusOne + 1
    guard let old = entry(.vpes, UInt32(id)) else { throw .vpeOutOfRange(id) }
    guard command.isValid else {
      guard setEntry(.vpes, UInt32(id), TableEntry()) else { throw .vpeOutOfRange(id) }
      if old.isValid { releaseVPE(id, old, writesBack: isGICv41 && command.allocates) }
      return
    }
    try checkTarget(command.target)
    if bits > configuration.interruptIDBits { throw .virtualTableSizeOutOfRange(bits) }
    // GICv4.1 with Alloc clear: the vPE is mapped elsewhere already, and keeps its tables.
    let isMore = isGICv41 && !command.allocates && old.isValid
    let entry = TableEntry.vpe(
      pendingTable: isMore ? old.virtualPendingTable : command.pendingTable,
      idBits: isMore ? old.virtualIDBits : bits, target: command.target,
      configuration: !isGICv41 ? 0 : isMore ? old.virtualConfiguration : command.configurationTable,
      doorbell: isGICv41 ? UInt32(truncatingIfNeeded: command.words[1]) : 1023)
    guard setEntry(.vpes, UInt32(id), entry) else { throw .vpeOutOfRange(id) }
    if old.isValid, !isMore { releaseVPE(id, old, writesBack: false) }
    // GICv4.1 with PTZ clear: the table holds what is pending.
    if isGICv41, command.allocates, command.words[0] >> 9 & 1 == 0 {
      let range = virtualPendingRange(entry)
      gic.record(index, range.use, range.base, range.size, isWritten: false)
    }
  }

  private func releaseVPE(_ id: UInt16, _ old: TableEntry, writesBack: Bool) {
    let range = virtualPendingRange(old)
    if writesBack { gic.record(index, range.use, range.base, range.size, isWritten: true) }
    let targets = bit(of: old.vpeTarget)
    guard configuration.awaitsSync, targets != 0 else { return }
    state.lingering.append(Lingering(range: range, redistributors: targets, vpe: id))
  }

  private func mapVirtualEvent(
    _ command: ITSCommand, interrupt: UInt32
  ) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    let vpe = try vpe(command.vpeID)
    guard interrupt >= 8192, UInt64(interrupt) < 1 << vpe.virtualIDBits else {
      throw .interruptOutOfRange(interrupt)
    }
    let doorbell = UInt32(truncatingIfNeeded: command.words[2] >> 32)
    if doorbell != 1023 { try checkInterrupt(doorbell) }
    setTranslation(
      device, command.eventID, .virtual(interrupt, vpe: command.vpeID, doorbell: doorbell))
  }

  private func moveVirtualEvent(_ command: ITSCommand) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    let entry = try mapped(device, command.eventID)
    guard entry.isVirtual else { throw .unmappedInterrupt(command.eventID) }
    _ = try vpe(command.vpeID)
    let changesDoorbell = command.words[2] & 1 != 0
    let doorbell = UInt32(truncatingIfNeeded: command.words[2] >> 32)
    if changesDoorbell, doorbell != 1023 { try checkInterrupt(doorbell) }
    setTranslation(
      device, command.eventID,
      .virtual(
        entry.interrupt, vpe: command.vpeID,
        doorbell: changesDoorbell ? doorbell : entry.doorbell))
  }

  /// Whether it must wait: without GITS_TYPER.VMOVP a VMOVP is carried out once every ITS of its
  /// ITSList has come to the one of the same sequence number.
  func awaitsOthers(_ command: ITSCommand) -> Bool {
    guard command.opcode == .vmovp, configuration.version >= .gicv40,
      !configuration.movesVPEsAlone
    else { return false }
    let sequence = UInt16(truncatingIfNeeded: command.words[0] >> 32)
    let list = command.words[1] & 0xffff & (1 << UInt64(gic.services.count) - 1)
    gic.moves[sequence, default: SimulatedGIC.Move()].arrived |= 1 << UInt64(index)
    guard let move = gic.moves[sequence], move.arrived & list == list else { return true }
    let passed = move.passed | 1 << UInt64(index)
    gic.moves[sequence]?.passed = passed
    if passed & list == list { gic.moves[sequence] = nil }
    return false
  }

  /// Whether it has come to a VMOVP that another ITS has not come to.
  var isWaiting: Bool {
    guard let next = state.fetched.first, next.isWhole, next.command.opcode == .vmovp,
      !configuration.movesVPEsAlone,
      let move = gic.moves[UInt16(truncatingIfNeeded: next.words.word0 >> 32)]
    else { return false }
    let list = next.words.word1 & 0xffff & (1 << UInt64(gic.services.count) - 1)
    return move.arrived >> UInt64(index) & 1 != 0 && move.arrived & list != list
  }

  private func moveVPE(_ command: ITSCommand) throws(CommandError) {
    try checkTarget(command.target)
    try changeTarget(of: command.vpeID, command)
    reachStrayTarget(command.target, 0)
    guard configuration.movesVPEsAlone else { return }
    for other in gic.services where other !== self {
      var moved = command
      // Each has its own names for Redistributors.
      let areAddresses = configuration.targetsAreAddresses
      if let target = gic.redistributor(command.target, byAddress: areAddresses) {
        let name = gic.target(
          of: target.index, byAddress: other.configuration.targetsAreAddresses)
        moved.word2 = moved.word2 & ~(0xf_ffff_ffff << 16) | name << 16
      }
      // An ITS that hasn't the vPE has nothing to change.
      try? other.changeTarget(of: command.vpeID, moved)
    }
  }

  private func changeTarget(
    of id: UInt16, _ command: ITSCommand
  ) throws(CommandError) {
    var entry = try vpe(id)
    entry.word1 = command.target << 16
    if configuration.version >= .gicv41, command.isValid {
      entry.word3 = command.words[3] & 0xffff_ffff
    }
    guard setEntry(.vpes, UInt32(id), entry) else { throw .vpeOutOfRange(id) }
  }

  private func configureVirtualSGI(_ command: ITSCommand) throws(CommandError) {
    let vpe = try vpe(command.vpeID)
    // Where a virtual SGI's configuration is kept is IMPLEMENTATION DEFINED: here, below the bits
    // of LPIs in the VPT.
    let interrupt = command.words[0] >> 32 & 0xf
    let address = virtualPendingRange(vpe).base + 16 + interrupt
    gic.record(index, .virtualPendingTable, address, 1, isWritten: true)
    gic.memory.store(
      .byte, command.words[0] >> 8 & 0b101 | command.words[0] >> 16 & 0xf0, at: address,
      by: plainObserver)
  }

  func virtualSGI(_ interrupt: UInt32, vpe id: UInt16) {
    guard state.isEnabled, let entry = try? vpe(id) else { return }
    changePending(interrupt, entry, true)
    gic.virtuallyDelivered.append(SimulatedGIC.VirtualDelivery(interrupt: interrupt, vpe: id))
  }

  func setVirtualPending(
    _ interrupt: UInt32, vpe id: UInt16, _ isPending: Bool
  ) throws(CommandError) {
    let entry = try vpe(id)
    if configuration.checksPendingRange, UInt64(interrupt) >= 1 << entry.virtualIDBits { return }
    changePending(interrupt, entry, isPending)
    guard isPending else { return }
    if entry.virtualConfiguration != 0, interrupt >= 8192 {
      let address = entry.virtualConfiguration + UInt64(interrupt - 8192)
      gic.record(index, .virtualConfigurationTable, address, 1, isWritten: false)
      guard gic.memory.load(.byte, at: address, by: plainObserver) & 1 != 0 else { return }
    }
    gic.virtuallyDelivered.append(SimulatedGIC.VirtualDelivery(interrupt: interrupt, vpe: id))
  }

  private func changePending(_ interrupt: UInt32, _ vpe: TableEntry, _ isPending: Bool) {
    let address = virtualPendingRange(vpe).base + UInt64(interrupt / 8)
    gic.record(index, .virtualPendingTable, address, 1, isWritten: true)
    let byte = gic.memory.load(.byte, at: address, by: plainObserver)
    let bit = 1 << UInt64(interrupt % 8) as UInt64
    gic.memory.store(
      .byte, isPending ? byte | bit : byte & ~bit, at: address, by: plainObserver)
  }
}
