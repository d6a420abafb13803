// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A translation, or a pointer to a table, that an SMMU keeps.
struct CachedTranslation: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// Of stage 1 alone.
    case stage1
    /// Of stage 2 alone: from an IPA.
    case stage2
    /// Of both stages at once, from a virtual address; its IPA is forgotten.
    case combined
    /// A descriptor of stage 2 that points to a table.
    case table
  }

  /// Where it was read, for noticing that it is replaced while it lives.
  struct Source: Hashable, Sendable {
    var address: UInt64
    var descriptor: TableDescriptor
    var level: UInt64
  }

  var kind: Kind
  /// STRW: whose stage 1 it is; 0 is EL1, and 2 EL2, which has no VMID.
  var regime: UInt64 = 0
  var vmid: UInt16
  /// Of stage 1; nil where all have it.
  var asid: UInt16?
  /// The first address that it translates, and log2 of the bytes.
  var input: UInt64
  var log2: UInt64
  /// The first address that it comes to; of a table, where it is.
  var output: UInt64
  /// The level of the descriptor; of a combined one, that of stage 1.
  var level: UInt64
  var isReadable = true
  var isWritable = true
  var isUnprivileged = true
  var isDevice = false
  /// The descriptor of stage 2.
  var source: Source?

  func covers(_ address: UInt64) -> Bool { address >> log2 == input >> log2 }
  func overlaps(_ first: UInt64, _ last: UInt64) -> Bool {
    input <= last && first <= input + UInt64.ones(log2)
  }
  func translate(_ address: UInt64) -> UInt64 { output | address.low(log2) }
  /// Whether the two could answer for one address.
  func isSibling(of other: Self) -> Bool {
    kind == other.kind && regime == other.regime && vmid == other.vmid
      && (asid == nil || other.asid == nil || asid == other.asid)
  }
}

/// The TLB of an SMMU: what is in it stays until it is invalidated, or until there is no more room.
struct CachedTranslations: Hashable, Sendable {
  static let capacity = 256

  private(set) var entries: [CachedTranslation] = []
  /// The descriptors of stage 2 of which something is kept; others, too, for finding out which takes long.
  private(set) var sources: Set<UInt64> = []

  func first(
    _ kind: CachedTranslation.Kind, regime: UInt64 = 0, vmid: UInt16, asid: UInt16? = nil,
    _ address: UInt64
  ) -> CachedTranslation? {
    entries.first {
      $0.kind == kind && $0.covers(address) && $0.regime == regime && $0.vmid == vmid
        && ($0.asid == nil || $0.asid == asid)
    }
  }

  /// The deepest pointer to a table on the way to an IPA.
  func deepestTable(vmid: UInt16, _ address: UInt64) -> CachedTranslation? {
    var best: CachedTranslation?
    for entry in entries
    where entry.kind == .table && entry.vmid == vmid && entry.covers(address)
      && entry.level >= best?.level ?? 0
    {
      best = entry
    }
    return best
  }

  mutating func insert(_ entry: CachedTranslation) {
    if entries.contains(entry) { return }
    if entries.count == Self.capacity {
      entries.removeFirst()
      forgetSources()
    }
    entries.append(entry)
    if let source = entry.source { sources.insert(source.address) }
  }

  mutating func remove(where isGone: (CachedTranslation) -> Bool) {
    entries.removeAll(where: isGone)
    forgetSources()
  }

  private mutating func forgetSources() {
    guard sources.count > 4 * Self.capacity || entries.isEmpty else { return }
    sources = Set(entries.lazy.compactMap { $0.source?.address })
  }

  /// Takes what memory holds now for what was read, so that one change is noticed once.
  mutating func replaceSource(at address: UInt64, by descriptor: TableDescriptor) {
    for index in entries.indices where entries[index].source?.address == address {
      entries[index].source?.descriptor = descriptor
    }
  }
}
