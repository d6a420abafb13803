// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import GIC
internal import Ownership

// A live ITS of a host that is still trusted, taken over while its interrupts go on:
//
//   descriptor ── private copy ─→ compared with the hardware ── queue, tables, ITTs claimed in place
//                                                                              │
//      host's ITS as before ←── all given back, untouched ←── anything wrong ──┤
//                                                                              ▼
//                              first levels and devices checked ─→ mediated from now on
//
// Enabled is never cleared, or interrupts would be lost: so the hardware keeps its queue and tables,
// with the content they have, and the host goes on with a staging queue. All of it happens in one trap
// with the lock of the ITS held: another CPU that looks at the ITS waits, and no command is lost or
// run twice, for the queue is empty on both sides.

extension MediatedITS {
  /// The most ranges that a handover may claim.
  private static var claimCapacity: UInt64 { 2048 }
  /// The most first-level entries that a handed-over table may have.
  private static var firstLevelLimit: UInt64 { 1 << 16 }

  /// Takes over the live ITS that the descriptor at `descriptor` tells of.
  ///
  /// `addTargets` adds every Redistributor with ``RedistributorDirectory``; false where it can't.
  ///
  /// - Throws: any `HandoverError`; the host's ITS and memory are as before then.
  public static func handOver<Machine: HandoverMachine & ~Copyable>(
    _ setup: ITSSetup, base: PhysicalAddress, descriptor: PhysicalAddress,
    machine: borrowing Machine,
    addTargets: (inout RedistributorDirectory, GITSTyper) -> Bool
  ) throws(HandoverError) -> MediatedITS {
    var arena = PageArena(setup.arena, memory: machine.memory)
    guard
      let copy = arena.take(
        PageRange.pages(for: HandoverDescriptor.maximumSize), memory: machine.memory),
      let list = arena.take(
        PageRange.pages(for: ClaimSet.size(capacity: claimCapacity)), memory: machine.memory),
      let map = arena.take(
        PageRange.pages(for: TranslationMap.size(pages: claimCapacity)), memory: machine.memory)
    else { throw .outOfMemory }
    let descriptor = try read(descriptor, to: copy.address, machine)
    var draft = try HandoverDraft(setup, base: base, descriptor, &arena, machine)
    guard addTargets(&draft.ledgers.targets, draft.typer) else { throw .tooManyRedistributors }
    // With fewer no command would ever be taken, once all Redistributors are targets.
    guard draft.slots > room(for: draft.ledgers.targets.count) else { throw .queueSize }
    var claims = ClaimSet(list: list.address, capacity: claimCapacity)
    map.zero(machine.memory)
    let occupied = TranslationMap(map.address, pages: claimCapacity)
    let pin: Pin<1>
    do throws(HandoverError) {
      try draft.claimQueueAndTables(&claims, firstLevelLimit: firstLevelLimit, machine)
      try draft.takeCollections(machine)
      try draft.takeDevices(&claims, occupied, machine)
      pin = try draft.pinStaging(machine)
    } catch {
      machine.giveBackUntouched(&claims)
      claims.keepForever()
      throw error
    }
    claims.keepForever()
    var staged = InlineArray<8, UInt64>(repeating: 0)
    for index in 0..<8 {
      staged[index] = descriptor.word(16 + UInt64(index), memory: machine.memory)
    }
    // What was needed for the handover alone.
    arena.giveBack(copy, memory: machine.memory)
    arena.giveBack(list, memory: machine.memory)
    arena.giveBack(map, memory: machine.memory)
    return draft.finish(arena, pin: pin, stagedTables: staged)
  }

  /// Makes a private copy of the descriptor.
  private static func read<Machine: HandoverMachine & ~Copyable>(
    _ place: PhysicalAddress, to copy: PhysicalAddress, _ machine: borrowing Machine
  ) throws(HandoverError) -> HandoverDescriptor {
    guard place.isAligned(to: PageFrameNumber.size) else { throw .unreadable(place) }
    // The header first, for it says how much there is.
    try transfer(place, HandoverDescriptor.headerWords, to: copy, machine)
    let header = HandoverDescriptor(copy: copy, deviceCount: 0, collectionCount: 0)
    let devices = header.word(4, memory: machine.memory)
    let collections = header.word(5, memory: machine.memory)
    guard header.word(0, memory: machine.memory) == HandoverDescriptor.version,
      header.word(6, memory: machine.memory) | header.word(7, memory: machine.memory) == 0,
      let size = HandoverDescriptor.size(devices: devices, collections: collections)
    else { throw .malformed }
    try transfer(
      place, size / 8 - HandoverDescriptor.headerWords, from: HandoverDescriptor.headerWords,
      to: copy, machine)
    return HandoverDescriptor(copy: copy, deviceCount: devices, collectionCount: collections)
  }

  /// Copies words of the host, each once.
  private static func transfer<Machine: HandoverMachine & ~Copyable>(
    _ place: PhysicalAddress, _ words: UInt64, from first: UInt64 = 0, to copy: PhysicalAddress,
    _ machine: borrowing Machine
  ) throws(HandoverError) {
    guard words > 0 else { return }
    let end = (first + words) * 8
    guard let last = place.advanced(by: end - 1),
      let pages = PageRange(
        first: PageFrameNumber(containing: place),
        count: PageFrameNumber(containing: last).rawValue - (place.rawValue >> 12) + 1)
    else { throw .unreadable(place) }
    let pin: Pin<1>
    do throws(OwnershipError) {
      pin = try machine.shareAndPin(pages)
    } catch {
      throw .unreadable(place)
    }
    var index = first
    while index < first + words,
      let word = machine.memory.tryLoad(PhysicalAddress(place.rawValue + index * 8))
    {
      machine.memory.store(word, at: PhysicalAddress(copy.rawValue + index * 8))
      index += 1
    }
    machine.unpinAndUnshare(pin)
    guard index == first + words else { throw .unreadable(place) }
  }
}
