// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// The commands that an SMMU carries out: in EL2's memory, one page at most (IHI 0070, 3.5 and 4).
///
/// Nobody leaves before all that it has appended is consumed, so that the queue is empty between two calls,
/// unless an SMMU has not answered.
struct SMMUCommandQueue: Sendable {
  /// An invalidation and a SYNC are two commands; one place is to spare.
  static var leastLog2: UInt64 { 2 }
  /// 256 commands are a page.
  private static var mostLog2: UInt64 { 8 }

  let base: PhysicalAddress
  let log2: UInt64
  private(set) var produced = SMMUQueuePointer(rawValue: 0)

  /// Makes an empty queue of as many commands as there may be; nil where the arena is too small.
  init?<Memory: BusMemory>(most: UInt64, _ arena: inout SMMUArena, _ memory: Memory) {
    log2 = min(most, Self.mostLog2)
    guard let base = arena.take(SMMUCommand.size << log2, memory) else { return nil }
    self.base = base
  }

  /// SMMU_CMDQ_BASE.
  var register: SMMUQueueBase { SMMUQueueBase(base: base.rawValue, log2: log2, allocates: true) }

  /// The most commands that are appended before a SYNC.
  var batchLimit: UInt64 { min(64, (1 << log2) &- 2) }

  /// How many commands may be appended while the SMMU is at `consumed`.
  func freeCount(_ consumed: SMMUQueuePointer) -> UInt64 {
    let lap: UInt64 = 1 << log2
    let waiting = UInt64(produced.position &- consumed.position) & (lap << 1 &- 1)
    return waiting <= lap ? lap &- waiting : 0
  }

  /// Whether the SMMU, which is at `consumed`, has carried out everything.
  func isDone(_ consumed: SMMUQueuePointer) -> Bool {
    produced.isEmpty(consumed: consumed, log2: log2)
  }

  /// Appends a command; there is room.
  mutating func append<Memory: BusMemory>(_ command: SMMUCommand, _ memory: Memory) {
    put(command, at: produced, memory)
    produced = produced.advanced(log2: log2)
  }

  /// Writes a command where the SMMU has stopped.
  func replace<Memory: BusMemory>(
    _ place: SMMUQueuePointer, by command: SMMUCommand, _ memory: Memory
  ) {
    put(command, at: place, memory)
  }

  private func put<Memory: BusMemory>(
    _ command: SMMUCommand, at pointer: SMMUQueuePointer, _ memory: Memory
  ) {
    let place = base.rawValue &+ UInt64(pointer.index(log2: log2)) &* SMMUCommand.size
    memory.store(command.word0.littleEndian, at: PhysicalAddress(place))
    memory.store(command.word1.littleEndian, at: PhysicalAddress(place &+ 8))
  }
}
