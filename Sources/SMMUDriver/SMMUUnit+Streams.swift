// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

// Replacing the entry of a stream while its device works (IHI 0070, 3.21.3). All entries have the same stage
// 2, so that what changes is Config with the address of the contexts, in the first doubleword, and how the
// contexts are read, in the second, which counts for nothing while Config has no stage 1. A device so comes
// from one rule to the other at once, or with aborts in between, and never passes stage 2 by.

extension SMMUUnit {
  /// The entry for a rule.
  func entry(for rule: StreamRule, _ pass: StreamTableEntry) -> StreamTableEntry {
    var entry = pass
    switch rule {
    case .invalid: entry = StreamTableEntry()
    case .abort: entry.configure(.abort)
    case .pass: break
    case .stage1(let stage1):
      entry.configure(.nested)
      entry.contextTable = stage1.table
      entry.contextFormat = stage1.format
      entry.contextLog2 = stage1.log2
      entry.defaultSubstream = stage1.defaultSubstream
      entry.contextInner = stage1.inner
      entry.contextOuter = stage1.outer
      entry.contextShareability = stage1.shareability
      // Contexts are the host's and not looked at: one that asks for stalls is illegal then.
      entry.forbidsStalls = features.mayStall
    }
    return entry
  }

  /// Has a stream go by `rule`.
  mutating func set<Machine: SMMUMachine & ~Copyable>(
    _ stream: StreamID, _ rule: StreamRule, _ machine: borrowing Machine
  ) -> StreamUpdate {
    guard var nested = parts?.nested, nested.permits(stream) else { return .notPermitted }
    let memory = machine.memory
    var place = nested.entry(of: stream, memory)
    if place == nil {
      // What has no entry is invalid.
      if rule == .invalid { return .done }
      place = nested.grow(stream, memory)
      guard place != nil else { return .outOfMemory }
      parts?.nested = nested
      if nested.isLive {
        memory.publishToDevices()
        // That there was no table may be cached.
        guard carryOut(.invalidateEntry(stream, leaf: false), machine) else {
          return .notConfirmed
        }
      }
    }
    guard let place else { return .outOfMemory }
    let new = entry(for: rule, nested.pass)
    guard nested.isLive else {
      write(new, at: place, memory)
      return .done
    }
    return replace(stream, at: place, by: new, machine) ? .done : .notConfirmed
  }

  private func write<Memory: BusMemory>(
    _ entry: StreamTableEntry, at place: PhysicalAddress, _ memory: Memory
  ) {
    store(1, entry.word1, place, memory)
    store(2, entry.word2, place, memory)
    store(3, entry.word3, place, memory)
    store(0, entry.word0, place, memory)
  }

  private mutating func replace<Machine: SMMUMachine & ~Copyable>(
    _ stream: StreamID, at place: PhysicalAddress, by new: StreamTableEntry,
    _ machine: borrowing Machine
  ) -> Bool {
    let memory = machine.memory
    let oldWord0 = load(0, place, memory)
    let old = StreamTableEntry(oldWord0, load(1, place, memory))
    if new.isValid,
      !old.isValid || load(2, place, memory) != new.word2
        || load(3, place, memory) != new.word3
    {
      // Nothing of an entry counts but that it is not valid.
      store(1, new.word1, place, memory)
      store(2, new.word2, place, memory)
      store(3, new.word3, place, memory)
      return forget(stream, machine) && publish(new.word0, stream, place, machine)
    }
    guard new.isValid, old.word1 != new.word1 else {
      if oldWord0 != new.word0 { return publish(new.word0, stream, place, machine) }
      // The host's command is about the contexts as well, and these it may have changed (IHI 0070, 4.3.1).
      return new.configuration?.hasStage1 != true || forget(stream, machine)
    }
    // Both have a stage 1, or one has: the second doubleword changes while there is none.
    if old.configuration?.hasStage1 == true {
      var between = StreamTableEntry(new.word0)
      if new.configuration?.hasStage1 == true { between.configure(.abort) }
      guard publish(between.word0, stream, place, machine) else { return false }
    }
    store(1, new.word1, place, memory)
    guard forget(stream, machine) else { return false }
    return load(0, place, memory) == new.word0 || publish(new.word0, stream, place, machine)
  }

  private func load<Memory: BusMemory>(
    _ index: UInt64, _ place: PhysicalAddress, _ memory: Memory
  ) -> UInt64 {
    UInt64(littleEndian: memory.load(PhysicalAddress(place.rawValue &+ index &* 8)))
  }

  private func store<Memory: BusMemory>(
    _ index: UInt64, _ word: UInt64, _ place: PhysicalAddress, _ memory: Memory
  ) { memory.store(word.littleEndian, at: PhysicalAddress(place.rawValue &+ index &* 8)) }

  private mutating func publish<Machine: SMMUMachine & ~Copyable>(
    _ word0: UInt64, _ stream: StreamID, _ place: PhysicalAddress, _ machine: borrowing Machine
  ) -> Bool {
    store(0, word0, place, machine.memory)
    return forget(stream, machine)
  }

  private mutating func forget<Machine: SMMUMachine & ~Copyable>(
    _ stream: StreamID, _ machine: borrowing Machine
  ) -> Bool { carryOut(.invalidateEntry(stream, leaf: true), machine) }

  /// Has all streams go by something else.
  mutating func activate<Machine: SMMUMachine & ~Copyable>(
    _ mode: StreamMode, _ machine: borrowing Machine
  ) -> Bool {
    guard var nested = parts?.nested else { return false }
    // The entries are whole before a descriptor leads to them.
    machine.memory.publishToDevices()
    nested.activate(mode, machine.memory)
    parts?.nested = nested
    guard carryOut(.invalidateConfiguration, machine) else { return false }
    if mode != .individual {
      nested.clear(machine.memory)
      parts?.nested = nested
    }
    return true
  }
}
