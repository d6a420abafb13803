// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import SMMU

/// Which memory is which table, found from where hardware's registers point, by what memory holds.
///
/// It knows the words that EL2 has stored, and so finds a table that was complete before anything led to it.
struct TableMap {
  /// A table that is no whole pages, or has no descriptors of translations.
  private struct Part {
    var kind: LoggedTable
    var unit: UInt64
    var bytes: Range<UInt64>
    /// The index of the first entry, or its first StreamID.
    var input: UInt64
    /// Of a first level: the bytes of a table of the second, or log2 of its StreamIDs.
    var below: UInt64 = 0
  }

  private enum Role {
    case translation(LoggedTable, level: UInt64, input: UInt64)
    case parts([Part])
  }

  private var roles: [UInt64: Role] = [:]
  private var words: [UInt64: [UInt64]] = [:]
  /// How many descriptors of a unit's first level lead to a table of streams.
  private var leads: [UInt64: [UInt64: Int]] = [:]
  private var roots: Set<TableRoot> = []
  private var combining: Set<UInt64> = []
  /// What was found that is an event of its own.
  var found: [TableEvent] = []

  private func word(_ address: UInt64) -> UInt64 {
    words[address >> 12]?[Int(address >> 3 & 511)] ?? 0
  }

  // MARK: Roots

  /// A table of translations is walked from now on; false where that is known.
  mutating func add(_ root: TableRoot) {
    guard roots.insert(root).inserted else { return }
    found.append(.root(root))
    let span: UInt64 = 512 << TableDescriptor.shift(level: root.level)
    for index in 0..<max(root.size >> 12, 1) {
      assign(root.kind, root.base + index << 12, root.level, index * span)
    }
  }

  private mutating func assign(
    _ kind: LoggedTable, _ table: UInt64, _ level: UInt64, _ input: UInt64
  ) {
    if case .translation(kind, level, input) = roles[table >> 12] { return }
    roles[table >> 12] = .translation(kind, level: level, input: input)
    guard level < 3, let words = words[table >> 12] else { return }
    for (index, word) in words.enumerated() where word & 0b11 == 0b11 {
      assign(
        kind, TableDescriptor(raw: word).table, level + 1,
        input + UInt64(index) << TableDescriptor.shift(level: level))
    }
  }

  private mutating func withdraw(_ table: UInt64, _ level: UInt64) {
    guard case .translation(_, level, _) = roles.removeValue(forKey: table >> 12), level < 3,
      let words = words[table >> 12]
    else { return }
    for word in words where word & 0b11 == 0b11 {
      withdraw(TableDescriptor(raw: word).table, level + 1)
    }
  }

  private mutating func add(_ part: Part) {
    for page in part.bytes.lowerBound >> 12...(part.bytes.upperBound - 1) >> 12 {
      if case .parts(var parts) = roles[page] {
        parts.removeAll { $0.bytes.overlaps(part.bytes) }
        roles[page] = .parts(parts + [part])
      } else {
        roles[page] = .parts([part])
      }
    }
  }

  private mutating func remove(where isGone: (Part) -> Bool) {
    roles = roles.compactMapValues { role in
      guard case .parts(let parts) = role else { return role }
      let left = parts.filter { !isGone($0) }
      return left.isEmpty ? nil : .parts(left)
    }
  }

  // MARK: SMMUs

  /// An SMMU's command queue is on.
  mutating func addQueue(_ base: SMMUQueueBase, of unit: UInt64) {
    let size = SMMUCommand.size << base.log2
    remove { $0.unit == unit && $0.kind == .smmuQueue }
    add(
      Part(kind: .smmuQueue, unit: unit, bytes: base.base..<base.base + size, input: 0))
    found.append(
      .root(TableRoot(.smmuQueue, base: base.base, size: size, unit: unit)))
  }

  /// An SMMU goes by a stream table.
  mutating func addStreams(_ base: StreamTableBase, _ shape: StreamTableShape, of unit: UInt64) {
    removeStreams(of: unit)
    guard shape.isTwoLevel == true else {
      return addEntries(base.base, first: 0, log2: shape.log2, unit, isRoot: true)
    }
    let split = UInt64((shape.split ?? .kib4).rawValue)
    let count: UInt64 = shape.log2 > split ? 1 << (shape.log2 - split) : 1
    let size = count * StreamTableDescriptor.size
    found.append(.root(TableRoot(.streamDescriptor, base: base.base, size: size, unit: unit)))
    add(
      Part(
        kind: .streamDescriptor, unit: unit, bytes: base.base..<base.base + size, input: 0,
        below: split))
    for index in 0..<count {
      follow(StreamTableDescriptor(rawValue: word(base.base + index * 8)), index << split, unit)
    }
  }

  /// It goes by none any more.
  mutating func removeStreams(of unit: UInt64) {
    remove { $0.unit == unit && ($0.kind == .streamDescriptor || $0.kind == .streamEntry) }
    leads[unit] = nil
    combining.remove(unit)
  }

  private mutating func follow(
    _ descriptor: StreamTableDescriptor, _ stream: UInt64, _ unit: UInt64
  ) {
    guard let log2 = descriptor.log2 else { return }
    leads[unit, default: [:]][descriptor.table, default: 0] += 1
    if leads[unit]?[descriptor.table] == 1 {
      addEntries(descriptor.table, first: stream, log2: log2, unit, isRoot: false)
    }
  }

  private mutating func leave(_ descriptor: StreamTableDescriptor, _ unit: UInt64) {
    guard descriptor.log2 != nil, let count = leads[unit]?[descriptor.table] else { return }
    leads[unit]?[descriptor.table] = count > 1 ? count - 1 : nil
    guard count == 1 else { return }
    remove {
      $0.unit == unit && $0.kind == .streamEntry && $0.bytes.lowerBound == descriptor.table
    }
  }

  private mutating func addEntries(
    _ table: UInt64, first: UInt64, log2: UInt64, _ unit: UInt64, isRoot: Bool
  ) {
    let size = StreamTableEntry.size << log2
    if isRoot {
      found.append(.root(TableRoot(.streamEntry, base: table, size: size, unit: unit)))
    }
    add(Part(kind: .streamEntry, unit: unit, bytes: table..<table + size, input: first))
    for address in stride(from: table, to: table + size, by: Int(StreamTableEntry.size)) {
      read(address, unit)
    }
  }

  /// Finds what an entry of a stream leads to.
  private mutating func read(_ address: UInt64, _ unit: UInt64) {
    let entry = StreamTableEntry(
      word(address), word(address + 8), word(address + 16), word(address + 24))
    guard entry.isValid, entry.configuration?.hasStage2 == true, entry.stage2Granule == 0 else {
      return
    }
    if entry.configuration == .nested, combining.insert(unit).inserted {
      found.append(.smmu(unit, .combine))
    }
    let level = 2 &- min(entry.stage2StartLevel, 2)
    let bits = 64 &- entry.stage2InputSize
    let tableBits = TableDescriptor.shift(level: level) + 9
    add(
      TableRoot(
        .deviceStage2, base: entry.stage2Table, size: 4096 << (max(bits, tableBits) - tableBits),
        level: level, vmid: entry.vmid.rawValue))
  }

  // MARK: ITSes

  /// An ITS is enabled with these.
  mutating func addITS(
    _ unit: UInt64, _ queue: GITSCommandBase, _ tables: [GITSTableBase]
  ) {
    remove { $0.unit == unit && $0.kind.isOfITS }
    if queue.isValid { addITS(.itsQueue, unit, queue.base, queue.size) }
    for table in tables where table.isValid && table.kind != .none {
      guard table.isIndirect else {
        addITS(.itsTable, unit, table.base, table.size)
        continue
      }
      addITS(.itsFirstLevel, unit, table.base, table.size, below: table.pageSize.bytes)
      for address in stride(from: table.base, to: table.base + table.size, by: 8) {
        follow(word(address), (address - table.base) / 8, table.pageSize.bytes, unit)
      }
    }
  }

  private mutating func addITS(
    _ kind: LoggedTable, _ unit: UInt64, _ base: UInt64, _ size: UInt64, below: UInt64 = 0
  ) {
    found.append(.root(TableRoot(kind, base: base, size: size, unit: unit)))
    add(Part(kind: kind, unit: unit, bytes: base..<base + size, input: 0, below: below))
  }

  private mutating func follow(
    _ entry: UInt64, _ index: UInt64, _ size: UInt64, _ unit: UInt64
  ) {
    guard entry >> 63 == 1 else { return }
    let table = entry.masked(51, 12)
    add(Part(kind: .itsTable, unit: unit, bytes: table..<table + size, input: index))
  }

  // MARK: Stores

  /// What the doubleword at `address` is.
  func entry(at address: UInt64) -> LoggedEntry? {
    switch roles[address >> 12] {
    case nil: return nil
    case .translation(let kind, let level, let input):
      let index = address >> 3 & 511
      return LoggedEntry(
        kind, level: level, input: input + index << TableDescriptor.shift(level: level))
    case .parts(let parts):
      guard let part = parts.first(where: { $0.bytes.contains(address) }) else { return nil }
      return entry(at: address, in: part)
    }
  }

  private func entry(at address: UInt64, in part: Part) -> LoggedEntry {
    let offset = address - part.bytes.lowerBound
    switch part.kind {
    case .streamEntry:
      let index = offset >> 3 & 7
      return LoggedEntry(
        .streamEntry, level: index, input: part.input + offset / StreamTableEntry.size,
        unit: part.unit, isUsed: isUsed(index, address & ~63))
    case .streamDescriptor:
      return LoggedEntry(
        .streamDescriptor, level: 0, input: (offset / 8) << part.below, unit: part.unit)
    case .smmuQueue:
      return LoggedEntry(.smmuQueue, level: offset >> 3 & 1, input: offset / 16, unit: part.unit)
    case .itsQueue:
      return LoggedEntry(.itsQueue, level: offset >> 3 & 3, input: offset / 32, unit: part.unit)
    default:
      return LoggedEntry(part.kind, level: 0, input: part.input + offset / 8, unit: part.unit)
    }
  }

  /// Whether doubleword `index` of a stream table entry counts.
  private func isUsed(_ index: UInt64, _ address: UInt64) -> Bool {
    let entry = StreamTableEntry(word(address))
    guard entry.isValid else { return false }
    return switch index {
    case 0: true
    case 1: entry.configuration?.hasStage1 == true
    case 2, 3: entry.configuration?.hasStage2 == true
    default: false
    }
  }

  /// Takes note of a store, and of what the doubleword leads to from now on.
  mutating func note(_ store: LoggedStore) {
    let page = store.address >> 12
    words[page, default: Array(repeating: 0, count: 512)][Int(store.address >> 3 & 511)] =
      store.new
    guard let entry = store.entry else { return }
    switch entry.kind {
    case .stage2, .hypervisor, .deviceStage2:
      guard entry.level < 3 else { return }
      if store.old & 0b11 == 0b11 {
        withdraw(TableDescriptor(raw: store.old).table, entry.level + 1)
      }
      if store.new & 0b11 == 0b11 {
        assign(entry.kind, TableDescriptor(raw: store.new).table, entry.level + 1, entry.input)
      }
    case .streamEntry: if entry.level == 0 { read(store.address, entry.unit) }
    case .streamDescriptor:
      leave(StreamTableDescriptor(rawValue: store.old), entry.unit)
      follow(StreamTableDescriptor(rawValue: store.new), entry.input, entry.unit)
    case .itsFirstLevel:
      guard case .parts(let parts) = roles[page],
        let part = parts.first(where: { $0.bytes.contains(store.address) })
      else { return }
      follow(store.new, entry.input, part.below, entry.unit)
    case .smmuQueue, .itsTable, .itsQueue: break
    }
  }
}
