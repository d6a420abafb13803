// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

/// One Redistributor: its LPI tables in memory and the registers that concern them.
package final class SimulatedRedistributor {
  /// What it remembers.
  package struct State: Hashable, Sendable {
    package var isEnabled = false
    /// GICR_CTLR.RWP: LPIs were disabled, and the tables are still in use.
    package var isStopping = false
    /// GICR_PENDBASER.PTZ as it was written.
    var isPendingTableZeroed = false
    /// GICR_CTLR.DPG0, DPG1NS and DPG1S where they are in the register.
    var groups: UInt64 = 0
    /// GICR_WAKER.ProcessorSleep, and with it ChildrenAsleep.
    var isAsleep = true
    /// GICR_PROPBASER.
    package var configurationBase: UInt64 = 0
    /// GICR_PENDBASER.
    package var pendingBase: UInt64 = 0
    package var virtualConfigurationBase: UInt64 = 0
    /// GICR_VPENDBASER.
    package var virtualPendingBase: UInt64 = 0
    /// The configuration bytes that it has read and not been told to forget.
    var configuration: [UInt32: UInt8] = [:]
  }

  unowned let gic: SimulatedGIC
  /// Its place in `SimulatedGIC.redistributors`.
  package let index: Int
  /// The physical address of its RD frame.
  package let base: UInt64
  /// GICR_TYPER.
  package let typer: GICRTyper
  /// The bits of an INTID that it has at most.
  package let interruptIDBits: UInt64
  let isCoherent: Bool
  /// What it remembers.
  package var state = State()

  /// GICR_CTLR.CES: EnableLPIs can be cleared, as is promised.
  package var promisesDisabling = true
  /// Whether EnableLPIs stays set once it is.
  package var staysEnabled = false
  /// Whether the tables are in use after disabling, until `finishStopping` is called.
  package var stopsSlowly = false
  /// GICR_CTLR.IR.
  package var hasInvalidation = true
  /// Whether EnableLPIs can't be set.
  package var refusesEnabling = false
  /// What GICR_PROPBASER always is, where it is read only.
  package var fixedConfigurationBase: UInt64?

  init(
    gic: SimulatedGIC, index: Int, base: UInt64, typer: GICRTyper, interruptIDBits: UInt64,
    isCoherent: Bool
  ) {
    self.gic = gic
    self.index = index
    self.base = base
    self.typer = typer
    self.interruptIDBits = interruptIDBits
    self.isCoherent = isCoherent
  }

  /// The bits of an INTID that GICR_PROPBASER has; LPIs begin at 8192.
  package var idBits: UInt64 { min((state.configurationBase & 0x1f) + 1, interruptIDBits) }
  /// The address of the LPI Pending table.
  package var pendingTable: UInt64 { state.pendingBase & 0x000f_ffff_ffff_0000 }
  /// The address of the LPI Configuration table, whose first byte is for INTID 8192.
  package var configurationTable: UInt64 { state.configurationBase & 0x000f_ffff_ffff_f000 }

  private func observer(_ register: UInt64) -> PhysicalMemory.Observer {
    let share = register >> 10 & 0b11
    return isCoherent && (share == 1 || share == 2) && register >> 7 & 0b111 > 1
      ? .coherentDevice : .nonCoherentDevice
  }

  // MARK: Interrupts

  func isPending(_ interrupt: UInt32, for service: Int?) -> Bool {
    let address = pendingTable + UInt64(interrupt / 8)
    gic.record(service, .pendingTable, address, 1, isWritten: false)
    let byte = gic.memory.load(.byte, at: address, by: observer(state.pendingBase))
    return byte >> UInt64(interrupt % 8) & 1 != 0
  }

  private func setPending(_ interrupt: UInt32, _ isPending: Bool, for service: Int?) {
    let address = pendingTable + UInt64(interrupt / 8)
    gic.record(service, .pendingTable, address, 1, isWritten: true)
    let byte = gic.memory.load(.byte, at: address, by: observer(state.pendingBase))
    let bit = 1 << UInt64(interrupt % 8) as UInt64
    gic.memory.store(
      .byte, isPending ? byte | bit : byte & ~bit, at: address, by: observer(state.pendingBase))
  }

  private func isConfigured(_ interrupt: UInt32, for service: Int?) -> Bool {
    if let kept = state.configuration[interrupt] { return kept & 1 != 0 }
    let address = configurationTable + UInt64(interrupt - 8192)
    gic.record(service, .configurationTable, address, 1, isWritten: false)
    let byte = UInt8(
      truncatingIfNeeded: gic.memory.load(
        .byte, at: address, by: observer(state.configurationBase)))
    state.configuration[interrupt] = byte
    return byte & 1 != 0
  }

  /// LPIs are disabled: what is pending is written back, and no table is in use from here on.
  package func finishStopping() {
    guard state.isStopping else { return }
    gic.record(nil, .pendingTable, pendingTable, 1024, isWritten: true)
    state.isStopping = false
    state.configuration = [:]
  }

  /// Loses its power and gets it back.
  package func losePower() { state = State() }

  private func setEnabled(_ enables: Bool) {
    guard enables != state.isEnabled else { return }
    if enables {
      guard !refusesEnabling else { return }
      if state.isStopping { fault(.configurationChangedWhileEnabled) }
      state.isEnabled = true
      let isZeroed = state.isPendingTableZeroed
      state.isPendingTableZeroed = false
      guard idBits > 13, !isZeroed else { return }
      for interrupt in pendingInterrupts() { take(interrupt, for: nil) }
      return
    }
    guard !staysEnabled else { return }
    state.isEnabled = false
    state.isStopping = true
    if !stopsSlowly { finishStopping() }
  }

  private func hasRoom(_ interrupt: UInt32, checks: Bool) -> Bool {
    state.isEnabled && interrupt >= 8192 && (!checks || UInt64(interrupt) < 1 << idBits)
  }

  /// Makes an LPI pending, and has the CPU take it if it is enabled.
  func pend(_ interrupt: UInt32, for service: Int?, checksRange: Bool) {
    guard hasRoom(interrupt, checks: checksRange) else { return }
    setPending(interrupt, true, for: service)
    take(interrupt, for: service)
  }

  /// Makes an LPI not pending.
  func clear(_ interrupt: UInt32, for service: Int?, checksRange: Bool) {
    guard hasRoom(interrupt, checks: checksRange) else { return }
    setPending(interrupt, false, for: service)
  }

  private func take(_ interrupt: UInt32, for service: Int?) {
    guard isConfigured(interrupt, for: service) else { return }
    setPending(interrupt, false, for: service)
    gic.delivered.append(SimulatedGIC.Delivery(interrupt: interrupt, redistributor: index))
  }

  /// Reads the configuration of an LPI anew.
  func invalidate(_ interrupt: UInt32, for service: Int?) {
    state.configuration[interrupt] = nil
    guard hasRoom(interrupt, checks: true), isPending(interrupt, for: service) else { return }
    take(interrupt, for: service)
  }

  /// Reads the configuration of all LPIs anew.
  func invalidateAll(for service: Int?) {
    state.configuration = [:]
    guard state.isEnabled else { return }
    for interrupt in pendingInterrupts(for: service) { take(interrupt, for: service) }
  }

  /// Moves what is pending to another Redistributor.
  func moveAll(to other: SimulatedRedistributor, for service: Int?) {
    guard state.isEnabled, other !== self else { return }
    for interrupt in pendingInterrupts(for: service) {
      setPending(interrupt, false, for: service)
      other.pend(interrupt, for: service, checksRange: true)
    }
  }

  /// Every LPI that the pending table has pending.
  package func pendingInterrupts(for service: Int? = nil) -> [UInt32] {
    let size = 1 << idBits / 8 as UInt64
    guard size > 1024 else { return [] }
    gic.record(service, .pendingTable, pendingTable + 1024, size - 1024, isWritten: false)
    var found: [UInt32] = []
    for offset in stride(from: 1024, to: size, by: 8) {
      var word = gic.memory.load(
        .double, at: pendingTable + offset, by: observer(state.pendingBase))
      while word != 0 {
        found.append(UInt32(offset) * 8 + UInt32(word.trailingZeroBitCount))
        word &= word - 1
      }
    }
    return found
  }

  /// What it may read and write now.
  package var reachable: [MemoryReach] {
    let resident = state.virtualPendingBase >> 63 != 0 ? [residentTable] : []
    guard state.isEnabled || state.isStopping, idBits > 13 else { return resident }
    let size = 1 << idBits as UInt64
    return resident + [
      MemoryReach(use: .pendingTable, base: pendingTable, size: size / 8, isWritten: true),
      MemoryReach(
        use: .configurationTable, base: configurationTable, size: size - 8192, isWritten: false),
    ]
  }

  /// The pending table of the vPE that is resident (GICv4.0).
  private var residentTable: MemoryReach {
    let bits = min((state.virtualConfigurationBase & 0x1f) + 1, interruptIDBits)
    return MemoryReach(
      use: .virtualPendingTable, base: state.virtualPendingBase & 0x000f_ffff_ffff_0000,
      size: max(1 << bits / 8, 1024), isWritten: true)
  }

  private func setVirtualPendingBase(_ value: UInt64) {
    // What was pending is written back when a vPE leaves, and read when one comes.
    for (base, isWritten) in [(state.virtualPendingBase, true), (value, false)] {
      state.virtualPendingBase = base
      guard base >> 63 != 0 else { continue }
      let table = residentTable
      gic.record(nil, table.use, table.base, table.size, isWritten: isWritten)
    }
  }

  // MARK: Registers

  private func fault(_ fault: SoftwareFault) { gic.faults.append(fault) }

  func read(_ width: AccessWidth, at offset: UInt64) -> UInt64? {
    guard offset & (width.bytes - 1) == 0, width.bytes >= 4 else {
      fault(.accessNotPermitted(offset: offset, width))
      return nil
    }
    let register = offset & ~7
    let shift = offset % 8 * 8
    let value: UInt64
    switch register {
    // GICR_CTLR, below GICR_IIDR
    case 0:
      value =
        (state.isEnabled ? 1 : 0) | (promisesDisabling ? 1 << 1 : 0)
        | (hasInvalidation ? 1 << 2 : 0) | (state.isStopping ? 1 << 3 : 0) | state.groups
        | 0x43b << 32
    // GICR_WAKER, above GICR_STATUSR
    case 0x10: value = (state.isAsleep ? 0b110 : 0) << 32
    case 0x8: value = typer.rawValue
    case 0x70: value = fixedConfigurationBase ?? state.configurationBase
    case 0x78: value = state.pendingBase
    case 0xffe8: value = typer.hasVirtualLPIs ? 0x40 : 0x30
    case 0x2_0070 where typer.hasVirtualLPIs: value = state.virtualConfigurationBase
    case 0x2_0078 where typer.hasVirtualLPIs: value = state.virtualPendingBase
    default: value = 0
    }
    return value >> shift & width.mask
  }

  func write(_ width: AccessWidth, _ value: UInt64, at offset: UInt64) -> Bool {
    guard offset & (width.bytes - 1) == 0, width.bytes >= 4 else {
      fault(.accessNotPermitted(offset: offset, width))
      return false
    }
    let shift = offset % 8 * 8
    func merge(_ old: UInt64) -> UInt64 {
      old & ~(width.mask << shift) | (value & width.mask) << shift
    }
    switch offset & ~7 {
    case 0 where offset == 0:
      state.groups = value & 0b111 << 24
      setEnabled(value & 1 != 0)
    case 0x10 where offset == 0x14: state.isAsleep = value & 1 << 1 != 0
    case 0x40: pend(UInt32(truncatingIfNeeded: value), for: nil, checksRange: true)
    case 0x48: clear(UInt32(truncatingIfNeeded: value), for: nil, checksRange: true)
    case 0x70, 0x78:
      guard !state.isEnabled, !state.isStopping else {
        fault(.configurationChangedWhileEnabled)
        return true
      }
      if offset & ~7 == 0x70 {
        state.configurationBase = merge(state.configurationBase) & ~(isCoherent ? 0 : 0b11 << 10)
        guard gic.hasOneConfigurationBase else { break }
        for other in gic.redistributors { other.state.configurationBase = state.configurationBase }
      } else {
        state.isPendingTableZeroed = merge(0) >> 62 & 1 != 0
        state.pendingBase =
          merge(state.pendingBase) & ~(1 << 62) & ~(isCoherent ? 0 : 0b11 << 10)
      }
    case 0xa0: invalidate(UInt32(truncatingIfNeeded: value), for: nil)
    case 0xb0: invalidateAll(for: nil)
    case 0x2_0070 where typer.hasVirtualLPIs:
      state.virtualConfigurationBase = merge(state.virtualConfigurationBase)
    case 0x2_0078 where typer.hasVirtualLPIs:
      setVirtualPendingBase(merge(state.virtualPendingBase))
    default: break
    }
    return true
  }
}
