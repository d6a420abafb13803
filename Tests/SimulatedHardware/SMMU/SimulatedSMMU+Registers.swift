// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

extension SimulatedSMMU {
  /// SMMU_CR0ACK.
  package var control: SMMUCR0 { SMMUCR0(rawValue: state.controlAcknowledged) }
  /// SMMU_CMDQ_BASE.
  package var commandBase: SMMUQueueBase { SMMUQueueBase(rawValue: state.commandBase) }
  /// SMMU_EVENTQ_BASE.
  package var eventBase: SMMUQueueBase { SMMUQueueBase(rawValue: state.eventBase) }
  /// The errors that SMMU_GERROR tells and that SMMU_GERRORN has not acknowledged.
  package var activeErrors: SMMUGlobalError {
    SMMUGlobalError(rawValue: state.error ^ state.errorAcknowledged)
  }

  /// A CPU reads at `offset` from the first page; nil for an external abort.
  package func read(_ width: AccessWidth, at offset: UInt64) -> UInt64? {
    guard let place = place(width, offset) else { return isAborted(width, offset) ? nil : 0 }
    makeProgress()
    return value(of: place.register) >> place.shift & width.mask
  }

  /// A CPU writes at `offset` from the first page; false for an external abort.
  package func write(_ width: AccessWidth, _ value: UInt64, at offset: UInt64) -> Bool {
    guard let place = place(width, offset) else { return !isAborted(width, offset) }
    makeProgress()
    let mask = width.mask << place.shift
    let old = self.value(of: place.register)
    set(place.register, old & ~mask | value << place.shift & mask)
    if pace == .instant { run() }
    return true
  }

  private func makeProgress() {
    if case .steps(let count) = pace { run(limit: count) }
  }

  private func isAborted(_ width: AccessWidth, _ offset: UInt64) -> Bool {
    width.bytes < 4 || offset & (width.bytes - 1) != 0 || offset >= SMMURegister.frameSize
  }

  /// The register of an access, and how far up in it the access starts; nil where there is none.
  private func place(
    _ width: AccessWidth, _ offset: UInt64
  ) -> (register: SMMURegister, shift: UInt64)? {
    let isAlias = [0xa8, 0xac, 0xc8, 0xcc].contains(offset)
    guard !isAborted(width, offset), !isAlias else {
      faults.append(.accessNotPermitted(offset: offset, width))
      return nil
    }
    if let register = SMMURegister(rawValue: offset) {
      if width.bytes <= register.size { return (register, 0) }
      faults.append(.accessNotPermitted(offset: offset, width))
    } else if let register = SMMURegister(rawValue: offset &- 4), register.size == 8,
      width == .word
    {
      return (register, 32)
    }
    // What is reserved is RES0.
    return nil
  }

  private func value(of register: SMMURegister) -> UInt64 {
    switch register {
    case .identification0: UInt64(configuration.idr0.rawValue)
    case .identification1: UInt64(configuration.idr1.rawValue)
    case .identification2, .identification4: 0
    case .identification3: UInt64(configuration.idr3.rawValue)
    case .identification5: UInt64(configuration.idr5.rawValue)
    case .implementer: UInt64(configuration.implementer)
    case .architecture: UInt64(configuration.minorVersion)
    case .control0: UInt64(state.control)
    case .control0Acknowledged: UInt64(state.controlAcknowledged)
    case .control1: UInt64(state.control1)
    case .control2: UInt64(state.control2)
    case .globalBypass: UInt64(state.bypass) | (state.nextBypass == nil ? 0 : 1 << 31)
    case .interruptControl: UInt64(state.interrupts)
    case .interruptControlAcknowledged: UInt64(state.interruptsAcknowledged)
    case .globalError: UInt64(state.error)
    case .globalErrorAcknowledged: UInt64(state.errorAcknowledged)
    case .globalErrorInterrupt0: state.errorMessage.address
    case .globalErrorInterrupt1: UInt64(state.errorMessage.data)
    case .globalErrorInterrupt2: UInt64(state.errorMessage.attributes)
    case .streamTableBase: state.streamBase
    case .streamTableBaseConfiguration: UInt64(state.streamShape)
    case .commandQueueBase: state.commandBase
    case .commandQueueProduced: UInt64(state.commandProduced)
    case .commandQueueConsumed: UInt64(state.commandConsumed)
    case .eventQueueBase: state.eventBase
    case .eventQueueProduced: UInt64(state.eventProduced)
    case .eventQueueConsumed: UInt64(state.eventConsumed)
    case .eventQueueInterrupt0: state.eventMessage.address
    case .eventQueueInterrupt1: UInt64(state.eventMessage.data)
    case .eventQueueInterrupt2: UInt64(state.eventMessage.attributes)
    case .requestQueueBase: state.requestBase
    case .requestQueueProduced: UInt64(state.requestProduced)
    case .requestQueueConsumed: UInt64(state.requestConsumed)
    case .requestQueueInterrupt0: state.requestMessage.address
    case .requestQueueInterrupt1: UInt64(state.requestMessage.data)
    case .requestQueueInterrupt2: UInt64(state.requestMessage.attributes)
    case .status, .alternateGlobalBypass, .addressTranslationControl, .addressTranslationStream,
      .addressTranslationAddress, .addressTranslationResult:
      0
    }
  }

  /// Whether what a register belongs to is off, as it must be for a write.
  private func isFree(_ register: SMMURegister) -> Bool {
    let either = state.control | state.controlAcknowledged
    let interrupts = state.interrupts | state.interruptsAcknowledged
    switch register {
    case .control2, .streamTableBase, .streamTableBaseConfiguration:
      return either & SMMUCR0.translates.rawValue == 0
    case .commandQueueBase, .commandQueueConsumed:
      return either & SMMUCR0.commandQueue.rawValue == 0
    case .eventQueueBase, .eventQueueProduced:
      return either & SMMUCR0.eventQueue.rawValue == 0
    case .requestQueueBase, .requestQueueProduced:
      return either & SMMUCR0.requestQueue.rawValue == 0
    case .globalErrorInterrupt0, .globalErrorInterrupt1, .globalErrorInterrupt2:
      return interrupts & SMMUInterruptControl.globalError.rawValue == 0
    case .eventQueueInterrupt0, .eventQueueInterrupt1, .eventQueueInterrupt2:
      return interrupts & SMMUInterruptControl.eventQueue.rawValue == 0
    case .requestQueueInterrupt0, .requestQueueInterrupt1, .requestQueueInterrupt2:
      return interrupts & SMMUInterruptControl.requestQueue.rawValue == 0
    default: return true
    }
  }

  private func isPreset(_ register: SMMURegister) -> Bool {
    switch register {
    case .commandQueueBase, .eventQueueBase: configuration.presetQueues != nil
    case .streamTableBase, .streamTableBaseConfiguration: configuration.presetTable != nil
    default: false
    }
  }

  private func set(_ register: SMMURegister, _ value: UInt64) {
    guard !register.isReadOnly, !isPreset(register) else {
      faults.append(.readOnly(register))
      return
    }
    guard isFree(register) else {
      faults.append(.changedWhileEnabled(register))
      return
    }
    let word = UInt32(truncatingIfNeeded: value)
    let addresses = UInt64.ones(configuration.outputSize.bits)
    switch register {
    case .control0: setControl(word)
    case .control1: setControl1(word)
    case .control2: state.control2 = word & 0b1111
    case .globalBypass: setBypass(word)
    case .interruptControl: setInterrupts(word)
    case .globalErrorAcknowledged: acknowledgeErrors(word)
    case .globalErrorInterrupt0: state.errorMessage.address = messageAddress(value)
    case .globalErrorInterrupt1: state.errorMessage.data = configuration.hasMSI ? word : 0
    case .globalErrorInterrupt2: state.errorMessage.attributes = word & 0x3f
    case .eventQueueInterrupt0: state.eventMessage.address = messageAddress(value)
    case .eventQueueInterrupt1: state.eventMessage.data = configuration.hasMSI ? word : 0
    case .eventQueueInterrupt2: state.eventMessage.attributes = word & 0x3f
    case .requestQueueInterrupt0: state.requestMessage.address = messageAddress(value)
    case .requestQueueInterrupt1: state.requestMessage.data = configuration.hasMSI ? word : 0
    case .requestQueueInterrupt2: state.requestMessage.attributes = word & 0x3f
    case .streamTableBase:
      state.streamBase = value & (1 << 62 | addresses & ~0x3f & .ones(52))
    case .streamTableBaseConfiguration:
      state.streamShape = word & 0x3_07ff
      if UInt64(word & 0x3f) > configuration.streamIDBits { faults.append(.tooLarge(register)) }
    case .commandQueueBase:
      state.commandBase = queueBase(
        register, value, most: configuration.commandQueueLog2, entry: 4)
    case .eventQueueBase:
      state.eventBase = queueBase(register, value, most: configuration.eventQueueLog2, entry: 5)
    case .requestQueueBase:
      state.requestBase =
        configuration.hasPRI
        ? queueBase(register, value, most: configuration.eventQueueLog2, entry: 4) : 0
    case .commandQueueProduced: setCommandProduced(word)
    case .commandQueueConsumed:
      state.commandConsumed = word & 0x7f00_0000 | word & positions(commandBase)
      state.fetched = []
    case .eventQueueProduced:
      state.eventProduced = word & 1 << 31 | word & positions(eventBase)
    case .eventQueueConsumed:
      state.eventConsumed = word & 1 << 31 | word & positions(eventBase)
    case .requestQueueProduced: state.requestProduced = configuration.hasPRI ? word : 0
    case .requestQueueConsumed: state.requestConsumed = configuration.hasPRI ? word : 0
    default: break
    }
  }

  /// The bits that an index into a queue and its lap take.
  private func positions(_ base: SMMUQueueBase) -> UInt32 {
    UInt32(UInt64.ones(min(base.log2, 19) + 1))
  }

  private func messageAddress(_ value: UInt64) -> UInt64 {
    configuration.hasMSI
      ? value.masked(51, 2) & UInt64.ones(configuration.outputSize.bits) : 0
  }

  private func queueBase(
    _ register: SMMURegister, _ value: UInt64, most: UInt64, entry: UInt64
  ) -> UInt64 {
    var size = value.field(4, 0)
    if size > most {
      faults.append(.tooLarge(register))
      size = most
    }
    let address = value.masked(51, 5) & UInt64.ones(configuration.outputSize.bits)
    if address.low(size + entry) != 0 { faults.append(.misaligned(register)) }
    return value & 1 << 62 | address.aligned(log2: max(size + entry, 5)) | size
  }

  private func setControl(_ value: UInt32) {
    var writable: UInt32 = 0b1101
    if configuration.hasPRI { writable |= SMMUCR0.requestQueue.rawValue }
    if configuration.hasATS { writable |= SMMUCR0.checksATS.rawValue }
    if configuration.hasVMIDWildcards { writable |= 0b111 << 6 }
    let new = value & writable
    let unacknowledged = state.control ^ state.controlAcknowledged
    if unacknowledged & (new ^ state.control) != 0 {
      faults.append(.changedBeforeAcknowledged(.control0))
    }
    if new & ~state.control & SMMUCR0.commandQueue.rawValue != 0 {
      checkCommandIndices()
      memory.tableLog?.enableQueue(self)
    }
    if (new ^ state.control) & SMMUCR0.translates.rawValue != 0 {
      if new & SMMUCR0.translates.rawValue != 0 {
        memory.tableLog?.enable(self)
      } else {
        memory.tableLog?.disable(self)
      }
    }
    state.control = new
    state.stepsToControl =
      new == state.controlAcknowledged ? 0 : configuration.stepsToAcknowledge
    if state.stepsToControl == 0, !isFrozen { state.controlAcknowledged = new }
    if isFrozen, new != state.controlAcknowledged { state.stepsToControl = 1 }
  }

  private func setControl1(_ value: UInt32) {
    let either = state.control | state.controlAcknowledged
    let queues =
      SMMUCR0.commandQueue.rawValue | SMMUCR0.eventQueue.rawValue
      | SMMUCR0.requestQueue.rawValue
    var writable: UInt32 = 0xfff
    if either & SMMUCR0.translates.rawValue != 0 { writable &= ~0xfc0 }
    if either & queues != 0 { writable &= ~0x3f }
    if (value ^ state.control1) & 0xfff & ~writable != 0 {
      faults.append(.changedWhileEnabled(.control1))
    }
    state.control1 = state.control1 & ~writable | value & writable
  }

  private func setBypass(_ value: UInt32) {
    guard value >> 31 != 0, state.nextBypass == nil else {
      faults.append(.bypassNotUpdated)
      return
    }
    state.nextBypass = value & 0x001f_3f1f
    state.stepsToBypass = configuration.stepsToAcknowledge
    if isFrozen { state.stepsToBypass = max(state.stepsToBypass, 1) }
    if state.stepsToBypass == 0 { finishBypass() }
  }

  func finishBypass() {
    state.bypass = state.nextBypass ?? state.bypass
    state.nextBypass = nil
  }

  private func setInterrupts(_ value: UInt32) {
    let new = value & (configuration.hasPRI ? 0b111 : 0b101)
    let unacknowledged = state.interrupts ^ state.interruptsAcknowledged
    if unacknowledged & (new ^ state.interrupts) != 0 {
      faults.append(.changedBeforeAcknowledged(.interruptControl))
    }
    state.interrupts = new
    state.stepsToInterrupts =
      new == state.interruptsAcknowledged ? 0 : configuration.stepsToAcknowledge
    if isFrozen, new != state.interruptsAcknowledged { state.stepsToInterrupts = 1 }
    if state.stepsToInterrupts == 0 { state.interruptsAcknowledged = new }
  }

  private func acknowledgeErrors(_ value: UInt32) {
    let toggled = value ^ state.errorAcknowledged
    let none = toggled & ~(state.error ^ state.errorAcknowledged)
    if none != 0 { faults.append(.acknowledgedNoError(none)) }
    let resumes = toggled & ~none & SMMUGlobalError.command.rawValue != 0
    state.errorAcknowledged ^= toggled & ~none
    // The queue goes on where it stopped, with what memory holds now.
    if resumes { state.fetched = [] }
  }

  private func setCommandProduced(_ value: UInt32) {
    let either = state.control | state.controlAcknowledged
    memory.tableLog?.append(.smmu(base, .tell))
    state.commandProduced = value & positions(commandBase)
    if either & SMMUCR0.commandQueue.rawValue != 0 { checkCommandIndices() }
  }

  /// Notices a queue that holds more than it has room for: while it is off its indices may be anything.
  private func checkCommandIndices() {
    let held = (state.commandProduced &- state.commandConsumed) & positions(commandBase)
    if UInt64(held) > 1 << commandBase.log2 { faults.append(.queueOverrun) }
  }

  // MARK: Errors

  /// Makes an error active, and signals it, unless it is already.
  func raise(_ error: SMMUGlobalError) {
    guard activeErrors.rawValue & error.rawValue == 0 else { return }
    state.error ^= error.rawValue
    guard state.interruptsAcknowledged & SMMUInterruptControl.globalError.rawValue != 0 else {
      return
    }
    if !signal(state.errorMessage, .globalError), error != .errorMSIAborted {
      raise(.errorMSIAborted)
    }
  }

  /// Signals an interrupt by a write, or by a wire; false where the write was aborted.
  func signal(_ message: MessageRegisters, _ wire: Interrupt) -> Bool {
    guard configuration.hasMSI, message.address != 0 else {
      interrupts.append(wire)
      return true
    }
    let attributes = UInt64(message.attributes)
    let isCacheable = attributes.field(3, 0) != 0 && attributes.field(3, 0) != 5
    guard
      write(
        .message, .word, UInt64(message.data), message.address,
        observer(
          inner: isCacheable ? 1 : 0, outer: isCacheable ? 1 : 0,
          shareability: attributes.field(5, 4)))
    else { return false }
    interrupts.append(.message(address: message.address, data: message.data))
    return true
  }
}
