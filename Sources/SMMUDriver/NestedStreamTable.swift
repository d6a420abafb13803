// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// The streams of an SMMU one by one, for a host that has a stage 1 of its own.
///
/// ```text
///   what the SMMU reads        a copy of one of
///   ┌─ 0 … 63 ───┐             all pass: as ``StreamTable`` has them
///   ├─ 64 … 127 ─┤  ◀────────  all abort: no tables
///   └─ …         ┘             individual: a table of 64 entries where the host has one, or none
/// ```
///
/// Tables are taken from the arena as streams get entries, and all of them are free when the streams go by
/// one rule again.
struct NestedStreamTable: Sendable {
  private let live: PhysicalAddress
  private let passing: PhysicalAddress
  private let individual: PhysicalAddress
  private let log2: UInt64
  private let empty: SMMUArena
  private var arena: SMMUArena
  private(set) var mode = StreamMode.pass
  /// The entry of stage 2 alone.
  let pass: StreamTableEntry
  private let streams: PermittedStreams

  private static var splitLog2: UInt64 { StreamTable.splitLog2 }
  private let descriptors: UInt64

  /// Takes over a table of two levels by which all streams pass; nil where the arena is too small.
  init?<Memory: BusMemory>(
    _ table: StreamTable, _ pass: StreamTableEntry, _ streams: PermittedStreams,
    _ arena: SMMUArena, _ memory: Memory
  ) {
    var arena = arena
    log2 = table.shape.log2
    descriptors = log2 > Self.splitLog2 ? 1 << (log2 - Self.splitLog2) : 1
    let size = max(descriptors * StreamTableDescriptor.size, 64)
    guard let passing = arena.take(size, memory), let individual = arena.take(size, memory) else {
      return nil
    }
    live = PhysicalAddress(table.base.base)
    self.passing = passing
    self.individual = individual
    empty = arena
    self.arena = arena
    self.pass = pass
    self.streams = streams
    for index in 0..<descriptors {
      memory.store(memory.load(place(index, in: live)), at: place(index, in: passing))
    }
  }

  private func place(_ index: UInt64, in table: PhysicalAddress) -> PhysicalAddress {
    PhysicalAddress(table.rawValue &+ index &* StreamTableDescriptor.size)
  }

  private func group(_ stream: StreamID) -> UInt64 { UInt64(stream.rawValue) >> Self.splitLog2 }

  /// Whether a stream may have a rule.
  func permits(_ stream: StreamID) -> Bool {
    UInt64(stream.rawValue) >> log2 == 0 && streams.contains(stream)
  }

  /// Whether the SMMU reads entries one by one.
  var isLive: Bool { mode == .individual }

  /// Where the entry of a stream is; nil where it has none of its own.
  func entry<Memory: BusMemory>(of stream: StreamID, _ memory: Memory) -> PhysicalAddress? {
    let descriptor = StreamTableDescriptor(
      rawValue: UInt64(littleEndian: memory.load(place(group(stream), in: individual))))
    guard descriptor.log2 != nil else { return nil }
    let index = UInt64(stream.rawValue) & (1 << Self.splitLog2 - 1)
    return PhysicalAddress(descriptor.table &+ index &* StreamTableEntry.size)
  }

  /// Gives a stream an entry, which is not valid; nil where there is no memory, or it has one.
  mutating func grow<Memory: BusMemory>(_ stream: StreamID, _ memory: Memory) -> PhysicalAddress? {
    guard let table = arena.take(StreamTableEntry.size << Self.splitLog2, memory) else {
      return nil
    }
    let descriptor = StreamTableDescriptor(table: table.rawValue, log2: Self.splitLog2)
    // The table is zero before a descriptor leads to it.
    memory.publishToDevices()
    let index = group(stream)
    memory.store(descriptor.rawValue.littleEndian, at: place(index, in: individual))
    if isLive { memory.store(descriptor.rawValue.littleEndian, at: place(index, in: live)) }
    return entry(of: stream, memory)
  }

  /// The first stream from `stream` on whose group has entries; nil where there is none up to `end`.
  func nextGroup<Memory: BusMemory>(
    from stream: UInt64, upTo end: UInt64, _ memory: Memory
  ) -> UInt64? {
    var index = stream >> Self.splitLog2
    let last = min(end, 1 << log2)
    while index << Self.splitLog2 < last {
      if memory.load(place(index, in: individual)) != 0 {
        return max(stream, index << Self.splitLog2)
      }
      index += 1
    }
    return nil
  }

  /// Has the SMMU go by something else, once it has forgotten what it has cached.
  mutating func activate<Memory: BusMemory>(_ new: StreamMode, _ memory: Memory) {
    for index in 0..<descriptors {
      let word: UInt64 =
        switch new {
        case .abort: 0
        case .pass: memory.load(place(index, in: passing))
        case .individual: memory.load(place(index, in: individual))
        }
      memory.store(word, at: place(index, in: live))
    }
    mode = new
  }

  /// Forgets all entries; the SMMU must not be able to read them any more.
  mutating func clear<Memory: BusMemory>(_ memory: Memory) {
    for index in 0..<descriptors { memory.store(0, at: place(index, in: individual)) }
    arena = empty
  }
}
