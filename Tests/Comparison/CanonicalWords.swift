// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
@testable import Specification

/// What numbers that only count on, and places in rings, are called in a canonical state.
///
/// Each is told by its distance from where EL2 is. Without distances, as in ``init(slots:)``, everything is
/// called what it is.
package struct CanonicalNames: Sendable {
  /// The slots of EL2's queue, a power of two.
  package let slots: UInt64
  /// What is subtracted from each serial number of a slot of EL2's queue, and from its place.
  package var serials: UInt64 = 0
  /// What is subtracted from each count of commands of the host's queue.
  package var counts: UInt64 = 0
  /// What is subtracted from each offset in the host's queue, of so many bytes.
  package var places: UInt64 = 0
  package var placesSize: UInt64 = .max

  /// Subtracts nothing.
  package init(slots: UInt64) { self.slots = slots }

  /// A serial number.
  package func serial(_ serial: UInt64) -> UInt64 { serial &- serials }
  /// A count of commands of the host's queue.
  package func count(_ count: UInt64) -> UInt64 { count &- counts }
  /// An offset in EL2's queue; what lies beyond is called what it is.
  package func slot(_ offset: UInt64) -> UInt64 {
    let size = slots &* ITSCommand.size
    return offset < size ? (offset &- serials &* ITSCommand.size) & (size &- 1) : offset
  }
  /// An offset in the host's queue; what lies beyond is called what it is.
  package func place(_ offset: UInt64) -> UInt64 {
    guard places > 0, offset < placesSize else { return offset }
    return offset >= places ? offset - places : offset + placesSize - places
  }
}

extension BoardComparison {
  /// Adds all that decides what the comparison permits next, in words.
  ///
  /// What is counted is left out: a trap adds to the counts of both sides, which agree where it begins, so that only
  /// what it adds can differ. So is what is fixed for the board, and the Redistributors, which no ITS changes.
  package func appendCanonical(to words: inout [UInt64], _ names: CanonicalNames) {
    words.append(pages: world.pages)
    for (state, service) in zip(world.itses, services) {
      state.appendCanonical(to: &words, names)
      words += [names.serial(service.written), service.zeroed, names.slot(service.place)]
    }
  }

  /// Traps that have waited: none, one, or more of them.
  ///
  /// A trap leaves the number, adds one or begins anew, with EL2 and with the specification. If they do not agree about
  /// that, their numbers differ behind it where they were two before just as where they were larger. The limit is
  /// out of reach of any search.
  package static func canonical(waited: UInt64) -> UInt64 { min(waited, 2) }
}

extension ITSState {
  fileprivate func appendCanonical(to words: inout [UInt64], _ names: CanonicalNames) {
    words += [
      hardware.isEnabled.word | hardware.isQuiescent.word << 1 | hardware.isStalled.word << 2
        | host.isEnabled.word << 3 | host.isStalled.word << 4,
      names.slot(hardware.read), hardware.commandBase.rawValue, host.commandBase.rawValue,
      names.place(host.write), BoardComparison.canonical(waited: waited),
    ]
    switch phase {
    case .enabled: words.append(0)
    case .disabled: words.append(1)
    case .atRest: words.append(2)
    case .off: words.append(3)
    }
    for table in hardware.tables + host.tables { words.append(table.rawValue) }
    words += [
      names.serial(commit.passed), names.serial(commit.published), UInt64(commit.slots.count),
    ]
    for slot in commit.slots { words.append(command: slot) }
    words += [
      names.place(staging.next), names.count(staging.count), UInt64(staging.taken.count),
      (staging.unfinished != nil).word,
    ]
    for taken in staging.taken { words += [names.place(taken.place), names.serial(taken.end)] }
    if let unfinished = staging.unfinished {
      words.append(command: unfinished.command)
      words.append(range: unfinished.table)
      words.append(unfinished.bytes)
    }
    appendLedgers(to: &words, names)
  }

  private func appendLedgers(to words: inout [UInt64], _ names: CanonicalNames) {
    words += [
      UInt64(devices.count), UInt64(collections.count), UInt64(vpes.count), UInt64(targets.count),
      UInt64(tables.count), UInt64(secondLevel.count), UInt64(doomed.count),
      UInt64(doorbells.count), written.bits, marked.bits,
    ]
    for (id, device) in devices.sorted(by: { $0.key < $1.key }) {
      words += [UInt64(id), device.name, device.eventIDBits, device.table.word]
    }
    for (id, target) in collections.sorted(by: { $0.key < $1.key }) {
      words += [UInt64(id), target]
    }
    for (id, vpe) in vpes.sorted(by: { $0.key < $1.key }) {
      words += [UInt64(id), vpe.virtualIDBits, vpe.table.word]
    }
    words += targets.sorted()
    for (key, table) in tables.sorted(by: { $0.key.word < $1.key.word }) {
      words += [key.word, table.owner.word]
      words.append(range: table.pages)
      switch table.state {
      case .zeroing: words.append(0)
      case .mapped: words.append(1)
      case .unsealed(let missing): words += [2, UInt64(missing.count)] + missing.sorted()
      case .sealed(let end): words += [3, names.serial(end)]
      }
    }
    for (index, pages) in secondLevel.sorted(by: { $0.key < $1.key }) {
      words.append(index)
      words.append(range: pages)
    }
    words += doomed.map { $0.word }.sorted()
    let rung = doorbells.map {
      (UInt64($0.key.cpu), names.place($0.key.offset), names.count($0.value))
    }
    for bell in rung.sorted(by: <) { words += [bell.0, bell.1, bell.2] }
  }
}

extension Bool {
  fileprivate var word: UInt64 { self ? 1 : 0 }
}

extension Set<Int> {
  fileprivate var bits: UInt64 { reduce(0) { $0 | 1 << UInt64($1) } }
}

extension TableKey {
  fileprivate var word: UInt64 {
    switch self {
    case .translation(let page): page.rawValue
    case .pending(let serial): 1 << 63 | serial
    }
  }
}

extension Mapping {
  fileprivate var word: UInt64 {
    switch self {
    case .device(let id): UInt64(id)
    case .collection(let id): 1 << 32 | UInt64(id)
    case .vpe(let id): 2 << 32 | UInt64(id)
    }
  }
}

extension Owner {
  fileprivate var word: UInt64 {
    switch self {
    case .host: 0
    case .el2: 1
    case .other: 2
    case .lent: 3
    }
  }
}

extension Use {
  /// The queue of an ITS; a world with ITSes alone, and no vPE, has nothing else that is held.
  fileprivate var word: UInt64 {
    guard case .stagingQueue(let its) = self else { fatalError("\(self) has no canonical name") }
    return UInt64(its)
  }
}

extension [UInt64] {
  fileprivate mutating func append(command: ITSCommand) {
    self += [command.word0, command.word1, command.word2, command.word3]
  }

  fileprivate mutating func append(range: PageRange?) {
    self += [range?.first.rawValue ?? 0, range?.count ?? 0]
  }

  /// A page that is its first owner's again is as if it had never left.
  fileprivate mutating func append(pages: Pages) {
    let moved = pages.moved.filter { page, owner in
      pages.initial.first { $0.key.contains(page) }?.value != owner
    }
    self += [UInt64(moved.count), UInt64(pages.holds.count), UInt64(pages.leaving.count)]
    for (page, owner) in moved.sorted(by: { $0.key < $1.key }) {
      self += [page.rawValue, owner.word]
    }
    let held = pages.holds.map { ($0.key.word, $0.value.first.rawValue, $0.value.count) }
    for hold in held.sorted(by: <) { self += [hold.0, hold.1, hold.2] }
    for page in pages.leaving.sorted() { append(page.rawValue) }
  }
}
