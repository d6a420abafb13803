// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

/// An I/O Remapping Table (Arm DEN 0049), and where its nodes begin.
struct IORT: ~Copyable {
  let table: BlobBytes
  /// Where the nodes begin, in bytes from the start of the table; each is greater than the one before.
  private var offsets = FixedList<1024, UInt32>(filler: 0)
  /// Where the table can't be read on: at a node that does not fit, or at the count of nodes, if they are too many.
  let broken: BoardNode?

  /// The newest revision of the table that is known.
  static var newestRevision: UInt8 { 6 }
  /// The most nodes that are read.
  static var nodeLimit: Int { 1024 }
  /// The most ID mappings of one node that are read.
  static var mappingLimit: Int { 256 }

  /// The table; nil where there is none.
  @inline(never)
  init?(_ tables: ACPITables) {
    guard let table = tables.table(.iort) else { return nil }
    self.table = table
    var walk = IORTWalk(table, tables)
    while let node = walk.next(in: tables) {
      _ = offsets.append(UInt32(truncatingIfNeeded: node.record.offset - table.offset))
    }
    broken = walk.broken
  }

  /// The revision of the table, where it is newer than what is known.
  func unknownRevision(in tables: ACPITables) -> UInt8? {
    guard let revision = tables.byte(table, at: 8), revision > Self.newestRevision else {
      return nil
    }
    return revision
  }

  /// How many nodes there are, up to where the table breaks off.
  var count: Int { offsets.count }

  /// The node with this index, which is below the count.
  func node(_ index: Int, in tables: ACPITables) -> IORTNode? {
    IORTNode(at: Int(offsets[index]), of: table, in: tables)
  }

  /// The node that begins so many bytes into the table.
  func node(at offset: UInt32, in tables: ACPITables) -> IORTNode? {
    index(of: offset).flatMap { node($0, in: tables) }
  }

  /// The index of the node that begins so many bytes into the table.
  func index(of offset: UInt32) -> Int? {
    var (low, high) = (0, offsets.count)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if offsets[middle] <= offset { low = middle } else { high = middle }
    }
    return low < offsets.count && offsets[low] == offset ? low : nil
  }
}

/// A node.
struct IORTNode {
  /// What a node is.
  enum Kind: UInt8 {
    case itsGroup, namedComponent, rootComplex, smmuV2, smmuV3, pmcg, reservedMemory
  }
  /// What it is; nil where that is not known.
  let kind: Kind?
  /// The revision of its kind.
  let revision: UInt8
  /// All of it.
  let record: BlobBytes

  /// Where it is.
  var node: BoardNode { record.node() }

  /// The node that begins `position` bytes into a table; nil where it would end beyond it.
  init?(at position: Int, of table: BlobBytes, in tables: ACPITables) {
    let place = BlobBytes(offset: table.offset + position, count: max(table.count - position, 0))
    guard let type = tables.byte(place, at: 0), let length = tables.half(place, at: 1),
      let revision = tables.byte(place, at: 3), length >= 16, Int(length) <= place.count
    else { return nil }
    kind = Kind(rawValue: type)
    self.revision = revision
    record = BlobBytes(offset: place.offset, count: Int(length))
  }

  /// How many ID mappings it has; nil where they do not lie in it, or are too many.
  func mappingCount(in tables: ACPITables) -> Int? {
    guard let count = tables.word(record, at: 8), let start = tables.word(record, at: 12) else {
      return nil
    }
    guard count > 0 else { return 0 }
    guard count <= UInt32(IORT.mappingLimit), start >= 16,
      Int(start) + IDMapping.size * Int(count) <= record.count
    else { return nil }
    return Int(count)
  }

  /// The mapping with this index of `count`.
  ///
  /// The field that has the number of IDs has one less, and some firmware forgets it. So the last ID is not the
  /// mapping's where another one begins with it.
  func mapping(_ index: Int, of count: Int, in tables: ACPITables) -> IDMapping? {
    guard let start = tables.word(record, at: 12), let told = toldMapping(index, in: tables)
    else { return nil }
    guard let inputs = told.inputs, inputs.first < inputs.last else { return told }
    for other in 0..<count where other != index {
      let place = Int(start) + IDMapping.size * other
      guard tables.word(record, at: place) == inputs.last,
        tables.word(record, at: place + 16).map({ $0 & 1 == 0 }) == true
      else { continue }
      return IDMapping(
        told.base, extra: inputs.last - inputs.first - 1, told.output, to: told.reference,
        isSingle: false)
    }
    return told
  }

  /// The mapping with this index as it is told: no ID of the real one is not in it.
  func toldMapping(_ index: Int, in tables: ACPITables) -> IDMapping? {
    guard let start = tables.word(record, at: 12) else { return nil }
    let offset = Int(start) + IDMapping.size * index
    guard let first = tables.word(record, at: offset),
      let extra = tables.word(record, at: offset + 4),
      let output = tables.word(record, at: offset + 8),
      let reference = tables.word(record, at: offset + 12),
      let flags = tables.word(record, at: offset + 16)
    else { return nil }
    return IDMapping(first, extra: extra, output, to: reference, isSingle: flags & 1 == 1)
  }

  /// The index of the mapping of an SMMUv3 that has its own DeviceID; nil where it has none.
  ///
  /// Before revision 5 it counts unless all interrupts are wired, and not at all before revision 1.
  func deviceIDMapping(in tables: ACPITables) -> Int? {
    guard kind == .smmuV3, revision >= 1, let index = tables.word(record, at: 64),
      let flags = tables.word(record, at: 24)
    else { return nil }
    if revision >= 5 { return flags >> 4 & 1 == 1 ? Int(index) : nil }
    for offset in stride(from: 44, through: 56, by: 4) where tables.word(record, at: offset) == 0 {
      return Int(index)
    }
    return nil
  }
}

/// An ID mapping: which IDs become which, at which node.
struct IDMapping {
  /// The bytes of one.
  static var size: Int { 20 }

  /// The first ID, as it is told.
  let base: UInt32
  /// The IDs that are mapped; nil where they, or those that come of them, pass 32 bits, and of a single mapping,
  /// which is for the node itself.
  let inputs: IDRange?
  /// What the first of them becomes.
  let output: UInt32
  /// Where the node that they go to begins in the table.
  let reference: UInt32
  /// Whether the node has one ID, which is `output`.
  let isSingle: Bool

  init(_ base: UInt32, extra: UInt32, _ output: UInt32, to reference: UInt32, isSingle: Bool) {
    self.base = base
    self.output = output
    self.reference = reference
    self.isSingle = isSingle
    let (last, overflow) = base.addingReportingOverflow(extra)
    let passes = overflow || extra > UInt32.max - output
    inputs = passes || isSingle ? nil : IDRange(base, through: last)
  }

  /// What IDs of `inputs` become.
  func outputs(of part: IDRange) -> IDRange? {
    guard let inputs, inputs.first <= part.first, part.last <= inputs.last else { return nil }
    let first = output + (part.first - inputs.first)
    return IDRange(first, through: first + (part.last - part.first))
  }
}

extension IDRange {
  /// The numbers that both have; nil: none.
  func intersection(_ other: IDRange) -> IDRange? {
    IDRange(max(first, other.first), through: min(last, other.last))
  }
}

/// The nodes of an IORT, in their order.
struct IORTWalk {
  private let table: BlobBytes
  private var position: Int
  private var left: UInt32
  /// Where the walk broke off: at a node that does not fit, or the first one too many.
  private(set) var broken: BoardNode?
  /// Whether there are too many nodes.
  private(set) var isTooLong = false

  init(_ table: BlobBytes, _ tables: ACPITables) {
    self.table = table
    let count = tables.word(table, at: 36)
    let start = tables.word(table, at: 40)
    left = count ?? 0
    position = Int(start ?? 0)
    // Nodes begin behind what tells where they do.
    if count == nil || start == nil {
      broken = table.node(at: 4)
    } else if left > 0, position < 48 {
      broken = table.node(at: 40)
    } else if left > UInt32(IORT.nodeLimit) {
      broken = table.node(at: 36)
      isTooLong = true
    }
  }

  /// The next node; nil at the end, and where the walk breaks off.
  mutating func next(in tables: ACPITables) -> IORTNode? {
    guard left > 0, broken == nil else { return nil }
    guard let node = IORTNode(at: position, of: table, in: tables) else {
      broken = table.node(at: min(position, table.count - 1))
      return nil
    }
    left -= 1
    position += node.record.count
    return node
  }
}
