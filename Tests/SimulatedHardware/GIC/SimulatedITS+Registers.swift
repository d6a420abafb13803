// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

extension SimulatedITS {
  /// Whether GITS_CTLR.Quiescent reads as one.
  package var isQuiescent: Bool { !state.isEnabled && state.stepsToQuiescence == 0 }
  /// GITS_CREADR.
  package var readPointer: GITSQueuePointer {
    GITSQueuePointer(offset: state.readPointer, flag: state.isStalled)
  }
  /// GITS_CWRITER.
  package var writePointer: GITSQueuePointer { GITSQueuePointer(offset: state.writePointer) }
  /// GITS_CBASER.
  package var queueBase: GITSCommandBase { commandBase }
  /// GITS_BASER<n>.
  package func tableBase(_ number: Int) -> GITSTableBase {
    GITSTableBase(rawValue: state.tableBases[number])
  }

  /// GITS_BASER<n> at reset.
  package func tableBaseAtReset(_ number: Int) -> GITSTableBase {
    guard configuration.tables.indices.contains(number) else { return GITSTableBase(rawValue: 0) }
    let table = configuration.tables[number]
    let writable = writableBits(of: table)
    return GITSTableBase(rawValue: table.reset & writable | fixedBits(of: table) & ~writable)
  }

  func fixedBits(of table: ITSConfiguration.TableRegister) -> UInt64 {
    let kind: GITSTableBase.Kind =
      switch table.kind {
      case .devices: .devices
      case .collections: .collections
      case .vpes: .vpes
      }
    return kind.rawValue << 56 | (configuration.entrySize(table) - 1) << 48
      | (table.fixedPageSize?.rawValue ?? 0) << 8
  }

  func writableBits(of table: ITSConfiguration.TableRegister) -> UInt64 {
    var bits = GITSTableBase.writable
    if table.fixedPageSize != nil { bits &= ~(0b11 << 8) }
    if !table.permitsTwoLevels { bits &= ~GITSTableBase.indirect }
    if !configuration.isCoherent { bits &= ~MemoryAttributes.shareability }
    return bits
  }

  /// A CPU reads at `offset` from the control frame; nil for an external abort.
  package func read(_ width: AccessWidth, at offset: UInt64) -> UInt64? {
    guard isPermitted(width, at: offset) else { return isAborted(width, at: offset) ? nil : 0 }
    makeProgress()
    return doubleword(at: offset & ~7) >> (offset % 8 * 8) & width.mask
  }

  /// A CPU writes at `offset` from the control frame; false for an external abort.
  package func write(_ width: AccessWidth, _ value: UInt64, at offset: UInt64) -> Bool {
    if offset >= ITSRegister.frameSize { return writeOtherFrame(width, value, at: offset) }
    guard isPermitted(width, at: offset) else { return !isAborted(width, at: offset) }
    makeProgress()
    let shift = offset % 8 * 8
    func merge(_ old: UInt64) -> UInt64 {
      old & ~(width.mask << shift) | (value & width.mask) << shift
    }
    switch offset & ~7 {
    case 0x00 where offset == 0: setControl(UInt32(truncatingIfNeeded: value))
    case 0x80: setCommandBase(merge(state.commandBase))
    case 0x88: setWritePointer(merge(state.writePointer))
    case 0x100..<0x140: setTableBase(Int(offset - 0x100) / 8, merge)
    default: break
    }
    if pace == .instant { gic.runInstantly() }
    return true
  }

  private func isPermitted(_ width: AccessWidth, at offset: UInt64) -> Bool {
    let widths = ITSRegister.widths(at: offset)
    // What is reserved is RES0 for words and doublewords.
    guard !isAborted(width, at: offset), widths == .none || widths.permits(width) else {
      gic.faults.append(.accessNotPermitted(offset: offset, width))
      return false
    }
    return true
  }

  /// Whether hardware answers with an abort; else what isn't permitted reads as zero.
  private func isAborted(_ width: AccessWidth, at offset: UInt64) -> Bool {
    width.bytes < 4 || offset & (width.bytes - 1) != 0
  }

  private func makeProgress() {
    if case .steps(let count) = pace { run(limit: count) }
  }

  private func doubleword(at offset: UInt64) -> UInt64 {
    switch offset {
    case 0x00:
      let control: UInt64 =
        state.isEnabled
        ? 1 | (configuration.isNeverBusy ? 1 << 31 : 0) : isQuiescent ? 1 << 31 : 0
      return control | UInt64(configuration.implementer) << 32
    case 0x08: return typer.rawValue
    case 0x80: return state.commandBase
    case 0x88: return state.writePointer
    case 0x90: return readPointer.rawValue
    case 0x100..<0x140: return state.tableBases[Int(offset - 0x100) / 8]
    case 0xffe8: return configuration.version >= .gicv40 ? 0x40 : 0x30
    default: return 0
    }
  }

  private func setControl(_ value: UInt32) {
    let enables = GITSControl(rawValue: value).isEnabled
    if enables, !state.isEnabled, !isQuiescent { gic.faults.append(.enabledBeforeQuiescent) }
    let wasEnabled = state.isEnabled
    state.isEnabled = enables
    if enables, !wasEnabled { gic.memory.tableLog?.enable(self) }
    if enables { state.isUnpowered = false }
    guard wasEnabled, !enables else { return }
    // Commands that were fetched and not carried out are fetched again.
    state.fetched = []
    state.stepsToQuiescence = max(
      configuration.stepsToQuiescence, state.commandsToHang == 0 ? 1 : 0)
    if isQuiescent { becomeQuiescent() }
  }

  func becomeQuiescent() {
    writeBackEntries()
    gic.memory.tableLog?.append(.its(base, .quiescent))
    state.lingering = []
    if configuration.forgetsWhenDisabled {
      state.entries = [:]
      state.firstLevels = [:]
    }
  }

  private func setCommandBase(_ value: UInt64) {
    if state.isEnabled || !isQuiescent { gic.faults.append(.queueMovedWhileActive) }
    var writable = GITSCommandBase.writable
    if !configuration.isCoherent { writable &= ~MemoryAttributes.shareability }
    state.commandBase = value & writable
    state.readPointer = 0
    state.isStalled = false
    state.fetched = []
  }

  private func setWritePointer(_ value: UInt64) {
    let pointer = GITSQueuePointer(rawValue: value)
    gic.memory.tableLog?.append(.its(base, .tell))
    if !commandBase.isValid {
      // Of a loss of power nobody need have heard yet.
      if pointer.offset != 0, !state.isUnpowered { gic.faults.append(.queueNotValid) }
    } else if pointer.offset >= commandBase.size {
      gic.faults.append(.writePointerPastEnd(pointer.offset))
    }
    state.writePointer = pointer.offset
    if pointer.isRetry { state.isStalled = false }
  }

  private func setTableBase(_ number: Int, _ merge: (UInt64) -> UInt64) {
    if state.isEnabled || !isQuiescent { gic.faults.append(.tableMovedWhileActive(number)) }
    guard number < configuration.tables.count else { return }
    let table = configuration.tables[number]
    let writable = writableBits(of: table)
    state.tableBases[number] =
      merge(state.tableBases[number]) & writable | fixedBits(of: table) & ~writable
    // What is kept belongs to the old table.
    state.entries = state.entries.filter { $0.key.kind != table.kind }
    state.firstLevels = state.firstLevels.filter { $0.key.kind != table.kind }
  }

  private func writeOtherFrame(_ width: AccessWidth, _ value: UInt64, at offset: UInt64) -> Bool {
    guard offset & (width.bytes - 1) == 0 else {
      gic.faults.append(.accessNotPermitted(offset: offset, width))
      return false
    }
    // GITS_TRANSLATER takes the DeviceID from the bus, where a CPU has none: see `message`.
    if offset == 0x2_0020, width == .double, configuration.version >= .gicv41 {
      virtualSGI(UInt32(value & 0xf), vpe: UInt16(truncatingIfNeeded: value >> 32))
    }
    return true
  }
}
