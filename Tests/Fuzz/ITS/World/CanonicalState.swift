// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
@testable import ITS
import Ownership
@testable import SimulatedHardware

// Two states are one where whatever happens next happens to both alike. What decides it is
//
//     the mediation     its fields, and its records in the arena
//     the hardware      its state, and its tables in memory
//     the host          its pages, and what it remembers
//     the comparison    the specification's state
//     the checks        what pages are, and whose
//
// and all of it is told by what it is, but for these, which are told by their meaning:
//
//     serial numbers    of slots of EL2's queue: their distance from the one that EL2 has seen completed. Nothing but
//                       differences is looked at, and the place in the queue, next
//     EL2's queue       a slot's distance, too, where the first slot is out of reach: the code knows one place of the
//                       ring, its first slot, where a batch must not end and which hardware forgets to. Where the
//                       queue begins or can come to its end within the search, places are what they are
//     the host's queue  offsets and counts by their distance from the next command that EL2 takes: there the ring has no
//                       place of its own. While slots of an earlier queue are left it has: GITS_CREADR reads as zero
//     slots             those that the hardware has passed and EL2 has seen are not read before they are written again
//     retired tables    the ring by its distance from the first one; no place of its own either
//     ledger            what it finds for each of the two DeviceIDs, which never share a slot: so there is no order
//     tokens            a free place is told by one word that is zero, whatever the other one holds
//     waiting traps     see `BoardComparison.canonical(waited:)`
//     counters          of statistics: nobody looks at them but the comparison, for what a trap adds
//     log               the refusal that was not logged yet
//
// What memory holds otherwise, which pages of the arena were handed out, and where the next search begins is told
// as it is: which page EL2 takes next depends on all of them. Two devices whose tables were handed out the other way
// round are another state.
//
// The tables of translations beside the board's memory are not told: they follow from who has each page, and from
// what is pinned.

/// Which memory is told by its meaning, and how far from the end of EL2's queue that begins.
struct CanonicalForm {
  /// The pages with EL2's queue and records, by their number in the arena.
  let records: [Bool]
  let arena: UInt64
  /// The pages that the host has its queue in.
  let hostPages: Range<UInt64>
  /// The most slots that a search appends to EL2's queue.
  let reach: UInt64

  @inline(__always)
  func tells(_ address: UInt64) -> Bool {
    let page = (address &- arena) >> 12
    return page < UInt64(records.count) ? records[Int(page)] : hostPages.contains(address)
  }
}

extension World {
  /// Begins to keep the journal that marks need, for a search of so many traps.
  ///
  /// A canonical form tells one ITS; the host has its queue in the first two of its pages.
  package func beginJournal(traps: Int) {
    precondition(services.count == 1 && !setup.hasCache && !setup.hasStoreBuffer, "one plain ITS")
    precondition(setup.services[0].deviceIDBits == 1, "devices that share slots of the ledger")
    journal = Journal()
    let its = services[0].its
    let perTrap = 2 * setup.policy.commandsPerTrap + UInt64(setup.processors) + 1
    var records = [Bool](repeating: false, count: Int(setup.arenaPages))
    func mark(_ base: PhysicalAddress, _ size: UInt64) {
      let first = (base.rawValue - arena(0)) >> 12
      for page in first..<first + PageRange.pages(for: size) { records[Int(page)] = true }
    }
    mark(its.pointee.commit.base, its.pointee.commit.slots * ITSCommand.size)
    mark(its.pointee.commit.origins, CommitQueue.originsSize(slots: its.pointee.commit.slots))
    mark(its.pointee.retirement.base, RetirementQueue.size)
    mark(its.pointee.tokens.base, DoorbellTokens.size(cpus: its.pointee.tokens.cpus))
    mark(its.pointee.devices.base, DeviceLedger.size(slots: its.pointee.devices.slots))
    form = CanonicalForm(
      records: records, arena: arena(0), hostPages: hostPage(0)..<hostPage(2),
      reach: UInt64(traps) * perTrap)
  }

  /// The sums over memory now, from those at the last mark.
  package func sums(since mark: Mark) -> MemorySums {
    var sums = mark.memory
    guard let journal, let form else { return sums }
    var changed = Array(journal.words[mark.words...].enumerated())
    changed.sort { ($0.element.address, $0.offset) < ($1.element.address, $1.offset) }
    var last: UInt64?
    for (_, word) in changed where word.address != last {
      last = word.address
      let new = gic.memory.load(.double, at: word.address)
      sums.all.remove(word.address, word.old)
      sums.all.add(word.address, new)
      if form.tells(word.address) { continue }
      sums.rest.remove(word.address, word.old)
      sums.rest.add(word.address, new)
    }
    return sums
  }

  /// What numbers are called in the state as it is; all of them what they are, unless it is `canonical`.
  ///
  /// Places of the host's queue are told by their distance only where it `mayTurn`. Without `hasEnd` EL2's queue is
  /// taken for one that never comes to its end, which is a mistake.
  package func names(canonical: Bool, mayTurn: Bool, hasEnd: Bool = true) -> CanonicalNames {
    let its = services[0].its
    let slots = its.pointee.commit.slots
    var names = CanonicalNames(slots: slots)
    guard canonical, let form else { return names }
    let (completed, written) = (its.pointee.commit.completed, its.pointee.commit.written)
    let place = completed & (slots - 1)
    let isFar = !hasEnd || place > 0 && place + (written - completed) + form.reach < slots
    names.serials = isFar ? completed - 1 : completed - place
    // Where slots of an earlier queue are left, zero is told from other places of the host's queue.
    guard mayTurn, its.pointee.stagingBegan <= completed else { return names }
    names.counts = its.pointee.staging.taken
    names.places = its.pointee.staging.takenOffset
    names.placesSize = its.pointee.staging.register.size
    return names
  }

  /// All that decides what happens next, in two numbers, with what the host remembers.
  package func identity(
    _ memory: MemorySums, _ names: CanonicalNames, canonical: Bool, host: [UInt64]
  ) -> Fingerprint {
    words.removeAll(keepingCapacity: true)
    words += host
    let sum = canonical ? memory.rest : memory.all
    words += [sum.low, sum.high]
    services[0].appendCanonical(to: &words, names, canonical: canonical)
    appendHardware(to: &words, names)
    if canonical { appendHostPages(to: &words, names) }
    for isReached in pages.reached { words.append(isReached ? 1 : 0) }
    comparison?.appendCanonical(to: &words, names)
    return Fingerprint(words)
  }

  private func appendHardware(to words: inout [UInt64], _ names: CanonicalNames) {
    var state = gic.services[0].state
    state.readPointer = names.slot(state.readPointer)
    state.writePointer = names.slot(state.writePointer)
    for index in state.fetched.indices {
      state.fetched[index].offset = names.slot(state.fetched[index].offset)
    }
    var hashers = (Hasher(), Hasher())
    hashers.1.combine(1)
    func feed(_ hasher: inout Hasher) {
      hasher.combine(state)
      for redistributor in gic.redistributors { hasher.combine(redistributor.state) }
    }
    feed(&hashers.0)
    feed(&hashers.1)
    words.append(UInt64(bitPattern: Int64(hashers.0.finalize())))
    words.append(UInt64(bitPattern: Int64(hashers.1.finalize())))
  }

  /// What the host's queue holds by its places, and as it is what the other page does.
  private func appendHostPages(to words: inout [UInt64], _ names: CanonicalNames) {
    let queue = services[0].its.pointee.staging.register.base
    var sum = Fingerprint()
    for page in [hostPage(0), hostPage(1)] {
      gic.memory.forEachNonzero(in: page, size: 4096, by: .processor) { address, value in
        let offset = address - page
        sum.add(page == queue ? page + (names.place(offset & ~31) | offset & 31) : address, value)
      }
    }
    words += [sum.low, sum.high]
  }
}

extension MediatedService {
  /// The mediation, its records, and what is known for the checks.
  fileprivate func appendCanonical(
    to words: inout [UInt64], _ names: CanonicalNames, canonical: Bool
  ) {
    if canonical {
      appendRecords(to: &words, names)
      appendFields(to: &words, names)
    } else {
      appendBytes(to: &words)
    }
    for page in uses.indices {
      words.append(
        UInt64(uses[page].rawValue) << 56 | UInt64(bitPattern: tableOwners[page]) & (1 << 56 - 1))
    }
    words += [UInt64(mapped.count), UInt64(named.count), UInt64(pinned.count)]
    for (id, pages) in mapped.sorted(by: { $0.key < $1.key }) {
      words += [UInt64(id), UInt64(pages.lowerBound), UInt64(pages.upperBound)]
    }
    for (id, device) in named.sorted(by: { $0.key < $1.key }) {
      words += [
        UInt64(id), device.eventIDBits, device.table.first.rawValue, device.table.count,
        device.name,
      ]
    }
    for range in pinned { words += [range.lowerBound, range.upperBound] }
  }

  /// What has become of commands so far, and how many accesses were ignored.
  package var verdicts: [UInt64] {
    let counters = its.pointee.counters
    return [counters.accepted, counters.ignored] + (0..<16).map { counters.refused[$0] }
  }

  private func appendRecords(to words: inout [UInt64], _ names: CanonicalNames) {
    func word(_ base: PhysicalAddress, _ index: UInt64) -> UInt64 {
      memory.load(.double, at: base.rawValue + index * 8)
    }
    let commit = its.pointee.commit
    words += [
      names.serial(commit.completed), names.serial(commit.published), names.serial(commit.written),
      commit.isUnused ? 1 : 0,
    ]
    for serial in commit.completed..<commit.written {
      let slot = serial & (commit.slots - 1)
      for index in slot * 4..<slot * 4 + 4 { words.append(word(commit.base, index)) }
      // An earlier queue's place is never told.
      if serial >= its.pointee.stagingBegan {
        words.append(names.place(word(commit.origins, slot)))
      }
    }
    let retirement = its.pointee.retirement
    words += [retirement.sealed - retirement.head, retirement.tail - retirement.head]
    for index in retirement.head..<retirement.tail {
      let place = index % RetirementQueue.capacity * 2
      if index < retirement.sealed {
        words.append(names.serial(word(retirement.base, place)))
      }
      words.append(word(retirement.base, place + 1))
    }
    let tokens = its.pointee.tokens
    for index in 0..<tokens.cpus * DoorbellTokens.depth {
      let token = word(tokens.base, index * 2)
      words.append(token == 0 ? 0 : 1 << 63 | names.place(token & ~(1 << 63)))
      if token != 0 { words.append(names.count(word(tokens.base, index * 2 + 1))) }
    }
    // Two DeviceIDs at most, which have their own slots.
    for id in 0..<UInt32(1 << simulated.configuration.deviceIDBits) {
      guard let device = its.pointee.devices.find(id, memory: EL2Memory(service: self)) else {
        words.append(0)
        continue
      }
      words += [device.eventIDBits, device.table.first.rawValue, device.table.count, device.name]
    }
  }

  /// The mediation as it is, with whatever its bytes are that hold nothing.
  private func appendBytes(to words: inout [UInt64]) {
    let kept = bytes(of: its, 1)
    its.pointee.counters = ITSCounters()
    _ = its.pointee.takeRefusal()
    let bytes = UnsafeRawBufferPointer(start: its, count: MemoryLayout<MediatedITS>.size)
    let whole = bytes.count & ~7
    for offset in stride(from: 0, to: whole, by: 8) {
      words.append(bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
    words += bytes[whole...].map(UInt64.init)
    setBytes(of: its, kept)
  }

  /// Everything in the mediation that changes, but for counters and what is to be logged.
  private func appendFields(to words: inout [UInt64], _ names: CanonicalNames) {
    func word(_ flags: Bool...) -> UInt64 {
      flags.reduce(0) { $0 << 1 | ($1 ? 1 : 0) }
    }
    let its = its
    let pages = its.pointee.staging.pin?[0]
    words += [
      its.pointee.staging.register.rawValue, names.count(its.pointee.staging.taken),
      names.count(its.pointee.staging.asked), names.place(its.pointee.staging.takenOffset),
      names.place(its.pointee.staging.askedOffset),
      pages?.pages.first.rawValue ?? 0, pages?.pages.count ?? 0, pages?.address.rawValue ?? 0,
    ]
    words += [
      word(
        its.pointee.isEnabled, its.pointee.isAtRest, its.pointee.isPaused, its.pointee.isBroken,
        its.pointee.isHardwareStalled, its.pointee.staging.isStalled,
        its.pointee.pending != nil, its.pointee.unfinished != nil),
      UInt64(its.pointee.marks.marked) | UInt64(its.pointee.marks.restated) << 8
        | UInt64(its.pointee.marks.staged) << 16,
    ]
    if let pending = its.pointee.pending {
      words += [pending.word0, pending.word1, pending.word2, pending.word3]
    }
    if let table = its.pointee.unfinished {
      words += [table.pages.first.rawValue, table.pages.count, table.zeroed]
    }
    let (purge, arena) = (its.pointee.purge, its.pointee.arena)
    words += [purge.devices, purge.collections, purge.vpes].map { $0 ?? .max }
    for index in 0..<8 { words.append(its.pointee.tableBases[index]) }
    let began = its.pointee.stagingBegan
    words += [
      began > its.pointee.commit.completed ? names.serial(began) : 0,
      BoardComparison.canonical(waited: its.pointee.fruitlessRuns), arena.freeCount, arena.next,
      its.pointee.devices.count, its.pointee.collections.count, its.pointee.targets.usedCount,
      its.pointee.tokens.count,
    ]
  }
}
