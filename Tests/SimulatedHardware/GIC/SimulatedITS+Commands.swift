// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

extension SimulatedITS {
  func execute(_ command: ITSCommand) throws(CommandError) {
    guard let opcode = command.opcode,
      !opcode.isVirtual || configuration.version >= .gicv40,
      (opcode != .vsgi && opcode != .invdb) || configuration.version >= .gicv41
    else { throw .unknownCommand(command.number) }
    let posted = command
    let command = posted.rebuilt(
      as: opcode, hasGICv41: configuration.version >= .gicv41,
      targetsAreAddresses: configuration.targetsAreAddresses)
    if command != posted { gic.faults.append(.reservedBits(command: command.number)) }
    switch opcode {
    case .mapd: try mapDevice(command)
    case .mapc: try mapCollection(command)
    case .mapti: try mapEvent(command, interrupt: command.physicalID)
    case .mapi: try mapEvent(command, interrupt: command.eventID)
    case .movi: try moveEvent(command)
    case .discard: try discard(command)
    case .int: try signal(device: command.deviceID, event: command.eventID)
    case .clear: try clear(command)
    case .inv: try invalidate(command)
    case .invall: try invalidateAll(command)
    case .movall: try moveAll(command)
    case .sync: try synchronize(command)
    case .vmovi, .vmovp, .vsgi, .vsync, .vmapp, .vmapti, .vmapi, .vinvall, .invdb:
      try executeVirtual(command, opcode)
    }
  }

  // MARK: Devices

  private func mapDevice(_ command: ITSCommand) throws(CommandError) {
    let id = command.deviceID
    guard UInt64(id) < 1 << configuration.deviceIDBits else { throw .deviceOutOfRange(id) }
    let bits = command.eventIDBitsMinusOne + 1
    if command.isValid, bits > configuration.eventIDBits { throw .tableSizeOutOfRange(bits) }
    guard let old = entry(.devices, id) else { throw .deviceOutOfRange(id) }
    let entry =
      command.isValid
      ? TableEntry.device(table: command.translationTable, eventIDBits: bits) : TableEntry()
    guard setEntry(.devices, id, entry) else { throw .deviceOutOfRange(id) }
    if old.isValid { lingers(translationRange(old), collections: state.deviceCollections[id]) }
    state.deviceCollections[id] = nil
  }

  private func lingers(_ range: MemoryReach, collections: Set<UInt16>?) {
    var targets: UInt64 = 0
    for collection in collections ?? [] { targets |= state.collectionTargets[collection] ?? 0 }
    guard configuration.awaitsSync, targets != 0 else { return }
    state.lingering.append(Lingering(range: range, redistributors: targets))
  }

  func device(_ id: UInt32) throws(CommandError) -> TableEntry {
    guard UInt64(id) < 1 << configuration.deviceIDBits, let entry = entry(.devices, id) else {
      throw .deviceOutOfRange(id)
    }
    guard entry.isValid else { throw .unmappedDevice(id) }
    return entry
  }

  func device(_ id: UInt32, event: UInt32) throws(CommandError) -> TableEntry {
    let device = try device(id)
    guard UInt64(event) < 1 << device.eventIDBits else { throw .eventOutOfRange(event) }
    return device
  }

  // MARK: Collections

  private func checkRange(_ id: UInt16) throws(CommandError) {
    guard UInt64(id) < 1 << configuration.collectionIDBits else {
      throw .collectionOutOfRange(id)
    }
  }

  private func collectionEntry(_ id: UInt16) throws(CommandError) -> TableEntry {
    try checkRange(id)
    if UInt64(id) < configuration.hardwareCollections {
      return state.heldCollections[id] ?? TableEntry()
    }
    guard let entry = entry(.collections, UInt32(id)) else { throw .collectionOutOfRange(id) }
    return entry
  }

  /// The target of a collection that is mapped.
  func collection(_ id: UInt16) throws(CommandError) -> UInt64 {
    let entry = try collectionEntry(id)
    guard entry.isValid else { throw .unmappedCollection(id) }
    return entry.collectionTarget
  }

  func checkTarget(_ target: UInt64) throws(CommandError) {
    // An address isn't checked by hardware: what it names is written to.
    guard configuration.targetsAreAddresses || gic.redistributor(target, byAddress: false) != nil
    else { throw .targetOutOfRange(target) }
  }

  private func mapCollection(_ command: ITSCommand) throws(CommandError) {
    let id = command.collectionID
    try checkRange(id)
    if command.isValid { try checkTarget(command.target) }
    let entry = command.isValid ? TableEntry.collection(target: command.target) : TableEntry()
    if UInt64(id) < configuration.hardwareCollections {
      state.heldCollections[id] = command.isValid ? entry : nil
    } else if !setEntry(.collections, UInt32(id), entry) {
      throw .collectionOutOfRange(id)
    }
    state.collectionTarget[id] = command.isValid ? bit(of: command.target) : 0
    if command.isValid {
      state.collectionTargets[id, default: 0] |= bit(of: command.target)
    }
  }

  func bit(of target: UInt64) -> UInt64 {
    let redistributor = gic.redistributor(
      target, byAddress: configuration.targetsAreAddresses)
    return redistributor.map { 1 << UInt64($0.index) } ?? 0
  }

  // MARK: Events

  func checkInterrupt(_ interrupt: UInt32) throws(CommandError) {
    guard interrupt >= 8192, UInt64(interrupt) < 1 << configuration.interruptIDBits else {
      throw .interruptOutOfRange(interrupt)
    }
  }

  private func mapEvent(_ command: ITSCommand, interrupt: UInt32) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    try checkRange(command.collectionID)
    try checkInterrupt(interrupt)
    setTranslation(
      device, command.eventID,
      .physical(interrupt, collection: command.collectionID))
    state.deviceCollections[command.deviceID, default: []].insert(command.collectionID)
  }

  /// The entry of an event that is mapped.
  func mapped(_ device: TableEntry, _ event: UInt32) throws(CommandError) -> TranslationEntry {
    let entry = translation(device, event)
    guard entry.isValid else { throw .unmappedInterrupt(event) }
    return entry
  }

  private func moveEvent(_ command: ITSCommand) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    let entry = try mapped(device, command.eventID)
    guard !entry.isVirtual else { throw .unmappedInterrupt(command.eventID) }
    let old = try collection(entry.owner)
    let new = try collection(command.collectionID)
    setTranslation(
      device, command.eventID, .physical(entry.interrupt, collection: command.collectionID))
    state.deviceCollections[command.deviceID, default: []].insert(command.collectionID)
    let source = gic.redistributor(old, byAddress: configuration.targetsAreAddresses)
    guard old != new, let source, source.state.isEnabled, source.pendingTable != 0,
      UInt64(entry.interrupt) < 1 << source.idBits, entry.interrupt >= 8192,
      source.isPending(entry.interrupt, for: index)
    else { return }
    unpend(entry.interrupt, old)
    pend(entry.interrupt, new)
  }

  private func discard(_ command: ITSCommand) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    let entry = try mapped(device, command.eventID)
    if !entry.isVirtual { unpend(entry.interrupt, try collection(entry.owner)) }
    setTranslation(device, command.eventID, TranslationEntry())
  }

  private func clear(_ command: ITSCommand) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    let entry = try mapped(device, command.eventID)
    if entry.isVirtual {
      try setVirtualPending(entry.interrupt, vpe: entry.owner, false)
    } else {
      unpend(entry.interrupt, try collection(entry.owner))
    }
  }

  private func invalidate(_ command: ITSCommand) throws(CommandError) {
    let device = try device(command.deviceID, event: command.eventID)
    let entry = try mapped(device, command.eventID)
    if entry.isVirtual {
      _ = try vpe(entry.owner)
      return
    }
    let target = try collection(entry.owner)
    reachStrayTarget(target, entry.interrupt)
    gic.redistributor(target, byAddress: configuration.targetsAreAddresses)?
      .invalidate(entry.interrupt, for: index)
  }

  private func invalidateAll(_ command: ITSCommand) throws(CommandError) {
    let target = try collection(command.collectionID)
    reachStrayTarget(target, 0)
    gic.redistributor(target, byAddress: configuration.targetsAreAddresses)?
      .invalidateAll(for: index)
  }

  // MARK: Redistributors

  private func moveAll(_ command: ITSCommand) throws(CommandError) {
    try checkTarget(command.target)
    try checkTarget(command.secondTarget)
    reachStrayTarget(command.target, 0)
    reachStrayTarget(command.secondTarget, 0)
    let byAddress = configuration.targetsAreAddresses
    guard let source = gic.redistributor(command.target, byAddress: byAddress),
      let destination = gic.redistributor(command.secondTarget, byAddress: byAddress)
    else { return }
    source.moveAll(to: destination, for: index)
  }

  private func synchronize(_ command: ITSCommand) throws(CommandError) {
    try checkTarget(command.target)
    reachStrayTarget(command.target, 0)
    let synchronized = bit(of: command.target)
    for position in state.lingering.indices {
      state.lingering[position].redistributors &= ~synchronized
    }
    state.lingering.removeAll { $0.redistributors == 0 }
    for collection in state.collectionTargets.keys
    where state.collectionTarget[collection] != synchronized {
      state.collectionTargets[collection, default: 0] &= ~synchronized
    }
  }

  func pend(_ interrupt: UInt32, _ target: UInt64) {
    reachStrayTarget(target, interrupt)
    gic.redistributor(target, byAddress: configuration.targetsAreAddresses)?
      .pend(interrupt, for: index, checksRange: configuration.checksPendingRange)
  }

  func unpend(_ interrupt: UInt32, _ target: UInt64) {
    reachStrayTarget(target, interrupt)
    gic.redistributor(target, byAddress: configuration.targetsAreAddresses)?
      .clear(interrupt, for: index, checksRange: configuration.checksPendingRange)
  }

  /// What goes to a Redistributor that isn't one: a write to the address that RDbase names, at an
  /// offset as of GICR_SETLPIR.
  func reachStrayTarget(_ target: UInt64, _ value: UInt32) {
    guard configuration.targetsAreAddresses, gic.redistributor(target, byAddress: true) == nil
    else { return }
    writeWord(UInt64(value) | 1 << 63, target << 16 + 0x40, .strayTarget, plainObserver)
  }

  // MARK: Interrupts

  /// A device writes `event` to GITS_TRANSLATER; the error of one that isn't delivered.
  @discardableResult
  package func message(device: UInt32, event: UInt32) -> CommandError? {
    guard state.isEnabled else { return nil }
    do throws(CommandError) {
      try signal(device: device, event: event)
      return nil
    } catch {
      return error
    }
  }

  private func signal(device id: UInt32, event: UInt32) throws(CommandError) {
    let device = try device(id, event: event)
    let entry = try mapped(device, event)
    guard !entry.isVirtual else {
      try setVirtualPending(entry.interrupt, vpe: entry.owner, true)
      let vpe = try vpe(entry.owner)
      let doorbell = entry.doorbell != 1023 ? entry.doorbell : vpe.doorbell
      if doorbell != 1023 { pend(doorbell, vpe.vpeTarget) }
      return
    }
    pend(entry.interrupt, try collection(entry.owner))
  }

  /// Writes through everything that was unmapped and not synchronised, as hardware still may.
  package func writeLingering() {
    for lingering in state.lingering {
      let value = gic.memory.load(.double, at: lingering.range.base, by: plainObserver)
      writeWord(value, lingering.range.base, lingering.range.use, plainObserver)
    }
  }
}
