// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

/// One SMMUv3: its registers, its queues, the tables in memory that it reads, what it keeps of them, and
/// the devices behind it.
package final class SimulatedSMMU {
  /// When hardware makes progress by itself.
  package enum Pace: Hashable, Sendable {
    /// A register write returns when all there is to do is done.
    case instant
    /// So many steps before each register access.
    case steps(Int)
    /// Only in `step` and `run`.
    case manual
  }

  /// How an interrupt was signalled.
  package enum Interrupt: Hashable, Sendable {
    /// By the wire of CMD_SYNC.
    case synchronised
    /// By the wire of the event queue.
    case events
    /// By the wire of SMMU_GERROR.
    case globalError
    /// By a write.
    case message(address: UInt64, data: UInt32)
    /// By an event for WFE.
    case event
  }

  struct MessageRegisters: Hashable, Sendable {
    var address: UInt64 = 0
    var data: UInt32 = 0
    var attributes: UInt32 = 0
  }

  struct ContextPlace: Hashable, Sendable {
    var stream: UInt32
    var substream: UInt32
  }

  /// A transaction that has been translated and has not reached memory.
  struct InFlight: Hashable, Sendable {
    var transaction: DeviceTransaction
    var physical: UInt64
  }

  /// What the SMMU remembers.
  package struct State: Hashable, Sendable {
    var control: UInt32 = 0
    var controlAcknowledged: UInt32 = 0
    var stepsToControl: UInt64 = 0
    var control1: UInt32 = 0
    var control2: UInt32 = 0
    var bypass: UInt32 = 0
    var nextBypass: UInt32?
    var stepsToBypass: UInt64 = 0
    var interrupts: UInt32 = 0
    var interruptsAcknowledged: UInt32 = 0
    var stepsToInterrupts: UInt64 = 0
    var error: UInt32 = 0
    var errorAcknowledged: UInt32 = 0
    var errorMessage = MessageRegisters()
    var eventMessage = MessageRegisters()
    var requestMessage = MessageRegisters()
    package var streamBase: UInt64 = 0
    var streamShape: UInt32 = 0
    var commandBase: UInt64 = 0
    var commandProduced: UInt32 = 0
    var commandConsumed: UInt32 = 0
    var eventBase: UInt64 = 0
    var eventProduced: UInt32 = 0
    var eventConsumed: UInt32 = 0
    var requestBase: UInt64 = 0
    var requestProduced: UInt32 = 0
    var requestConsumed: UInt32 = 0

    /// The commands that have been read and not carried out.
    var fetched: [SMMUCommand] = []
    /// The invalidations that have not taken effect.
    var pending: [SMMUCommand] = []
    /// What chooses the next of them, and what happens in between.
    var chance = SeededGenerator(seed: 0)
    /// What devices have accessed lately, where that counts.
    var recent: [DeviceTransaction] = []
    /// Whether a CMD_ATC_INV since the last CMD_SYNC had no answer.
    var hasLostInvalidation = false
    var entries: [UInt32: StreamTableEntry] = [:]
    var descriptors: [UInt64: StreamTableDescriptor] = [:]
    var contexts: [ContextPlace: ContextDescriptor] = [:]
    var translations = CachedTranslations()
    /// The table of stage 2 that a VMID was last seen with, and its shape.
    var tables: [UInt16: [UInt64]] = [:]
    /// What devices keep of the answers to their requests: pages, by stream.
    var deviceTranslations: [UInt32: [UInt64: UInt64]] = [:]
    var stalled: [UInt16: DeviceTransaction] = [:]
    var inFlight: [InFlight] = []
    /// Whether a CPU stored to a descriptor of which something is kept.
    var hasTouchedTables = false
    /// So many more commands until one stops the queue.
    var commandsToError: UInt64?
    var injectedError = SMMUCommandError.none
    /// So many more commands until none ends any more.
    var commandsToHang: UInt64?
  }

  /// What it implements.
  package let configuration: SMMUConfiguration
  /// The physical address of its first page of registers.
  package let base: UInt64
  /// The memory of the board.
  package let memory: PhysicalMemory
  /// What it remembers; assigning a kept one goes back to it.
  package var state = State()
  /// When it makes progress by itself.
  package var pace = Pace.instant
  /// Whether it does nothing at all any more: no command, no acknowledgement.
  package var isFrozen = false
  /// Physical addresses where an access is aborted.
  package var holes: [Range<UInt64>] = []
  /// What software did that it must not.
  package var faults: [SMMUSoftwareFault] = []
  /// Every access to memory, while `recordsAccesses` is set.
  package var accesses: [SMMUAccess] = []
  /// Whether `accesses` grows.
  package var recordsAccesses = false
  /// Called before each access to memory.
  package var onAccess: ((SMMUAccess) -> Void)?
  /// What stands at an address instead of memory: gets the access and what is written, and returns what
  /// is read; nil where there is memory.
  package var onTransfer: ((SMMUAccess, UInt64?) -> UInt64?)?
  /// Called with each command before it is carried out.
  package var onCommand: ((SMMUCommand) -> Void)?
  /// The interrupts that were signalled, in order; tests may clear it.
  package var interrupts: [Interrupt] = []
  /// What devices heard of transactions that had stalled, in order.
  package var resumed: [DeviceResponse] = []
  /// How many commands have been carried out.
  package var completedCommands: UInt64 = 0

  /// Makes one that has just been reset.
  ///
  /// It listens to the stores to `memory`, and passes them on to whoever listened before.
  package init(
    _ configuration: SMMUConfiguration = SMMUConfiguration(), base: UInt64 = 0x905_0000,
    memory: PhysicalMemory = PhysicalMemory()
  ) {
    self.configuration = configuration
    self.base = base
    self.memory = memory
    state.bypass = configuration.resetBypass
    if case .anyOrder(let seed) = configuration.invalidation {
      state.chance = SeededGenerator(seed: seed)
    }
    if let preset = configuration.presetQueues {
      state.commandBase = preset.command
      state.eventBase = preset.event
    }
    if let preset = configuration.presetTable {
      state.streamBase = preset.base
      state.streamShape = preset.shape
    }
    let earlier = memory.onStore
    memory.onStore = { [weak self] address, size in
      earlier?(address, size)
      self?.noticeStore(address, size)
    }
  }

  /// Stops at the command that follows `count` more, with `error`; nil undoes it.
  package func failCommand(after count: UInt64?, _ error: SMMUCommandError = .none) {
    state.commandsToError = count
    state.injectedError = error
  }

  /// Never ends the command that follows `count` more, nor any later one; nil undoes it.
  package func hang(after count: UInt64?) { state.commandsToHang = count }

  // MARK: Progress

  /// Whether there is nothing that a step would do.
  package var isIdle: Bool { isFrozen || (!canConsume && !isAcknowledging) }

  private var isAcknowledging: Bool {
    state.stepsToControl > 0 || state.stepsToBypass > 0 || state.stepsToInterrupts > 0
  }

  /// One step of hardware: at most one command.
  ///
  /// False where there was nothing to do.
  @discardableResult
  package func step() -> Bool {
    guard !isFrozen else { return false }
    checkTables()
    let acknowledges = isAcknowledging
    if acknowledges { acknowledge() }
    return consume() || acknowledges
  }

  /// Steps until there is nothing to do; returns how many.
  @discardableResult
  package func run(limit: Int = .max) -> Int {
    var steps = 0
    while steps < limit, step() { steps += 1 }
    return steps
  }

  private func acknowledge() {
    if state.stepsToControl > 0 {
      state.stepsToControl -= 1
      if state.stepsToControl == 0 { state.controlAcknowledged = state.control }
    }
    if state.stepsToInterrupts > 0 {
      state.stepsToInterrupts -= 1
      if state.stepsToInterrupts == 0 { state.interruptsAcknowledged = state.interrupts }
    }
    if state.stepsToBypass > 0 {
      state.stepsToBypass -= 1
      if state.stepsToBypass == 0 { finishBypass() }
    }
  }

  // MARK: Memory

  /// Whether `size` bytes from `address` are where something answers.
  func answers(_ address: UInt64, _ size: UInt64) -> Bool {
    guard address <= UInt64.ones(configuration.outputSize.bits) else { return false }
    return !holes.contains { $0.overlaps(address..<address + size) }
  }

  func record(_ access: SMMUAccess) {
    onAccess?(access)
    if recordsAccesses { accesses.append(access) }
  }

  /// Who it is for memory, where the attributes are these.
  func observer(inner: UInt64, outer: UInt64, shareability: UInt64) -> PhysicalMemory.Observer {
    configuration.isCoherent && inner != 0 && outer != 0 && shareability >= 2
      ? .coherentDevice : .nonCoherentDevice
  }

  /// How it sees its queues and its tables, from SMMU_CR1.
  func observer(ofTables: Bool) -> PhysicalMemory.Observer {
    let bits = UInt64(state.control1) >> (ofTables ? 6 : 0)
    return observer(
      inner: bits.field(1, 0), outer: bits.field(3, 2), shareability: bits.field(5, 4))
  }

  /// Reads a doubleword for its own purposes; nil for an external abort.
  func readWord(
    _ use: SMMUAccess.Use, _ address: UInt64, _ observer: PhysicalMemory.Observer
  ) -> UInt64? {
    guard answers(address, 8) else { return nil }
    record(SMMUAccess(use, address))
    return memory.load(.double, at: address & ~7, by: observer)
  }

  /// Writes for its own purposes; false for an external abort.
  @discardableResult
  func write(
    _ use: SMMUAccess.Use, _ width: AccessWidth, _ value: UInt64, _ address: UInt64,
    _ observer: PhysicalMemory.Observer
  ) -> Bool {
    guard answers(address, width.bytes) else { return false }
    let access = SMMUAccess(use, address, size: width.bytes, isWritten: true)
    record(access)
    if onTransfer?(access, value) == nil {
      memory.store(width, value, at: address, by: observer)
    }
    return true
  }
}
