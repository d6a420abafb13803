// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// `VirtualSMMU.md` and `Registers.md`: the SMMU that the host sees. `Pages` has the use of a queue that is
// held.

/// What the host has written, and what EL2 does for it.
struct HostSMMU: Equatable, Sendable {
  /// The registers that are not constant, as the host reads them; zero where there is none.
  var registers: [SMMURegister: UInt64] = [:]
  /// CR0ACK.SMMUEN.
  var isTranslating = false
  /// Whether the hardware gets no further commands of the host, until reset.
  var isBroken = false
  /// Behind the last command that was executed.
  var executed = SMMUQueuePointer(rawValue: 0)
  /// Whether that command is a CMD_SYNC that is not complete.
  var isSyncing = false
  /// The streams whose entries are still to be read.
  var unread: ClosedRange<UInt32>? = nil
  /// Once SMMUEN is set, the rules for the switch.
  var rules: [StreamID: Entry]? = nil

  subscript(register: SMMURegister) -> UInt64 {
    get { registers[register] ?? 0 }
    set { registers[register] = newValue }
  }
  func word(_ register: SMMURegister) -> UInt32 { UInt32(truncatingIfNeeded: self[register]) }
  func pointer(_ register: SMMURegister) -> SMMUQueuePointer { SMMUQueuePointer(rawValue: word(register)) }
  func log2(_ base: SMMURegister) -> UInt64 {
    min(SMMUQueueBase(rawValue: self[base]).log2, base == .commandQueueBase ? 8 : 7)
  }
  func isEnabled(_ part: SMMUCR0) -> Bool { SMMUCR0(rawValue: word(.control0)).contains(part) }
  /// The errors that are active.
  var errors: SMMUGlobalError {
    let acknowledged = SMMUGlobalError(rawValue: word(.globalErrorAcknowledged))
    return SMMUGlobalError(rawValue: word(.globalError)).active(acknowledged: acknowledged)
  }
  mutating func raise(_ error: SMMUGlobalError) {
    if !errors.contains(error) { self[.globalError] ^= UInt64(error.rawValue) }
  }

  /// Whether the host has asked for a command that EL2 has not executed.
  var hasCommands: Bool {
    let produced = pointer(.commandQueueProduced), log2 = log2(.commandQueueBase)
    let isStopped = errors.contains(.command) || isBroken || !isEnabled(.commandQueue)
    return !isStopped && !produced.isEmpty(consumed: executed, log2: log2)
  }
  /// Whether the host reads that all is executed.
  var isConsumed: Bool { executed.position == pointer(.commandQueueConsumed).position }
  /// The command at hand is executed.
  mutating func advance() { executed = executed.advanced(log2: log2(.commandQueueBase)) }

  /// The hardware has confirmed what was executed.
  mutating func confirm(isTranslating isOwn: Bool) {
    guard !isBroken else { return }
    (isTranslating, isSyncing) = (isOwn, false)
    if !isConsumed { self[.commandQueueConsumed] = UInt64(executed.position) }
  }
  /// The hardware has not confirmed what the host asked for.
  mutating func fail() {
    if !isBroken { raise(.serviceFailure) }
    (isBroken, isSyncing, unread, rules) = (true, false, nil, nil)
    executed = SMMUQueuePointer(rawValue: pointer(.commandQueueConsumed).position)
  }
}

extension SMMURegister {
  /// A row of `Registers.md`: its rule, the bits that the host writes, and what must be clear in CR0 for that.
  var row: (rule: Rule, bits: UInt64, locks: SMMUCR0)? {
    let none = SMMUCR0(rawValue: 0), base: UInt64 = 0x400f_ffff_ffff_ffe0
    switch self {
    case .control0: return (.control0, 0xd, none)
    case .control0Acknowledged: return (.control0Acknowledged, 0, none)
    case .control1: return (.control1, 0xfff, none)
    case .control2: return (.control2, 0b110, .translates)
    case .globalBypass: return (.globalBypass, 1 << 20, none)
    case .interruptControl: return (.interruptControl, 0b101, none)
    case .interruptControlAcknowledged: return (.interruptControl, 0, none)
    case .globalError: return (.globalErrors, 0, none)
    case .globalErrorAcknowledged: return (.globalErrors, 0x105, none)
    case .streamTableBase: return (.streamTableRegisters, base & ~0x3f, .translates)
    case .streamTableBaseConfiguration: return (.streamTableRegisters, 0x3_07ff, .translates)
    case .commandQueueBase: return (.commandQueueBase, base | 0x1f, .commandQueue)
    case .commandQueueProduced: return (.commandQueueProduced, 0xf_ffff, none)
    case .commandQueueConsumed: return (.commandQueueConsumed, 0x7f0f_ffff, .commandQueue)
    case .eventQueueBase: return (.eventQueueRegisters, base | 0x1f, .eventQueue)
    case .eventQueueProduced: return (.eventQueueRegisters, 0x800f_ffff, .eventQueue)
    case .eventQueueConsumed: return (.eventQueueConsumed, 0x800f_ffff, none)
    case .identification0, .identification1, .identification2, .identification3, .identification4,
      .identification5, .implementer, .architecture:
      return (.offeredIdentification, 0, none)
    default: return nil
    }
  }
}

extension SMMU {
  /// What the host reads of a register that has a row; the constant ones are as the documentation has them.
  func value(_ register: SMMURegister) -> UInt64 {
    switch register {
    case .control0Acknowledged: return host[.control0] & ~1 | (host.isTranslating ? 1 : 0)
    case .globalBypass: return host[.globalBypass] | 1 << 12
    case .interruptControlAcknowledged: return host[.interruptControl]
    default: return host[register]
    }
  }

  /// The streams that the host's table has entries for.
  var listed: ClosedRange<UInt32> {
    let shape = StreamTableShape(rawValue: host.word(.streamTableBaseConfiguration))
    return 0...min(identity.lastStream, UInt32(1 << min(shape.log2, 32) - 1))
  }

  /// With SMMUEN set all entries are read; with SMMUEN clear all streams pass, or all abort.
  fileprivate mutating func turn(isOn: Bool) {
    if !isOn { host.isTranslating = false }
    guard !host.isBroken else { return }
    (host.unread, host.rules) = isOn ? (listed, [:]) : (nil, nil)
    if !isOn { activate(host[.globalBypass] != 0 ? .aborts : .passes) }
  }
}

extension World {
  /// A load of the host; EL2 goes on with its commands first.
  func load(smmu index: Int, at offset: UInt64, _ width: AccessWidth) -> [Outcome] {
    decoding(.smmu(index), offset, width, isLoad: true) { access in
      guard let register = SMMURegister(rawValue: access.register), let row = register.row else {
        return readingNothing(.smmu(index))
      }
      return ending(.smmu(index), .value(access.part(of: dma.smmus[index].value(register))), row.rule)
    }
  }

  /// A store of the host; what it begins is done by further steps, of this trap or of later ones.
  ///
  /// `canShare` is whether EL2 has a table to share the page of a queue.
  func store(smmu index: Int, at offset: UInt64, _ width: AccessWidth, _ value: UInt64, canShare: Bool = true)
    -> [Outcome]
  {
    decoding(.smmu(index), offset, width, isLoad: false) { access in
      guard let register = SMMURegister(rawValue: access.register), let row = register.row else {
        return ending(.smmu(index), .ignored, .otherSMMURegisters)
      }
      let host = dma.smmus[index].host, old = host[register]
      let whole = access.joining(value, to: old), new = whole & row.bits
      let isLocked = row.locks.rawValue & host.word(.control0) != 0
      guard row.bits != 0, !isLocked, register != .globalBypass || whole >> 31 & 1 != 0 else {
        return ending(.smmu(index), .ignored, row.rule)
      }
      switch register {
      case .control0: return storing(index, SMMUCR0(rawValue: UInt32(new)), canShare: canShare)
      case .globalBypass:
        return ending(.smmu(index), .done, .globalBypass, .bypassWaitsForSMMUEN) {
          $0.dma.smmus[index].host[register] = new
          if new != old, !host.isEnabled(.translates) { $0.dma.smmus[index].turn(isOn: false) }
        }
      case .globalErrorAcknowledged:
        let active = UInt64(host.errors.rawValue)
        return ending(.smmu(index), .done, .globalErrors, .nothingElseEndsErrors, .acknowledgedIsReadAgain) {
          $0.dma.smmus[index].host[register] = old & ~active | new & active
        }
      default:
        return ending(.smmu(index), .done, row.rule) {
          $0.dma.smmus[index].host[register] = new
          guard register == .commandQueueConsumed else { return }
          $0.dma.smmus[index].host.executed = SMMUQueuePointer(rawValue: UInt32(new & 0xf_ffff))
        }
      }
    }
  }

  /// CR0: a queue is held while it is enabled, SMMUEN begins the reading of all entries, or is one switch.
  private func storing(_ index: Int, _ new: SMMUCR0, canShare: Bool) -> [Outcome] {
    let host = dma.smmus[index].host, isOn = new.contains(.translates)
    var result = changed { $0.dma.smmus[index].host[.control0] = UInt64(new.rawValue) }
    for (part, base, use) in [
      (SMMUCR0.commandQueue, SMMURegister.commandQueueBase, Use.smmuCommands(index)),
      (.eventQueue, .eventQueueBase, .smmuEvents(index)),
    ] where new.contains(part) != host.isEnabled(part) {
      result.pages.holds[use] = nil
      // What cannot be held is no error before it is used.
      let page = PageRange(PhysicalAddress(SMMUQueueBase(rawValue: host[base]).base), bytes: 1)
      guard new.contains(part), canShare, let page, pages.mayBeRead(page) else { continue }
      result = result.holding(page, for: use) ?? result
    }
    if host.rules == nil, !new.contains(.commandQueue) { result.dma.smmus[index].host.unread = nil }
    if isOn != host.isEnabled(.translates) { result.dma.smmus[index].turn(isOn: isOn) }
    return result.ending(
      .smmu(index), .done, .control0, .triedOnce, .reservedIsNotTheHosts, .stopsAtTheCommand,
      isOn ? .enablingIsOneSwitch : .disablingIsOneSwitch)
  }
}
