// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// Holds a log against the rules, event by event.
///
/// It knows the records and nothing else, so that a log that was written to a file says the same. What it keeps is
/// what is not finished: entries that are gone and not invalidated, stores that are not published, locks.
package struct TableChecker {
  /// What broke a rule; the first few.
  package private(set) var faults: [TableFault] = []
  private static let mostFaults = 16

  /// The event that is looked at.
  private(set) var record = TableRecord(0, cpu: 0, .barrier)

  // Locks and traps.
  private var isRunning = false
  private var locks: [UInt64: [LockRank]] = [:]

  // Stores that no barrier has published: pages, and of tables that hardware reads each by itself.
  var unpublishedPages: Set<UInt64> = []
  var unpublished: [UInt64: [LoggedStore]] = [:]
  // Lines that were not cleaned, where an ITS does not look into caches.
  var isUncached = false
  var uncleaned: Set<UInt64> = []
  var uncleanedTables: Set<UInt64> = []

  // Descriptors of translations that are gone, by their address.
  var broken: [UInt64: BrokenDescriptor] = [:]
  var justBroken: [UInt64] = []
  var lost = LostPages()
  // Tables that no descriptor leads to any more, as often as that is to be invalidated.
  var unlinked: [UInt64: Int] = [:]

  // SMMUs that translate, and the VMID of what they walk.
  var units: [UInt64: WatchedSMMU] = [:]
  var deviceVMID: UInt16 = 0
  // ITSes.
  var services: [UInt64: WatchedITS] = [:]
  // Pages of translation tables of ITSes, as often as an ITS may still use them.
  var translationTables: [UInt64: Int] = [:]

  /// Makes one that knows of nothing yet.
  package init() {}

  mutating func fault(_ rule: TableRule, _ reason: String) {
    guard faults.count < Self.mostFaults else { return }
    faults.append(TableFault(rule: rule, record: record, reason: reason))
  }

  /// Looks at the next event.
  package mutating func take(_ record: TableRecord) {
    self.record = record
    switch record.event {
    case .root(let root): begin(root)
    case .store(let store): check(store)
    case .barrier: publish()
    case .clean(let address, let size):
      publish()
      clean(address, size)
    case .invalidateStage2(let pages):
      invalidate(
        .stage2,
        pages.map { $0.first.address.rawValue...$0.last.address.rawValue + 0xfff } ?? 0 ... .max)
    case .invalidateHypervisor(let address, let count):
      invalidate(.hypervisor, address...address + (max(count, 1) << 12 - 1))
    case .smmu(let unit, let action): check(action, unit)
    case .its(let unit, let action): check(action, of: unit)
    case .take(let rank): locks[record.cpu, default: []].append(rank)
    case .release(let rank): release(rank)
    case .enter: break
    case .leave: checkExit()
    case .run:
      checkExit()
      isRunning = true
    case .uncached: isUncached = true
    }
  }

  // MARK: Locks and traps

  private mutating func release(_ rank: LockRank) {
    guard let index = locks[record.cpu]?.lastIndex(of: rank) else {
      return fault(.locksAtExit, "a lock that is not held")
    }
    locks[record.cpu]?.remove(at: index)
  }

  private mutating func checkLock(_ entry: LoggedEntry) {
    guard isRunning, locks[record.cpu]?.contains(entry.kind.lock) != true else { return }
    fault(.storeUnderLock, "the lock \(entry.kind.lock) is not held")
  }

  private mutating func checkExit() {
    if let rank = locks[record.cpu]?.last {
      fault(.locksAtExit, "the lock \(rank) is held")
    }
    if let store = unpublished[record.cpu]?.first {
      fault(.doneAtExit, "\(hex(store.address)) is not published")
    }
    for (address, entry) in broken where entry.isOfCPUs && entry.cpu == record.cpu {
      return fault(.doneAtExit, "\(hex(address)) is not invalidated")
    }
  }

  // MARK: Stores

  private mutating func check(_ store: LoggedStore) {
    let page = store.address >> 12
    checkReuse(page)
    if let entry = store.entry {
      checkLock(entry)
      switch entry.kind {
      case .stage2, .hypervisor, .deviceStage2: checkDescriptor(store, entry)
      case .streamDescriptor, .streamEntry: checkStream(store, entry)
      case .itsFirstLevel: checkFirstLevel(store)
      case .itsTable: fault(.invalidateBeforeReuse, "the ITS writes the table itself")
      case .itsQueue, .smmuQueue: break
      }
      unpublished[record.cpu, default: []].append(store)
    }
    unpublishedPages.insert(page)
    if isUncached { addUncleaned(store) }
  }

  private mutating func checkReuse(_ page: UInt64) {
    if !unlinked.isEmpty, unlinked[page] != nil {
      fault(.invalidateBeforeReuse, "a walk may still be in the table")
    }
    if !translationTables.isEmpty, translationTables[page] != nil {
      fault(.invalidateBeforeReuse, "an ITS may still use the table")
    }
    if let kind = lost.loser(of: page, besides: .hypervisor) {
      fault(.invalidateBeforeReuse, "\(kind.rawValue) may still lead to the page")
    }
  }

  private mutating func addUncleaned(_ store: LoggedStore) {
    if let entry = store.entry {
      guard entry.kind.isOfITS else { return }
      uncleanedTables.insert(store.address & ~63)
    }
    uncleaned.insert(store.address & ~63)
  }

  private mutating func clean(_ address: UInt64, _ size: UInt64) {
    guard isUncached, size > 0 else { return }
    for line in stride(from: address & ~63, to: address + size, by: 64) {
      uncleaned.remove(line)
      uncleanedTables.remove(line)
    }
  }

  /// Whether hardware sees what EL2 has stored to a page, by a barrier.
  func isPublished(_ page: UInt64) -> Bool { !unpublishedPages.contains(page) }

  private mutating func publish() {
    // Behind a lock a barrier holds for what others have stored before as well.
    unpublishedPages.removeAll(keepingCapacity: true)
    unpublished[record.cpu]?.removeAll(keepingCapacity: true)
    for address in justBroken { broken[address]?.isPublished = true }
    justBroken.removeAll(keepingCapacity: true)
    for unit in units.keys { units[unit]?.publish() }
  }
}
