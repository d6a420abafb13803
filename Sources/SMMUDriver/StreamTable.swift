// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// The stream table of an SMMU: for every stream that may reach anything the same entry, and for any other
/// one that aborts (IHI 0070, 3.3 and 5.1).
///
/// ```text
///   few streams, or one level alone      two levels of 64 streams each
///
///   ┌─ entry of stream 0 ─┐              ┌─ 0 … 63 ───┐──▶ all the same ◀─┐
///   ├─ entry of stream 1 ─┤              ├─ 64 … 127 ─┤───────────────────┘
///   ├─ …                  ┤              ├─ …         ┤──▶ some of them: a table of its own
///   └─────────────────────┘              └────────────┘──▶ none of them: all abort
/// ```
///
/// Since entries do not depend on their stream, one second level serves all streams that may reach anything,
/// however many. Beyond the table a stream aborts, and its event says so.
struct StreamTable: Sendable {
  let base: StreamTableBase
  let shape: StreamTableShape

  /// Writes a table; nil where the arena is too small for it.
  static func make<Memory: BusMemory>(
    _ entry: StreamTableEntry, for streams: PermittedStreams, idBits: UInt64, hasTwoLevels: Bool,
    needsTwoLevels: Bool = false, _ arena: inout SMMUArena, _ memory: Memory
  ) -> StreamTable? {
    let needed = UInt64(32 - (streams.last?.rawValue ?? 0).leadingZeroBitCount)
    let log2 = min(idBits, needed)
    if needsTwoLevels { return twoLevel(entry, streams, log2, &arena, memory) }
    guard hasTwoLevels, log2 > splitLog2 else {
      return linear(entry, streams, log2, &arena, memory)
    }
    return twoLevel(entry, streams, log2, &arena, memory)
  }

  /// log2 of the streams behind one descriptor, whose table is then one page.
  static var splitLog2: UInt64 { 6 }

  private static func linear<Memory: BusMemory>(
    _ entry: StreamTableEntry, _ streams: PermittedStreams, _ log2: UInt64,
    _ arena: inout SMMUArena, _ memory: Memory
  ) -> StreamTable? {
    guard let table = arena.take(StreamTableEntry.size << log2, memory) else { return nil }
    fill(table, from: 0, count: 1 << log2, entry, streams, memory)
    return StreamTable(
      base: StreamTableBase(base: table.rawValue, allocates: true), shape: .linear(log2: log2))
  }

  private static func twoLevel<Memory: BusMemory>(
    _ entry: StreamTableEntry, _ streams: PermittedStreams, _ log2: UInt64,
    _ arena: inout SMMUArena, _ memory: Memory
  ) -> StreamTable? {
    // Fewer streams than one table has are behind one descriptor.
    let descriptors: UInt64 = log2 > splitLog2 ? 1 << (log2 - splitLog2) : 1
    // A table of less than 64 bytes is aligned to 64.
    guard let first = arena.take(max(descriptors * StreamTableDescriptor.size, 64), memory) else {
      return nil
    }
    var allowing: PhysicalAddress?
    var denying: PhysicalAddress?
    for index in 0..<descriptors {
      let start = UInt32(truncatingIfNeeded: index << splitLog2)
      let share = streams.share(of: StreamID(start)...StreamID(start | 63))
      let known: PhysicalAddress? =
        switch share {
        case .everybody: allowing
        case .nobody: denying
        case .part: nil
        }
      let table: PhysicalAddress
      if let known {
        table = known
      } else {
        guard let new = arena.take(StreamTableEntry.size << splitLog2, memory) else { return nil }
        fill(new, from: start, count: 1 << splitLog2, entry, streams, memory)
        table = new
      }
      switch share {
      case .everybody: allowing = table
      case .nobody: denying = table
      case .part: break
      }
      let descriptor = StreamTableDescriptor(table: table.rawValue, log2: splitLog2)
      memory.store(
        descriptor.rawValue.littleEndian,
        at: PhysicalAddress(first.rawValue + index * StreamTableDescriptor.size))
    }
    return StreamTable(
      base: StreamTableBase(base: first.rawValue, allocates: true),
      shape: .twoLevel(log2: log2, .kib4))
  }

  private static func fill<Memory: BusMemory>(
    _ table: PhysicalAddress, from first: UInt32, count: UInt64, _ entry: StreamTableEntry,
    _ streams: PermittedStreams, _ memory: Memory
  ) {
    for index in 0..<count {
      let stream = StreamID(first | UInt32(truncatingIfNeeded: index))
      // One that is not valid has its transactions recorded, which one that aborts has not.
      let words = (streams.contains(stream) ? entry : StreamTableEntry()).words
      let place = table.rawValue + index * StreamTableEntry.size
      for word in 0..<8 {
        memory.store(words[word].littleEndian, at: PhysicalAddress(place + UInt64(word) * 8))
      }
    }
  }
}
