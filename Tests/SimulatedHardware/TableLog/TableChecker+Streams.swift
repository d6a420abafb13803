// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU

/// An SMMU that translates.
struct WatchedSMMU {
  /// What has changed of a stream, or of a group of streams.
  struct Change {
    var streams: ClosedRange<UInt64>
    /// Of a group: the table that it had.
    var bytes: Range<UInt64> = 0..<0
    var isPublished = false
    var isForgetting = false
  }

  /// IDR3.BBML.
  var breakBeforeMake: UInt64
  /// Whether it has combined a stage 1 with stage 2.
  var isCombining = false
  /// Entries of which a doubleword behind the first has changed.
  var entries: [UInt64: Change] = [:]
  /// Tables that no descriptor leads to any more.
  var tables: [Change] = []

  mutating func publish() {
    for stream in entries.keys { entries[stream]?.isPublished = true }
    for index in tables.indices { tables[index].isPublished = true }
  }

  mutating func forget(_ streams: ClosedRange<UInt64>, isLeaf: Bool) {
    for (stream, change) in entries where change.isPublished && streams.contains(stream) {
      entries[stream]?.isForgetting = true
    }
    guard !isLeaf else { return }
    for index in tables.indices
    where tables[index].isPublished
      && (streams.contains(tables[index].streams.lowerBound)
        && streams.contains(tables[index].streams.upperBound)
        || tables[index].streams.contains(streams.lowerBound) && streams.count == 1)
    { tables[index].isForgetting = true }
  }
}

// Stream tables (IHI 0070, 3.21.3).
extension TableChecker {
  mutating func checkStream(_ store: LoggedStore, _ entry: LoggedEntry) {
    guard entry.kind == .streamEntry else { return checkGroup(store, entry) }
    let new = StreamTableEntry(store.new)
    let change = units[entry.unit]?.entries[entry.input]
    guard entry.level == 0 else {
      if entry.isUsed { fault(.breakBeforeMake, "the entry is valid") }
      units[entry.unit]?.entries[entry.input] = WatchedSMMU.Change(
        streams: entry.input...entry.input)
      return
    }
    guard new.isValid, new.configuration?.hasStage2 == true else { return }
    if !entry.isUsed, !isPublished(store.address >> 12) {
      fault(.publishBeforeUse, "the rest of the entry is not published")
    }
    let isNewlyUsed = !entry.isUsed || new.configuration?.hasStage1 == true
    if isNewlyUsed, change != nil {
      fault(.breakBeforeMake, "the rest of the entry is not invalidated")
    }
  }

  private mutating func checkGroup(_ store: LoggedStore, _ entry: LoggedEntry) {
    let old = StreamTableDescriptor(rawValue: store.old)
    let new = StreamTableDescriptor(rawValue: store.new)
    if new.log2 != nil {
      if !isPublished(new.table >> 12) {
        fault(.publishBeforeUse, "the table \(hex(new.table)) is not published")
      }
      if unlinked[new.table >> 12] != nil, old.table != new.table {
        fault(.invalidateBeforeReuse, "an SMMU may still read the table \(hex(new.table))")
      }
    }
    guard let log2 = old.log2, old.table != new.table else { return }
    let bytes = old.table..<old.table + StreamTableEntry.size << log2
    units[entry.unit]?.tables.append(
      WatchedSMMU.Change(streams: entry.input...entry.input + .ones(log2), bytes: bytes))
    unlink(bytes)
  }

  mutating func check(_ action: SMMUAction, _ unit: UInt64) {
    switch action {
    case .enable(let level): units[unit] = WatchedSMMU(breakBeforeMake: level)
    case .disable: remove(unit)
    case .combine: units[unit]?.isCombining = true
    case .tell:
      if let store = unpublished[record.cpu]?.first(where: {
        $0.entry?.kind == .smmuQueue && $0.entry?.unit == unit
      }) {
        fault(.publishBeforeUse, "the command at \(hex(store.address)) is not published")
      }
    case .sync: synchronise(unit)
    case .configure(let first, let last, let isLeaf):
      units[unit]?.forget(first...last, isLeaf: isLeaf)
    case .invalidateStage2, .invalidateBothStages, .invalidateCombined, .invalidateAll:
      forget(unit, action)
    case .other: break
    }
  }

  private mutating func synchronise(_ unit: UInt64) {
    confirm(unit)
    guard let watched = units[unit] else { return }
    for table in watched.tables where table.isForgetting { relink(table.bytes) }
    if !watched.tables.isEmpty { units[unit]?.tables.removeAll { $0.isForgetting } }
    for (stream, change) in watched.entries where change.isForgetting {
      units[unit]?.entries[stream] = nil
    }
  }
}
