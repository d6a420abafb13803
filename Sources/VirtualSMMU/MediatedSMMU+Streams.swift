// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU
internal import SMMUDriver

// Reading the host's stream table (IHI 0070, 3.3 and 5.1): only when a command or SMMUEN says so, each word
// once, into a private copy. The page is held while it is read, and not longer.

extension MediatedSMMU {
  /// Goes on with the streams that are to be read; whether all of them were.
  mutating func finishScan<Machine: VirtualSMMUMachine & ~Copyable>(
    _ budget: inout UInt64, _ machine: borrowing Machine
  ) -> Bool {
    guard var scan else { return true }
    var first = HostWindow()
    var second = HostWindow()
    let count = min(scan.end, streamCount)
    // A stream may take a descriptor and an entry.
    let most: UInt64 = streamShape.isTwoLevel == true ? 2 : 1
    while scan.next < count, budget >= most, !isBroken {
      scan.next = readStreams(scan.next, count, scan.purpose, &budget, &first, &second, machine)
    }
    first.close(&pins, machine)
    second.close(&pins, machine)
    guard !isBroken else {
      self.scan = nil
      return false
    }
    guard scan.next >= count else {
      self.scan = scan
      return false
    }
    self.scan = nil
    switch scan.purpose {
    case .enabling:
      guard machine.activate(.individual) else {
        breakDown()
        return false
      }
      acknowledge(.translates, control)
    case .command: finishCommand()
    }
    return true
  }

  /// How many streams the host's table has entries for, and may have.
  private var streamCount: UInt64 { 1 << min(streamShape.log2, offered.streamLog2) }

  /// Reads the entry of a stream, or finds that it has none; the first stream that was not read.
  private mutating func readStreams<Machine: VirtualSMMUMachine & ~Copyable>(
    _ stream: UInt64, _ end: UInt64, _ purpose: StreamScan.Purpose, _ budget: inout UInt64,
    _ first: inout HostWindow, _ second: inout HostWindow, _ machine: borrowing Machine
  ) -> UInt64 {
    budget -= 1
    let place: UInt64
    if streamShape.isTwoLevel == true {
      let split = UInt64(streamShape.split?.rawValue ?? 6)
      // The last stream behind the same descriptor.
      let last = min(stream | (1 << split - 1), end - 1)
      guard let descriptor = descriptor(stream >> split, split, &first, machine) else {
        return clear(stream, last, purpose, machine)
      }
      guard let log2 = descriptor.log2, log2 <= split else {
        if descriptor.span != 0 { refuse(.span, stream: Self.id(stream)) }
        return clear(stream, last, purpose, machine)
      }
      let index = stream & (1 << split - 1)
      guard index >> log2 == 0 else { return clear(stream, last, purpose, machine) }
      budget -= 1
      let table = descriptor.table & ~(StreamTableEntry.size << log2 &- 1)
      place = table &+ index &* StreamTableEntry.size
    } else {
      let table =
        streamBase.base & ~(StreamTableEntry.size << min(streamShape.log2, 40) &- 1)
      place = table &+ stream &* StreamTableEntry.size
    }
    guard second.open(place, &pins, machine), let entry = entry(at: place, machine) else {
      refuse(.unreadableEntry, stream: Self.id(stream))
      set(stream, .invalid, machine)
      return stream + 1
    }
    counters.entries &+= 1
    switch EntryRule(entry, offered) {
    case .rule(let rule): set(stream, rule, machine)
    case .refused(let reason):
      refuse(reason, stream: Self.id(stream))
      set(stream, .invalid, machine)
    }
    return stream + 1
  }

  /// Sees to it that the next loads are of memory, where the host writes its table past the caches.
  private mutating func refreshTable<Machine: VirtualSMMUMachine & ~Copyable>(
    _ place: UInt64, _ size: UInt64, _ machine: borrowing Machine
  ) {
    guard !SMMUCR1(rawValue: control1).hasCoherentTables else { return }
    machine.memory.clean(PhysicalAddress(place), size: size)
  }

  private static func id(_ stream: UInt64) -> StreamID {
    StreamID(UInt32(truncatingIfNeeded: stream))
  }

  /// Reads a descriptor of the first level, once; nil where it is not the host's memory, or does not answer.
  private mutating func descriptor<Machine: VirtualSMMUMachine & ~Copyable>(
    _ index: UInt64, _ split: UInt64, _ window: inout HostWindow, _ machine: borrowing Machine
  ) -> StreamTableDescriptor? {
    let log2 = streamShape.log2
    let size: UInt64 = log2 > split ? max(64, 8 << min(log2 - split, 40)) : 64
    let place = streamBase.base & ~(size - 1) &+ index &* StreamTableDescriptor.size
    if window.open(place, &pins, machine) {
      refreshTable(place, StreamTableDescriptor.size, machine)
      if let word = machine.memory.tryLoad(PhysicalAddress(place)) {
        return StreamTableDescriptor(rawValue: UInt64(littleEndian: word))
      }
    }
    refuse(.unreadableEntry, stream: Self.id(index << split))
    return nil
  }

  /// Reads an entry, each word once; nil where memory does not answer.
  private mutating func entry<Machine: VirtualSMMUMachine & ~Copyable>(
    at place: UInt64, _ machine: borrowing Machine
  ) -> StreamTableEntry? {
    refreshTable(place, StreamTableEntry.size, machine)
    // What lies behind the second word is about a stage 2, and not read.
    guard let word0 = machine.memory.tryLoad(PhysicalAddress(place)),
      let word1 = machine.memory.tryLoad(PhysicalAddress(place &+ 8))
    else { return nil }
    return StreamTableEntry(UInt64(littleEndian: word0), UInt64(littleEndian: word1))
  }

  /// Has streams be invalid that have no entry; the first that this was not done for.
  private mutating func clear<Machine: VirtualSMMUMachine & ~Copyable>(
    _ stream: UInt64, _ last: UInt64, _ purpose: StreamScan.Purpose, _ machine: borrowing Machine
  ) -> UInt64 {
    // Before the SMMU is on, no stream has an entry that was not read.
    guard purpose == .command, let next = machine.nextStream(from: stream, upTo: last + 1) else {
      return last + 1
    }
    set(next, .invalid, machine)
    return next + 1
  }

  private mutating func set<Machine: VirtualSMMUMachine & ~Copyable>(
    _ stream: UInt64, _ rule: StreamRule, _ machine: borrowing Machine
  ) {
    switch machine.set(Self.id(stream), rule) {
    case .done: break
    case .notPermitted:
      // It is invalid, and so reaches as little as by an entry that aborts.
      if rule != .invalid, rule != .abort { refuse(.notPermitted, stream: Self.id(stream)) }
    case .outOfMemory: refuse(.outOfMemory, stream: Self.id(stream))
    case .notConfirmed: breakDown()
    }
  }
}
