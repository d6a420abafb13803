// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
@testable import Specification

/// What EL2 did in a trap of an SMMU that the host sees, or while pages change their owner.
package enum SMMUObservation: Sendable {
  /// It asked for a page of the host to be held.
  case held(PageRange, isGranted: Bool)
  /// It let pages go.
  case released(PageRange)
  /// It loaded a doubleword of the host's memory; nil for an abort.
  case loaded(UInt64, value: UInt64?)
  /// It stored a doubleword to the host's memory; false for an abort.
  case stored(UInt64, UInt64, isDone: Bool)
  /// It looked for the first of these streams that may have an entry of its own.
  case searched(from: UInt64, end: UInt64, found: UInt64?)
  /// It is done with the rule of a stream; false where there is no memory for its entry.
  case ruled(StreamID, hasMemory: Bool)
  /// It took an event of the hardware.
  case took(SMMUEvent)
  /// So many events were lost before the host's queue.
  case lost(UInt64)
  /// The hardware was told of these commands, when its stream table held these entries.
  case published([SMMUCommand], [HeldEntry])
  /// The hardware has consumed all that it was told of, as EL2 reads.
  case confirmed
  /// EL2 may not look any longer whether it has.
  case gaveUp
  /// It had stopped at a command, and goes on.
  ///
  /// The place, among what it was told of, SYNCs left out, of a command that was replaced; nil where it is tried again.
  case stopped(replaced: Int?)
}

/// A stream, and its entry in the hardware's stream table.
package struct HeldEntry: Sendable {
  /// The stream.
  let stream: StreamID
  /// Its entry; all zero where there is none.
  let entry: StreamTableEntry
}

/// Takes note of what EL2 does for one SMMU.
package protocol SMMUWitness {
  /// Takes note of one thing.
  func note(_ observation: SMMUObservation)
}

/// The hardware's command queue and stream table, as EL2 has them in memory.
package struct HardwareTables<Memory: ComparedMemory> {
  private let memory: Memory
  private let queue: SMMUQueueBase
  private let table: StreamTableBase
  private let shape: StreamTableShape
  /// Where EL2 has told the hardware that the last command is.
  private var told = SMMUQueuePointer(rawValue: 0)
  /// What the hardware was told of, and is not known to have consumed.
  private var commands: [SMMUCommand] = []

  /// Takes them from the hardware's registers.
  package init(_ memory: Memory, register: (SMMURegister) -> UInt64) {
    self.memory = memory
    queue = SMMUQueueBase(rawValue: register(.commandQueueBase))
    table = StreamTableBase(rawValue: register(.streamTableBase))
    let word = UInt32(truncatingIfNeeded: register(.streamTableBaseConfiguration))
    shape = StreamTableShape(rawValue: word)
    let position = UInt32(truncatingIfNeeded: register(.commandQueueProduced))
    told = SMMUQueuePointer(rawValue: position)
  }

  /// The log2 of the streams that the table has entries for.
  package var streamIDBits: UInt64 { shape.log2 }

  /// EL2 tells the hardware how far it has appended; the commands are read before the hardware may.
  package mutating func publish(_ value: UInt64) -> SMMUObservation {
    let produced = SMMUQueuePointer(rawValue: UInt32(truncatingIfNeeded: value))
    let lap: UInt64 = 1 << queue.log2
    let count = UInt64(produced.position &- told.position) & (lap << 1 &- 1)
    let earlier = commands.count
    for _ in 0..<count {
      let place = queue.base + UInt64(told.index(log2: queue.log2)) * SMMUCommand.size
      commands.append(SMMUCommand(memory.word(at: place), memory.word(at: place + 8)))
      told = told.advanced(log2: queue.log2)
    }
    let new = Array(commands[earlier...])
    return .published(new, entries(of: new))
  }

  /// Whether the hardware was told of commands that it is not known to have consumed.
  package var isWaiting: Bool { !commands.isEmpty }

  /// Whether EL2 has to wait for room for a batch.
  package var isFull: Bool {
    let places: UInt64 = 1 << queue.log2
    return places < UInt64(commands.count) + min(64, places - 2) + 1
  }

  /// Whether it is news that the hardware, which says that it is at `value`, has consumed all that it was told of.
  package mutating func confirm(_ value: UInt64) -> Bool {
    let place = SMMUQueuePointer(rawValue: UInt32(truncatingIfNeeded: value))
    guard isWaiting, told.isEmpty(consumed: place, log2: queue.log2) else { return false }
    commands = []
    return true
  }

  /// EL2 has the hardware, which has stopped at `value`, go on: in place of an illegal command is a SYNC.
  package mutating func resume(_ value: UInt64) -> SMMUObservation {
    let place = SMMUQueuePointer(rawValue: UInt32(truncatingIfNeeded: value))
    let left = UInt64(told.position &- place.position) & (1 << (queue.log2 + 1) &- 1)
    let index = commands.count - Int(left)
    guard place.error == .illegal, commands.indices.contains(index),
      commands[index] != .synchronise
    else { return .stopped(replaced: nil) }
    commands[index] = .synchronise
    return .stopped(replaced: commands[..<index].count { $0 != .synchronise })
  }

  /// The entries that commands are about.
  private func entries(of commands: [SMMUCommand]) -> [HeldEntry] {
    if commands.contains(.invalidateConfiguration) { return entries() }
    return commands.filter { $0.opcode == .invalidateEntry }.map { entry(of: $0.stream) }
  }

  /// All entries.
  package func entries() -> [HeldEntry] {
    (0..<UInt32(1) << UInt32(shape.log2)).map { entry(of: StreamID($0)) }
  }

  /// What a device may do with a page by a stage 2, whose table has pages of 4 KiB; nil where it comes to another page.
  func reach(_ page: PageFrameNumber, table: UInt64, control: UInt64) -> Reach? {
    // T0SZ, and SL0
    guard page.address.rawValue >> (64 - control & 0x3f) == 0 else { return .nothing }
    var level = 2 - (control >> 6 & 0b11)
    var table = table
    var index = page.rawValue >> (9 * (3 - level))
    while true {
      let word = memory.word(at: table + index * 8)
      guard word & 1 != 0 else { return .nothing }
      if level == 3 || word & 0b10 == 0 {
        let offset: UInt64 = 1 << (12 + 9 * (3 - level)) - 1
        let first = page.address.rawValue & ~offset
        guard word & 0xffff_ffff_f000 == first else { return nil }
        // S2AP
        let reaches: [Reach?] = [.nothing, nil, .writes, .everything]
        return reaches[Int(word >> 6 & 0b11)]
      }
      table = word & 0xffff_ffff_f000
      level += 1
      index = page.rawValue >> (9 * (3 - level)) & 511
    }
  }

  /// The entry of a stream.
  package func entry(of stream: StreamID) -> HeldEntry {
    let number = UInt64(stream.rawValue)
    guard number >> shape.log2 == 0 else { return HeldEntry(stream: stream, entry: .init()) }
    var place = table.base + number * StreamTableEntry.size
    if shape.isTwoLevel == true {
      let split = UInt64(shape.split?.rawValue ?? 6)
      let word = memory.word(at: table.base + (number >> split) * StreamTableDescriptor.size)
      let descriptor = StreamTableDescriptor(rawValue: word)
      let index = number & (1 << split - 1)
      guard let log2 = descriptor.log2, index >> log2 == 0 else {
        return HeldEntry(stream: stream, entry: .init())
      }
      place = descriptor.table + index * StreamTableEntry.size
    }
    func word(_ index: UInt64) -> UInt64 { memory.word(at: place + index * 8) }
    let entry = StreamTableEntry(
      word(0), word(1), word(2), word(3), word(4), word(5), word(6), word(7))
    return HeldEntry(stream: stream, entry: entry)
  }
}

// In words, for where nothing can tell them by itself.

extension SMMUObservation: CustomStringConvertible {
  package var description: String {
    switch self {
    case .held(let page, let isGranted):
      "held \(hex(page.first.address.rawValue))\(isGranted ? "" : ": refused")"
    case .released(let page): "let go of \(hex(page.first.address.rawValue))"
    case .loaded(let address, let value):
      "loaded \(hex(address)): \(value.map(hex) ?? "an abort")"
    case .stored(let address, let value, let isDone):
      "stored \(hex(value)) at \(hex(address))\(isDone ? "" : ": an abort")"
    case .searched(let first, let end, let found):
      "searched streams \(first) to \(end): \(found.map { "\($0)" } ?? "none")"
    case .ruled(let stream, let hasMemory):
      "stream \(stream.rawValue) is done\(hasMemory ? "" : ": no memory")"
    case .took(let event): "took an event \(hex(event.word0))"
    case .lost(let count): "lost \(count) events"
    case .published(let commands, _): "told of " + commands.names
    case .confirmed: "confirmed"
    case .gaveUp: "waited long enough"
    case .stopped(let place): "goes on\(place.map { ", without command \($0)" } ?? "")"
    }
  }
}

extension SMMUCommand {
  /// Its name and its doublewords.
  fileprivate var words: String {
    let name = opcode.map { "\($0.name) " } ?? ""
    return name + hex(word0) + " " + hex(word1)
  }
}

extension [SMMUCommand] {
  /// Their names and doublewords.
  var names: String { isEmpty ? "nothing" : map { $0.words }.joined(separator: ", ") }
}
