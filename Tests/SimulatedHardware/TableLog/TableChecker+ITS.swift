// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// An ITS and the translation tables (ITTs) that it may use.
struct WatchedITS {
  /// An ITT that was unmapped.
  struct Unmapped {
    var bytes: Range<UInt64>
    /// The Redistributors whose SYNC is awaited, by RDbase.
    var targets: Set<UInt64>
  }

  /// The Redistributors that interrupts may have gone to.
  var targets: Set<UInt64> = []
  /// The ITT of each device.
  var tables: [UInt32: Range<UInt64>] = [:]
  /// What may still be in use.
  var unmapped: [Unmapped] = []
}

// Tables of ITSes (IHI 0069, 5.2 and 5.3.11).
extension TableChecker {
  mutating func checkFirstLevel(_ store: LoggedStore) {
    guard store.new >> 63 == 1 else { return }
    let table = store.new.masked(51, 12)
    if !isVisible(table >> 12) {
      fault(.publishBeforeUse, "the table \(hex(table)) is not published")
    }
    if store.old >> 63 == 1 { fault(.breakBeforeMake, "the ITS may use the page it leads to") }
  }

  /// Whether an ITS sees what EL2 has stored to a page.
  private func isVisible(_ page: UInt64) -> Bool {
    guard isUncached else { return isPublished(page) }
    return uncleaned.isEmpty
      || !stride(from: page << 12, to: page << 12 + 4096, by: 64).contains(
        where: uncleaned.contains)
  }

  mutating func check(_ action: ITSAction, of unit: UInt64) {
    switch action {
    case .enable: break
    case .quiescent:
      for table in services[unit]?.unmapped ?? [] { release(table.bytes) }
      services[unit]?.unmapped = []
    case .tell: checkTold(unit)
    case .map(let device, let base, let size): map(device, base..<base + max(size, 1), unit)
    case .unmap(let device): unmap(device, unit)
    case .collection(let target): services[unit, default: WatchedITS()].targets.insert(target)
    case .sync(let target): synchronise(target, unit)
    }
  }

  private mutating func checkTold(_ unit: UInt64) {
    if isUncached, let line = uncleanedTables.first {
      fault(.publishBeforeUse, "\(hex(line)) is not cleaned")
    }
    if let store = unpublished[record.cpu]?.first(where: {
      $0.entry?.kind.isOfITS == true && $0.entry?.unit == unit
    }) {
      fault(.publishBeforeUse, "\(hex(store.address)) is not published")
    }
  }

  private mutating func map(_ device: UInt32, _ table: Range<UInt64>, _ unit: UInt64) {
    if services[unit]?.tables[device] == table { return }
    unmap(device, unit)
    for page in Self.pages(table) {
      if !isVisible(page) { fault(.publishBeforeUse, "\(hex(page << 12)) is not published") }
      translationTables[page, default: 0] += 1
    }
    services[unit, default: WatchedITS()].tables[device] = table
  }

  private mutating func unmap(_ device: UInt32, _ unit: UInt64) {
    guard let table = services[unit]?.tables.removeValue(forKey: device),
      let targets = services[unit]?.targets
    else { return }
    if targets.isEmpty {
      release(table)
    } else {
      services[unit]?.unmapped.append(WatchedITS.Unmapped(bytes: table, targets: targets))
    }
  }

  private mutating func synchronise(_ target: UInt64, _ unit: UInt64) {
    guard let unmapped = services[unit]?.unmapped, !unmapped.isEmpty else { return }
    for index in unmapped.indices { services[unit]?.unmapped[index].targets.remove(target) }
    for table in services[unit]?.unmapped ?? [] where table.targets.isEmpty { release(table.bytes) }
    services[unit]?.unmapped.removeAll { $0.targets.isEmpty }
  }

  private mutating func release(_ table: Range<UInt64>) {
    for page in Self.pages(table) {
      let count = translationTables[page] ?? 1
      translationTables[page] = count > 1 ? count - 1 : nil
    }
  }

  private static func pages(_ bytes: Range<UInt64>) -> ClosedRange<UInt64> {
    bytes.lowerBound >> 12...(bytes.upperBound - 1) >> 12
  }
}
