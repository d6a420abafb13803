// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

/// One ITS: its registers, its queue, and the tables in memory that it reads and writes.
package final class SimulatedITS {
  /// When hardware makes progress by itself.
  package enum Pace: Hashable, Sendable {
    /// A register write returns when all there is to do is done.
    case instant
    /// So many steps before each register access.
    case steps(Int)
    /// Only in `step` and `run`.
    case manual
  }

  /// A command on its way from the queue.
  struct Fetched: Hashable, Sendable {
    var offset: UInt64
    /// How many doublewords have been read.
    var count: UInt64 = 0
    var words = TableEntry()

    var isWhole: Bool { count == 4 }
    var command: ITSCommand { ITSCommand(words.word0, words.word1, words.word2, words.word3) }

    mutating func append(_ word: UInt64) {
      switch count {
      case 0: words.word0 = word
      case 1: words.word1 = word
      case 2: words.word2 = word
      default: words.word3 = word
      }
      count += 1
    }
  }

  /// The place of an entry that the ITS may keep.
  struct EntryPlace: Hashable, Sendable {
    var kind: TableKind
    var id: UInt32
  }

  struct FirstLevelPlace: Hashable, Sendable {
    var kind: TableKind
    var index: UInt64
  }

  struct KeptEntry: Hashable, Sendable {
    var entry: TableEntry
    var isDirty: Bool
  }

  /// Memory that was unmapped and that may still be written until a SYNC.
  struct Lingering: Hashable, Sendable {
    var range: MemoryReach
    /// The Redistributors whose SYNC is awaited, one bit each.
    var redistributors: UInt64
    /// The vPE whose VSYNC will do as well.
    var vpe: UInt16?
  }

  /// What the ITS remembers.
  package struct State: Hashable, Sendable {
    var isEnabled = false
    var stepsToQuiescence: UInt64 = 0
    var commandBase: UInt64 = 0
    var writePointer: UInt64 = 0
    var readPointer: UInt64 = 0
    var isStalled = false
    var tableBases: [UInt64]
    var fetched: [Fetched] = []
    var heldCollections: [UInt16: TableEntry] = [:]
    var entries: [EntryPlace: KeptEntry] = [:]
    var firstLevels: [FirstLevelPlace: UInt64] = [:]
    /// The collections that the events of a device have had since it was mapped.
    var deviceCollections: [UInt32: Set<UInt16>] = [:]
    /// The Redistributor that a collection has, as one bit.
    var collectionTarget: [UInt16: UInt64] = [:]
    /// The Redistributors that a collection has, or has had with no SYNC since, one bit each.
    var collectionTargets: [UInt16: UInt64] = [:]
    var lingering: [Lingering] = []
    /// Whether its power was lost since it was enabled last.
    var isUnpowered = false
    /// So many more commands until one stalls.
    var commandsToStall: UInt64?
    /// So many more commands until none ends any more.
    var commandsToHang: UInt64?
  }

  unowned let gic: SimulatedGIC
  /// Its place in `SimulatedGIC.services`.
  package let index: Int
  /// The physical address of its control frame.
  package let base: UInt64
  /// What it implements.
  package let configuration: ITSConfiguration
  /// What it remembers.
  package var state: State
  /// When it makes progress by itself.
  package var pace = Pace.instant
  /// Why the last command that failed did.
  package var lastError: CommandError?
  /// How many commands have been carried out, the failed ones not among them.
  package var completedCommands: UInt64 = 0
  /// How many commands have failed.
  package var failedCommands: UInt64 = 0
  /// Called with each command, before it is carried out.
  package var onCommand: ((ITSCommand) -> Void)?

  /// GITS_TYPER.
  package let typer: GITSTyper

  init(gic: SimulatedGIC, index: Int, base: UInt64, configuration: ITSConfiguration) {
    self.gic = gic
    self.index = index
    self.base = base
    self.configuration = configuration
    typer = configuration.typer
    precondition(
      configuration.tables.allSatisfy { configuration.entrySize($0) % 8 == 0 }
        && [8, 12, 16].contains(configuration.translationEntrySize)
        && (configuration.version == .gicv3 || configuration.translationEntrySize > 8),
      "entry sizes")
    state = State(tableBases: Array(repeating: 0, count: 8))
    for number in configuration.tables.indices {
      state.tableBases[number] = tableBaseAtReset(number).rawValue
    }
  }

  /// The bytes of its frames: control, translation, and with GICv4.1 the one of virtual SGIs.
  package var size: UInt64 { configuration.version >= .gicv41 ? 0x3_0000 : 0x2_0000 }

  /// Stalls at the command that follows `count` more.
  package func stall(after count: UInt64) { state.commandsToStall = count }
  /// Never ends the command that follows `count` more, nor any later one; nil undoes it.
  package func hang(after count: UInt64?) { state.commandsToHang = count }

  /// Whether there is nothing that a step would do.
  package var isIdle: Bool { (!canFetch || isWaiting) && !canQuiesce }

  private var hasHung: Bool { state.commandsToHang == 0 }
  private var canQuiesce: Bool { !state.isEnabled && state.stepsToQuiescence > 0 && !hasHung }
  private var canFetch: Bool {
    state.isEnabled && !state.isStalled && !hasHung && commandBase.isValid
      && state.readPointer != state.writePointer
  }

  var commandBase: GITSCommandBase { GITSCommandBase(rawValue: state.commandBase) }

  /// One step of hardware: at most one command.
  ///
  /// False where there was nothing to do.
  @discardableResult
  package func step() -> Bool {
    if canQuiesce {
      state.stepsToQuiescence -= 1
      if state.stepsToQuiescence == 0 { becomeQuiescent() }
      return true
    }
    guard canFetch else { return false }
    fetch()
    guard let next = state.fetched.first, next.isWhole else { return true }
    let command = next.command
    guard !awaitsOthers(command) else { return false }
    if state.commandsToHang != nil { state.commandsToHang? -= 1 }
    do throws(CommandError) {
      if let left = state.commandsToStall {
        state.commandsToStall = left == 0 ? nil : left - 1
        if left == 0 { throw .injected }
      }
      onCommand?(command)
      try execute(command)
      gic.memory.tableLog?.complete(command, self)
      completedCommands += 1
    } catch {
      lastError = error
      failedCommands += 1
      if configuration.errorResponse == .stall || error == .injected {
        state.isStalled = true
        state.fetched = []
        return true
      }
    }
    state.fetched.removeFirst()
    state.readPointer = following(state.readPointer)
    return true
  }

  /// Steps until there is nothing to do; returns how many.
  @discardableResult
  package func run(limit: Int = .max) -> Int {
    var steps = 0
    while steps < limit, step() { steps += 1 }
    return steps
  }

  private func following(_ offset: UInt64) -> UInt64 {
    let next = offset + ITSCommand.size
    // A pointer past the end is software's fault; then the ITS reads on until it gets there.
    return next == commandBase.size && state.writePointer < commandBase.size ? 0 : next & 0xf_ffe0
  }

  private func fetch() {
    if state.fetched.isEmpty { state.fetched.append(Fetched(offset: state.readPointer)) }
    fetchWords(into: 0)
    var position = 1
    while position <= configuration.commandsFetchedAhead,
      state.fetched[position - 1].isWhole
    {
      if position == state.fetched.count {
        let offset = following(state.fetched[position - 1].offset)
        guard offset != state.writePointer else { return }
        state.fetched.append(Fetched(offset: offset))
      }
      fetchWords(into: position)
      position += 1
    }
  }

  private func fetchWords(into position: Int) {
    var command = state.fetched[position]
    while !command.isWhole {
      let address = commandBase.base + command.offset + command.count * 8
      command.append(readWord(address, .queue, observer(commandBase.attributes)))
      state.fetched[position] = command
      if configuration.fetchesByDoubleword { return }
    }
  }

  /// The slots that the ITS may still read.
  package var unreadSlots: [MemoryReach] {
    guard commandBase.isValid, state.readPointer != state.writePointer else { return [] }
    func slots(_ from: UInt64, _ to: UInt64) -> MemoryReach {
      MemoryReach(use: .queue, base: commandBase.base + from, size: to - from, isWritten: false)
    }
    if state.readPointer < state.writePointer {
      return [slots(state.readPointer, state.writePointer)]
    }
    let first = slots(state.readPointer, max(commandBase.size, state.readPointer + 32))
    return state.writePointer == 0 ? [first] : [first, slots(0, state.writePointer)]
  }

  /// Called for each CPU store: a slot that the ITS may read must not change.
  func checkStore(_ address: UInt64, _ size: UInt64) {
    guard commandBase.isValid, state.readPointer != state.writePointer, !state.isStalled,
      address &- commandBase.base < commandBase.size
    else { return }
    for slots in unreadSlots where slots.contains(address) {
      gic.faults.append(.unreadSlotChanged(offset: address - commandBase.base))
    }
  }

  // MARK: Memory

  func observer(_ attributes: UInt64) -> PhysicalMemory.Observer {
    configuration.isCoherent && MemoryAttributes.isCoherent(attributes)
      ? .coherentDevice : .nonCoherentDevice
  }

  /// How it sees ITTs and the tables of vPEs, whose attributes no register has.
  var plainObserver: PhysicalMemory.Observer {
    configuration.isCoherent ? .coherentDevice : .nonCoherentDevice
  }

  func readWord(_ address: UInt64, _ use: MemoryUse, _ observer: PhysicalMemory.Observer)
    -> UInt64
  {
    gic.record(index, use, address, 8, isWritten: false)
    return gic.memory.load(.double, at: address, by: observer)
  }

  func writeWord(
    _ value: UInt64, _ address: UInt64, _ use: MemoryUse, _ observer: PhysicalMemory.Observer
  ) {
    gic.record(index, use, address, 8, isWritten: true)
    gic.memory.store(.double, value, at: address, by: observer)
  }
}
