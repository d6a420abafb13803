// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A descriptor of a translation that was valid, and of which something may be cached.
struct BrokenDescriptor {
  /// How far an SMMU has come.
  enum Progress: Hashable {
    /// It has not been told.
    case kept
    /// It has begun to forget what stage 2 alone says, or all.
    case forgetting(combined: Bool)
    /// It has forgotten that, and not what is combined with a stage 1.
    case combined
    /// It has begun to forget that as well.
    case forgettingCombined
  }

  var entry: LoggedEntry
  var cpu: UInt64
  /// What it was.
  var old: TableDescriptor
  var isPublished = false
  /// The SMMUs that have not confirmed.
  var units: [UInt64: Progress] = [:]

  var isOfCPUs: Bool { entry.kind != .deviceStage2 }
  /// The pages that it led to.
  var output: ClosedRange<UInt64> {
    let first = old.output(level: entry.level)
    return first...first + UInt64.ones(TableDescriptor.shift(level: entry.level))
  }
}

/// Pages that a table led to and that may be cached.
struct LostPages {
  private var pages: [LoggedTable: Set<UInt64>] = [:]
  private var blocks: [LoggedTable: [UInt64: ClosedRange<UInt64>]] = [:]

  mutating func insert(_ broken: BrokenDescriptor, at address: UInt64) {
    let output = broken.output
    if output.upperBound - output.lowerBound < 4096 {
      pages[broken.entry.kind, default: []].insert(output.lowerBound >> 12)
    } else {
      blocks[broken.entry.kind, default: [:]][address] = output
    }
  }

  mutating func remove(_ broken: BrokenDescriptor, at address: UInt64) {
    let output = broken.output
    if output.upperBound - output.lowerBound < 4096 {
      pages[broken.entry.kind]?.remove(output.lowerBound >> 12)
    } else {
      blocks[broken.entry.kind]?[address] = nil
    }
  }

  /// Which table may still lead to a page, others than `kind`.
  func loser(of page: UInt64, besides kind: LoggedTable) -> LoggedTable? {
    for (other, pages) in pages where other != kind && pages.contains(page) { return other }
    for (other, blocks) in blocks where other != kind && !blocks.isEmpty {
      if blocks.values.contains(where: { $0.contains(page << 12) }) { return other }
    }
    return nil
  }

  /// Which table may still lead into some addresses, others than `kind`.
  func loser(of addresses: ClosedRange<UInt64>, besides kind: LoggedTable) -> LoggedTable? {
    if addresses.upperBound - addresses.lowerBound < 4096 {
      return loser(of: addresses.lowerBound >> 12, besides: kind)
    }
    for (other, pages) in pages where other != kind {
      if pages.contains(where: { addresses.contains($0 << 12) }) { return other }
    }
    for (other, blocks) in blocks where other != kind {
      if blocks.values.contains(where: { $0.overlaps(addresses) }) { return other }
    }
    return nil
  }
}
