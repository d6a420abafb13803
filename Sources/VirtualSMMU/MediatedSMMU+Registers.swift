// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU
public import Traps

// Every register of both pages, deny by default: what is not named reads as zero and ignores writes, and is
// counted. Only a width or an alignment that the architecture forbids is answered with an abort.

extension MediatedSMMU {
  /// Answers a load of the host from `offset` in the two pages.
  public mutating func read<Machine: VirtualSMMUMachine & ~Copyable>(
    _ access: Access, machine: borrowing Machine
  ) -> ReadEffect {
    guard permits(access) else { return .refused(.width) }
    guard let place = Self.place(access) else {
      counters.ignored &+= 1
      return .value(0)
    }
    // What the host waits for is what work is left for.
    switch place.register {
    case .commandQueueConsumed, .control0Acknowledged: proceed(machine)
    case .eventQueueProduced: takeEvents(machine)
    default: break
    }
    guard let value = value(of: place.register) else {
      counters.ignored &+= 1
      return .value(0)
    }
    return .value(value >> place.shift & access.width.mask)
  }

  /// Carries out a store of the host to `offset` in the two pages.
  public mutating func write<Machine: VirtualSMMUMachine & ~Copyable>(
    _ access: Access, _ value: UInt64, machine: borrowing Machine
  ) -> WriteEffect {
    guard permits(access) else { return .refused(.width) }
    guard let place = Self.place(access), let old = self.value(of: place.register) else {
      counters.ignored &+= 1
      return .done
    }
    let mask = access.width.mask << place.shift
    set(place.register, old & ~mask | value << place.shift & mask, machine)
    return .done
  }

  /// Words, and doublewords where a register has as many bits, or there is none.
  private func permits(_ access: Access) -> Bool {
    switch access.width {
    case .byte, .half: return false
    case .word: return true
    case .double:
      let low = SMMURegister(rawValue: access.offset)
      let high = SMMURegister(rawValue: access.offset &+ 4)
      return (low == nil || low?.size == 8) && (high == nil || high?.size == 8)
    }
  }

  /// The register of an access, and how far up in it the access starts.
  private static func place(_ access: Access) -> (register: SMMURegister, shift: UInt64)? {
    if let register = SMMURegister(rawValue: access.offset) { return (register, 0) }
    guard let register = SMMURegister(rawValue: access.offset &- 4), register.size == 8 else {
      return nil
    }
    return (register, 32)
  }

  /// What a register holds; nil for one that the virtual SMMU does not have.
  ///
  /// Mutating, though it changes nothing: the compiler would copy all of `self` for the call.
  private mutating func value(of register: SMMURegister) -> UInt64? {
    switch register {
    case .identification0: UInt64(offered.idr0)
    case .identification1: UInt64(offered.idr1)
    case .identification2, .identification4: 0
    case .identification3: UInt64(offered.idr3)
    case .identification5: UInt64(offered.idr5)
    case .implementer: UInt64(offered.implementer)
    case .architecture: UInt64(offered.architecture)
    case .control0: UInt64(control.rawValue)
    case .control0Acknowledged: UInt64(acknowledged.rawValue)
    case .control1: UInt64(control1)
    case .control2: UInt64(control2.rawValue)
    // SHCFG: as it comes.
    case .globalBypass: UInt64(bypassAborts ? SMMUGBPA(rawValue: 0).aborting.rawValue : 0) | 1 << 12
    case .interruptControl, .interruptControlAcknowledged: UInt64(interrupts)
    case .globalError: UInt64(errors.rawValue)
    case .globalErrorAcknowledged: UInt64(errorsAcknowledged.rawValue)
    case .streamTableBase: streamBase.rawValue
    case .streamTableBaseConfiguration: UInt64(streamShape.rawValue)
    case .commandQueueBase: commands.register.rawValue
    case .commandQueueProduced: UInt64(commands.produced.rawValue)
    case .commandQueueConsumed: UInt64(commands.consumed.rawValue)
    case .eventQueueBase: events.register.rawValue
    case .eventQueueProduced: UInt64(events.produced.rawValue)
    case .eventQueueConsumed: UInt64(events.consumed.rawValue)
    case .status, .alternateGlobalBypass, .globalErrorInterrupt0, .globalErrorInterrupt1,
      .globalErrorInterrupt2, .eventQueueInterrupt0, .eventQueueInterrupt1,
      .eventQueueInterrupt2, .requestQueueBase, .requestQueueInterrupt0,
      .requestQueueInterrupt1, .requestQueueInterrupt2, .requestQueueProduced,
      .requestQueueConsumed, .addressTranslationControl, .addressTranslationStream,
      .addressTranslationAddress, .addressTranslationResult:
      nil
    }
  }

  /// Whether what a register belongs to is off, and so it may be written.
  private func isUnlocked(_ register: SMMURegister) -> Bool {
    let either = control.union(acknowledged)
    switch register {
    case .control2, .streamTableBase, .streamTableBaseConfiguration:
      return !either.contains(.translates)
    case .commandQueueBase, .commandQueueConsumed: return !either.contains(.commandQueue)
    case .eventQueueBase, .eventQueueProduced: return !either.contains(.eventQueue)
    default: return !register.isReadOnly
    }
  }

  private mutating func set<Machine: VirtualSMMUMachine & ~Copyable>(
    _ register: SMMURegister, _ value: UInt64, _ machine: borrowing Machine
  ) {
    guard isUnlocked(register) else {
      counters.ignored &+= 1
      return
    }
    let word = UInt32(truncatingIfNeeded: value)
    switch register {
    case .control0: setControl(SMMUCR0(rawValue: word), machine)
    case .control1: control1 = word & 0xfff
    // E2H belongs to IDR0.HYP, and REC_CFG_ATS to IDR0.ATS.
    case .control2: control2 = SMMUCR2(rawValue: word & 0b110)
    case .globalBypass: setBypass(SMMUGBPA(rawValue: word), machine)
    case .interruptControl: setInterrupts(word, machine)
    case .globalErrorAcknowledged: acknowledgeErrors(word, machine)
    case .streamTableBase:
      streamBase = StreamTableBase(rawValue: value & (1 << 62 | 0xf_ffff_ffff_ffc0))
    case .streamTableBaseConfiguration: streamShape = StreamTableShape(rawValue: word & 0x307ff)
    case .commandQueueBase: commands.register = Self.queue(value)
    case .commandQueueProduced:
      commands.produced = SMMUQueuePointer(rawValue: word & 0xf_ffff)
      proceed(machine)
      takeEvents(machine)
    case .commandQueueConsumed:
      commands.consumed = SMMUQueuePointer(rawValue: word & 0x7f0f_ffff)
    case .eventQueueBase: events.register = Self.queue(value)
    case .eventQueueProduced: events.produced = SMMUQueuePointer(rawValue: word & 0x800f_ffff)
    case .eventQueueConsumed:
      events.consumed = SMMUQueuePointer(rawValue: word & 0x800f_ffff)
      takeEvents(machine)
    default: counters.ignored &+= 1
    }
  }

  private static func queue(_ value: UInt64) -> SMMUQueueBase {
    SMMUQueueBase(rawValue: value & (1 << 62 | 0xf_ffff_ffff_ffff & ~0x1f | 0x1f))
  }

  private mutating func acknowledgeErrors<Machine: VirtualSMMUMachine & ~Copyable>(
    _ value: UInt32, _ machine: borrowing Machine
  ) {
    // Only an error that is active can be acknowledged.
    let toggled = (value ^ errorsAcknowledged.rawValue) & activeErrors.rawValue
    errorsAcknowledged = SMMUGlobalError(rawValue: errorsAcknowledged.rawValue ^ toggled)
    // A queue that had stopped goes on where it did.
    if SMMUGlobalError(rawValue: toggled).contains(.command) { proceed(machine) }
  }
}
