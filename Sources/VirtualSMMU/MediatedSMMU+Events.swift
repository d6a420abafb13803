// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

// The hardware's event queue is EL2's. What is about the host's stage 1 is written into the host's queue, made
// anew of the fields that the type of the event has; whatever is about stage 2 stays EL2's.

extension MediatedSMMU {
  /// Has the hardware's events read, and gives the host what is its own and finds room.
  mutating func takeEvents<Machine: VirtualSMMUMachine & ~Copyable>(_ machine: borrowing Machine) {
    let losses = machine.drainEvents(atMost: policy.eventsPerTrap)
    counters.lostEvents &+= losses
    // An SMMU whose queue is off records nothing.
    let isOn = acknowledged.contains(.eventQueue)
    for _ in 0..<policy.eventsPerTrap {
      guard let event = machine.takeEvent() else { break }
      guard isOn, let told = told(event) else {
        counters.lostEvents &+= 1
        continue
      }
      append(told, machine)
    }
    // As if the queue had been full: the host may lack events of any kind.
    if losses > 0, isOn { tellLoss() }
  }

  /// Says that events were lost; a loss that the host has not acknowledged is not told again.
  private mutating func tellLoss() {
    if events.produced.hasOverflowFlag == events.consumed.hasOverflowFlag {
      events.produced = SMMUQueuePointer(rawValue: events.produced.rawValue ^ 1 << 31)
    }
  }

  private mutating func append<Machine: VirtualSMMUMachine & ~Copyable>(
    _ event: SMMUEvent, _ machine: borrowing Machine
  ) {
    guard events.slot != nil else { return lose() }
    guard !events.isFull else {
      counters.lostEvents &+= 1
      return tellLoss()
    }
    let words: InlineArray<4, UInt64> = [event.word0, event.word1, event.word2, event.word3]
    let place = events.place(events.produced)
    for index in words.indices {
      let word = PhysicalAddress(place.rawValue &+ UInt64(index) &* 8)
      guard machine.memory.tryStore(words[index].littleEndian, at: word) else { return lose() }
    }
    if SMMUCR1(rawValue: control1).hasCoherentQueues {
      machine.memory.publishToDevices()
    } else {
      machine.memory.clean(place, size: 32)
    }
    events.produced = events.advanced(events.produced)
    counters.events &+= 1
  }

  /// Loses an event: the queue is not the host's memory, or does not answer.
  private mutating func lose() {
    counters.lostEvents &+= 1
    if !activeErrors.contains(.eventQueueAborted) { refuse(.unwritableEvent) }
    raise(.eventQueueAborted)
  }

  /// What the host is told of an event of the hardware; nil for nothing.
  private func told(_ event: SMMUEvent) -> SMMUEvent? {
    guard var type = event.type else { return nil }
    if type == .badStream || type == .badEntry {
      // EL2's table has entries where the host has none, and none where the host has an invalid one.
      let isKnown = UInt64(event.stream.rawValue) >> streamShape.log2 == 0
      guard acknowledged.contains(.translates) else { return nil }
      type = isKnown ? .badEntry : .badStream
      if type == .badStream, !control2.contains(.recordsUnknownStreams) { return nil }
    }
    var told = SMMUEvent(UInt64(type.rawValue) | UInt64(event.stream.rawValue) << 32)
    if let substream = event.substream {
      told.word0 |= 1 << 11 | UInt64(substream.rawValue) << 12
    }
    if type.hasAccess {
      told.word1 |= event.isPrivileged ? 1 << 33 : 0
      told.word1 |= event.isInstruction ? 1 << 34 : 0
      told.word1 |= event.isRead ? 1 << 35 : 0
      told.word1 |= UInt64(event.accessClass?.rawValue ?? 0) << 40
    }
    if type.hasInputAddress { told.word2 = event.word2 }
    // What stage 2 lets through has the same address on both sides.
    if type.hasFetchAddress { told.word3 = event.fetchAddress ?? 0 }
    return told
  }
}
