// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

extension SimulatedITS {
  /// The register of a table that is valid.
  func table(_ kind: TableKind) -> GITSTableBase? {
    for (number, table) in configuration.tables.enumerated() where table.kind == kind {
      let base = GITSTableBase(rawValue: state.tableBases[number])
      if base.isValid { return base }
    }
    return nil
  }

  private func doublewords(_ kind: TableKind) -> UInt64 {
    kind != .vpes ? 1 : configuration.version == .gicv41 ? 4 : 2
  }

  private func limited(_ address: UInt64) -> UInt64 {
    address & (UInt64.max >> (64 - configuration.addressBits))
  }

  /// Where the entry of `id` is; nil where the table has no place for it.
  func address(_ kind: TableKind, _ id: UInt32) -> UInt64? {
    guard let table = table(kind) else { return nil }
    guard table.isIndirect else {
      let offset = UInt64(id) * table.entrySize
      return offset + table.entrySize <= table.size ? limited(table.base) + offset : nil
    }
    let perPage = table.pageSize.bytes / table.entrySize
    let index = UInt64(id) / perPage
    guard index * 8 < table.size, let page = page(kind, index, of: table) else { return nil }
    return page + UInt64(id) % perPage * table.entrySize
  }

  private func page(_ kind: TableKind, _ index: UInt64, of table: GITSTableBase) -> UInt64? {
    let place = FirstLevelPlace(kind: kind, index: index)
    let value: UInt64
    if let kept = state.firstLevels[place] {
      value = kept
    } else {
      value = readWord(
        limited(table.base) + index * 8, .firstLevel(kind), observer(table.attributes))
      if configuration.entryCache != .none, value >> 63 != 0 { state.firstLevels[place] = value }
    }
    return page(value, table.pageSize)
  }

  /// The page that an entry of the first level points to; hardware takes no notice of low bits.
  private func page(_ value: UInt64, _ size: TablePageSize) -> UInt64? {
    let entry = TableFirstLevelEntry(rawValue: value)
    return entry.isValid ? limited(entry.page) & ~(size.bytes - 1) : nil
  }

  /// The entry of `id`; nil where the table has no place for it.
  func entry(_ kind: TableKind, _ id: UInt32) -> TableEntry? {
    if let kept = state.entries[EntryPlace(kind: kind, id: id)] { return kept.entry }
    guard let table = table(kind), let address = address(kind, id) else { return nil }
    var entry = TableEntry()
    let seen = observer(table.attributes)
    entry.word0 = readWord(address, .table(kind), seen)
    if doublewords(kind) > 1 { entry.word1 = readWord(address + 8, .table(kind), seen) }
    if doublewords(kind) > 2 {
      entry.word2 = readWord(address + 16, .table(kind), seen)
      entry.word3 = readWord(address + 24, .table(kind), seen)
    }
    if configuration.entryCache != .none, entry.isValid {
      state.entries[EntryPlace(kind: kind, id: id)] = KeptEntry(entry: entry, isDirty: false)
    }
    return entry
  }

  /// Writes the entry of `id`; false where the table has no place for it.
  func setEntry(_ kind: TableKind, _ id: UInt32, _ entry: TableEntry) -> Bool {
    guard let address = address(kind, id) else { return false }
    let place = EntryPlace(kind: kind, id: id)
    switch configuration.entryCache {
    case .writeBack:
      state.entries[place] = KeptEntry(entry: entry, isDirty: true)
      return true
    case .writeThrough: state.entries[place] = KeptEntry(entry: entry, isDirty: false)
    case .none: break
    }
    store(kind, entry, at: address)
    return true
  }

  private func store(_ kind: TableKind, _ entry: TableEntry, at address: UInt64) {
    guard let table = table(kind) else { return }
    let seen = observer(table.attributes)
    writeWord(entry.word0, address, .table(kind), seen)
    if doublewords(kind) > 1 { writeWord(entry.word1, address + 8, .table(kind), seen) }
    if doublewords(kind) > 2 {
      writeWord(entry.word2, address + 16, .table(kind), seen)
      writeWord(entry.word3, address + 24, .table(kind), seen)
    }
  }

  /// Writes every entry back that memory doesn't have, as hardware may at any time.
  package func writeBackEntries() {
    for (place, kept) in state.entries where kept.isDirty {
      if let address = address(place.kind, place.id) { store(place.kind, kept.entry, at: address) }
      state.entries[place]?.isDirty = false
    }
  }

  // MARK: Interrupt Translation Tables

  private func translationAddress(_ device: TableEntry, _ event: UInt32) -> UInt64 {
    limited(device.translationTable) + UInt64(event) * configuration.translationEntrySize
  }

  func translation(_ device: TableEntry, _ event: UInt32) -> TranslationEntry {
    let address = translationAddress(device, event)
    let size = configuration.translationEntrySize
    gic.record(index, .translationTable, address, size, isWritten: false)
    func word(_ offset: UInt64) -> UInt64 {
      gic.memory.load(.word, at: address + offset, by: plainObserver)
    }
    return TranslationEntry(
      word: word(0) | word(4) << 32,
      doorbell: size > 8 ? UInt32(truncatingIfNeeded: word(8)) : 0)
  }

  func setTranslation(_ device: TableEntry, _ event: UInt32, _ entry: TranslationEntry) {
    let address = translationAddress(device, event)
    let size = configuration.translationEntrySize
    gic.record(index, .translationTable, address, size, isWritten: true)
    gic.memory.store(.word, entry.word, at: address, by: plainObserver)
    gic.memory.store(.word, entry.word >> 32, at: address + 4, by: plainObserver)
    if size > 8 {
      gic.memory.store(.word, UInt64(entry.doorbell), at: address + 8, by: plainObserver)
    }
  }

  // MARK: What the ITS can reach

  /// Everything that the ITS may read or write now: its queue, what its registers, its tables and
  /// its kept entries point to, and what was unmapped with no SYNC since.
  ///
  /// It walks the tables as the ITS sees them, all of them, so that an entry which was forged counts.
  package var reachable: [MemoryReach] {
    // Whatever its registers and tables are now, nothing looks at them before it is enabled.
    if state.isUnpowered { return [] }
    var found = unreadSlots
    if commandBase.isValid {
      found.append(
        MemoryReach(
          use: .queue, base: commandBase.base, size: commandBase.size, isWritten: false))
    }
    found += state.lingering.map(\.range)
    for kind in TableKind.allCases {
      guard let table = table(kind) else { continue }
      let base = limited(table.base)
      let seen = observer(table.attributes)
      if table.isIndirect {
        found.append(
          MemoryReach(use: .firstLevel(kind), base: base, size: table.size, isWritten: false))
        var values = state.firstLevels.filter { $0.key.kind == kind }.map(\.value)
        gic.memory.forEachNonzero(in: base, size: table.size, by: seen) { address, value in
          let place = FirstLevelPlace(kind: kind, index: (address - base) / 8)
          if state.firstLevels[place] == nil { values.append(value) }
        }
        for value in values {
          guard let page = page(value, table.pageSize) else { continue }
          reach(kind, page, table.pageSize.bytes, table, seen, into: &found)
        }
      } else {
        reach(kind, base, table.size, table, seen, into: &found)
      }
    }
    for (place, kept) in state.entries { reach(place.kind, kept.entry, into: &found) }
    for entry in state.heldCollections.values { reach(.collections, entry, into: &found) }
    return found
  }

  private func reach(
    _ kind: TableKind, _ base: UInt64, _ size: UInt64, _ table: GITSTableBase,
    _ seen: PhysicalMemory.Observer, into found: inout [MemoryReach]
  ) {
    found.append(MemoryReach(use: .table(kind), base: base, size: size, isWritten: true))
    let words = doublewords(kind)
    gic.memory.forEachNonzero(in: base, size: size, by: seen) { address, first in
      guard first >> 63 != 0, (address - base) % table.entrySize == 0,
        address - base + table.entrySize <= size
      else { return }
      var entry = TableEntry(first)
      if words > 1 { entry.word1 = gic.memory.load(.double, at: address + 8, by: seen) }
      if words > 2 { entry.word2 = gic.memory.load(.double, at: address + 16, by: seen) }
      reach(kind, entry, into: &found)
    }
  }

  private func reach(_ kind: TableKind, _ entry: TableEntry, into found: inout [MemoryReach]) {
    guard entry.isValid else { return }
    switch kind {
    case .devices: found.append(translationRange(entry))
    case .collections: reachTarget(entry.collectionTarget, into: &found)
    case .vpes:
      found.append(virtualPendingRange(entry))
      if entry.virtualConfiguration != 0 {
        found.append(
          MemoryReach(
            use: .virtualConfigurationTable, base: entry.virtualConfiguration,
            size: 1 << entry.virtualIDBits, isWritten: false))
      }
      reachTarget(entry.vpeTarget, into: &found)
    }
  }

  private func reachTarget(_ target: UInt64, into found: inout [MemoryReach]) {
    guard configuration.targetsAreAddresses, gic.redistributor(target, byAddress: true) == nil
    else { return }
    found.append(
      MemoryReach(use: .strayTarget, base: target << 16, size: 0x1_0000, isWritten: true))
  }

  func translationRange(_ device: TableEntry) -> MemoryReach {
    MemoryReach(
      use: .translationTable, base: limited(device.translationTable),
      size: configuration.translationEntrySize << device.eventIDBits, isWritten: true)
  }

  func virtualPendingRange(_ vpe: TableEntry) -> MemoryReach {
    MemoryReach(
      use: .virtualPendingTable, base: limited(vpe.virtualPendingTable),
      size: max(1 << vpe.virtualIDBits / 8, 1024), isWritten: true)
  }
}
