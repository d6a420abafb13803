// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// The events that an SMMU records: in EL2's memory (IHI 0070, 3.5 and 7).
struct SMMUEventQueue: Sendable {
  /// 512 events are 16 KiB.
  private static var mostLog2: UInt64 { 9 }

  let base: PhysicalAddress
  let log2: UInt64
  /// Where EL2 is; bit [31] has acknowledged the last overflow.
  private var consumed = SMMUQueuePointer(rawValue: 0)

  /// Makes an empty queue of as many events as there may be; nil where the arena is too small.
  init?<Memory: BusMemory>(most: UInt64, _ arena: inout SMMUArena, _ memory: Memory) {
    log2 = min(most, Self.mostLog2)
    guard let base = arena.take(max(SMMUEvent.size << log2, 64), memory) else { return nil }
    self.base = base
  }

  /// SMMU_EVENTQ_BASE.
  var register: SMMUQueueBase { SMMUQueueBase(base: base.rawValue, log2: log2, allocates: true) }

  /// How many events wait, and whether some were lost since the last look because there was no room.
  mutating func look<Machine: SMMUMachine & ~Copyable>(
    _ port: SMMUPort, _ machine: borrowing Machine
  ) -> (waiting: UInt64, hasOverflown: Bool) {
    guard let produced = port.pointer(.eventQueueProduced, machine) else { return (0, false) }
    let lap: UInt64 = 1 << log2
    // One that claims to be more than full is read once around.
    let waiting = min(UInt64(produced.position &- consumed.position) & (lap << 1 &- 1), lap)
    let hasOverflown = produced.hasOverflowFlag != consumed.hasOverflowFlag
    consumed = at(consumed, acknowledged: produced.hasOverflowFlag)
    // The records are read after the index that says they are there.
    if waiting > 0 { machine.registers.orderAccesses() }
    return (waiting, hasOverflown)
  }

  /// Reads the event at hand, of those that wait.
  mutating func take<Memory: BusMemory>(_ memory: Memory) -> SMMUEvent {
    let place = base.rawValue &+ UInt64(consumed.index(log2: log2)) &* SMMUEvent.size
    let words = memory.load4(PhysicalAddress(place))
    consumed = at(consumed.advanced(log2: log2), acknowledged: consumed.hasOverflowFlag)
    return SMMUEvent(
      UInt64(littleEndian: words.0), UInt64(littleEndian: words.1),
      UInt64(littleEndian: words.2), UInt64(littleEndian: words.3))
  }

  /// Lets the SMMU have the places of what was taken, and acknowledges what was lost.
  func giveBack<Machine: SMMUMachine & ~Copyable>(
    _ port: SMMUPort, _ machine: borrowing Machine
  ) {
    // They are read before the SMMU may write over them.
    machine.registers.orderAccesses()
    // An SMMU that does not answer is seen to where it must.
    _ = port.put(.eventQueueConsumed, UInt64(consumed.rawValue), machine)
  }

  private func at(_ pointer: SMMUQueuePointer, acknowledged flag: Bool) -> SMMUQueuePointer {
    SMMUQueuePointer(rawValue: pointer.position | (flag ? 1 << 31 : 0))
  }
}
