// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

// Descriptors of translations: of CPUs, and of SMMUs.
extension TableChecker {
  mutating func checkDescriptor(_ store: LoggedStore, _ entry: LoggedEntry) {
    let old = TableDescriptor(raw: store.old)
    let new = TableDescriptor(raw: store.new)
    let (was, becomes) = (old.kind(level: entry.level), new.kind(level: entry.level))
    switch (was == .invalid, becomes == .invalid) {
    case (false, false): checkReplacement(old, new, entry)
    case (false, true): breaks(old, store.address, entry)
    case (true, false): checkMaking(new, store.address, entry)
    case (true, true): break
    }
    guard becomes != .invalid else { return }
    if becomes == .table {
      if !isPublished(new.table >> 12) {
        fault(.publishBeforeUse, "the table \(hex(new.table)) is not published")
      }
      if unlinked[new.table >> 12] != nil {
        fault(.invalidateBeforeReuse, "a walk may still be in the table \(hex(new.table))")
      }
    } else {
      let first = new.output(level: entry.level)
      let size = UInt64.ones(TableDescriptor.shift(level: entry.level))
      if let kind = lost.loser(of: first...first + size, besides: entry.kind) {
        fault(.invalidateBeforeReuse, "\(kind.rawValue) may still lead to \(hex(first))")
      }
    }
  }

  private mutating func checkReplacement(
    _ old: TableDescriptor, _ new: TableDescriptor, _ entry: LoggedEntry
  ) {
    let stage: UInt64 = entry.kind == .hypervisor ? 1 : 2
    guard
      old.unchangeable(level: entry.level, stage: stage)
        != new.unchangeable(level: entry.level, stage: stage)
    else { return }
    if entry.kind == .deviceStage2 {
      // Nothing but the size may change where all SMMUs bear that (IHI 0070, IDR3.BBML).
      let isSizeAlone = old.kind(level: entry.level) != new.kind(level: entry.level)
      let bears = units.values.allSatisfy { unit in
        unit.breakBeforeMake == 2
          || unit.breakBeforeMake == 1 && (old.isNotForTLB || new.isNotForTLB)
      }
      if isSizeAlone, bears { return }
    }
    fault(.breakBeforeMake, "valid before and behind")
  }

  private mutating func breaks(_ old: TableDescriptor, _ address: UInt64, _ entry: LoggedEntry) {
    var new = BrokenDescriptor(entry: entry, cpu: record.cpu, old: old)
    if entry.kind == .deviceStage2 {
      guard !units.isEmpty else { return }
      new.units = units.mapValues { _ in .kept }
    }
    if broken[address] != nil { forget(address) }
    broken[address] = new
    justBroken.append(address)
    if old.kind(level: entry.level) == .table {
      unlinked[old.table >> 12, default: 0] += 1
    } else {
      lost.insert(new, at: address)
    }
  }

  private mutating func checkMaking(
    _ new: TableDescriptor, _ address: UInt64, _ entry: LoggedEntry
  ) {
    guard let earlier = broken[address] else { return }
    // What is put back as it was is what anybody has cached.
    if earlier.old == new { return forget(address) }
    fault(
      .breakBeforeMake,
      earlier.isPublished ? "not invalidated since it was valid" : "not published as invalid")
    forget(address)
  }

  /// Nobody has anything of a descriptor any more.
  private mutating func forget(_ address: UInt64) {
    guard let gone = broken.removeValue(forKey: address) else { return }
    if gone.old.kind(level: gone.entry.level) == .table {
      let page = gone.old.table >> 12
      let count = unlinked[page] ?? 1
      unlinked[page] = count > 1 ? count - 1 : nil
    } else {
      lost.remove(gone, at: address)
    }
  }

  /// No CPU translates these addresses by what was published before.
  mutating func invalidate(_ kind: LoggedTable, _ addresses: ClosedRange<UInt64>) {
    guard !broken.isEmpty else { return }
    for (address, entry) in broken
    where entry.entry.kind == kind && entry.isPublished {
      // By one address what is cached of the levels above it goes as well.
      let isGone =
        entry.old.kind(level: entry.entry.level) == .table
        ? addresses.overlaps(entry.entry.addresses)
        : addresses.contains(entry.entry.addresses.lowerBound)
          && addresses.contains(entry.entry.addresses.upperBound)
      if isGone { forget(address) }
    }
  }

  // MARK: SMMUs

  mutating func begin(_ root: TableRoot) {
    if root.kind == .deviceStage2 { deviceVMID = root.vmid }
    for page in root.base >> 12...(root.base + max(root.size, 1) - 1) >> 12
    where root.kind != .hypervisor && !isPublished(page) && !root.kind.isOfITS {
      return fault(.publishBeforeUse, "\(hex(page << 12)) is not published")
    }
  }

  /// An SMMU has begun to forget what a command says.
  mutating func forget(_ unit: UInt64, _ action: SMMUAction) {
    guard !broken.isEmpty else { return }
    for (address, entry) in broken {
      guard entry.isPublished, let progress = entry.units[unit] else { continue }
      broken[address]?.units[unit] = progress.behind(
        action, entry.entry.addresses, isTable: entry.old.kind(level: entry.entry.level) == .table,
        deviceVMID)
    }
  }

  /// It has.
  mutating func confirm(_ unit: UInt64) {
    let isCombining = units[unit]?.isCombining == true
    for (address, entry) in broken {
      guard let progress = entry.units[unit] else { continue }
      switch progress {
      case .kept, .combined: continue
      case .forgetting(let combined) where isCombining && !combined:
        broken[address]?.units[unit] = .combined
      case .forgetting, .forgettingCombined: confirm(unit, address)
      }
    }
  }

  /// It keeps nothing of a descriptor.
  private mutating func confirm(_ unit: UInt64, _ address: UInt64) {
    broken[address]?.units[unit] = nil
    if broken[address]?.units.isEmpty == true { forget(address) }
  }

  /// It translates nothing any more.
  mutating func remove(_ unit: UInt64) {
    if let tables = units.removeValue(forKey: unit)?.tables {
      for table in tables { relink(table.bytes) }
    }
    for (address, entry) in broken where entry.units[unit] != nil { confirm(unit, address) }
  }

  mutating func unlink(_ bytes: Range<UInt64>) {
    for page in bytes.lowerBound >> 12...(bytes.upperBound - 1) >> 12 {
      unlinked[page, default: 0] += 1
    }
  }

  mutating func relink(_ bytes: Range<UInt64>) {
    for page in bytes.lowerBound >> 12...(bytes.upperBound - 1) >> 12 {
      let count = unlinked[page] ?? 1
      unlinked[page] = count > 1 ? count - 1 : nil
    }
  }
}

extension BrokenDescriptor.Progress {
  /// What comes of it when an SMMU carries out a command.
  fileprivate func behind(
    _ action: SMMUAction, _ addresses: ClosedRange<UInt64>, isTable: Bool, _ vmid: UInt16
  ) -> Self {
    switch action {
    case .invalidateBothStages(vmid), .invalidateAll: .forgetting(combined: true)
    case .invalidateStage2(vmid, let first, let last)
    where self == .kept && !isTable && first <= addresses.lowerBound
      && addresses.upperBound <= last:
      .forgetting(combined: false)
    case .invalidateCombined(vmid) where self == .combined: .forgettingCombined
    default: self
    }
  }
}
