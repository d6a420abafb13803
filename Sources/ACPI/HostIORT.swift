// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Boards

/// Why an IORT for the host could not be made.
public enum HostIORTError: Error, Hashable, Sendable {
  /// There is no IORT.
  case missing
  /// The buffer is too small.
  case noSpace
  /// The table, the node or a mapping of it can't be followed, so that not all of it could be hidden.
  case unreadable(BoardNode)
  /// Nothing is known of the node, which may refer to an SMMU.
  case unknown(BoardNode)
  /// The node would have more bytes than a node can.
  case tooLong(BoardNode)
}

/// The IORT that a host is given whose SMMUs are EL2's: without SMMUv3s and their performance monitors.
///
/// What leads to an SMMUv3 leads to where that leads: root complexes and named components to groups of ITSes, with the
/// DeviceIDs that they had. Reserved memory that is for streams of an SMMUv3 alone is left out. Older SMMUs stay.
public enum HostIORT {
  /// Writes the table into `buffer`, with its checksum.
  ///
  /// - Returns: how many bytes it has.
  /// - Throws: `HostIORTError`; the buffer's content is then of no use.
  @inline(never)
  public static func write(
    from tables: ACPITables, into buffer: inout MutableSpan<UInt8>
  ) throws(HostIORTError) -> Int {
    guard let iort = IORT(tables) else { throw .missing }
    guard iort.broken == nil, iort.unknownRevision(in: tables) == nil else {
      throw .unreadable(iort.table.node(at: 8))
    }
    var places = Places(filler: 0)
    var end = headSize
    var count: UInt32 = 0
    for index in 0..<iort.count {
      let node = try node(index, iort, tables)
      let mappings = try mappingCount(of: node, iort, tables)
      guard let mappings else {
        _ = places.append(0)
        continue
      }
      _ = places.append(UInt32(truncatingIfNeeded: end))
      let length = contentCount(of: node, mappings: mappings, tables) + IDMapping.size * mappings
      guard length <= UInt16.max else { throw .tooLong(node.node) }
      end += length
      count += 1
    }
    guard end <= buffer.count else { throw .noSpace }
    for index in 0..<end {
      buffer[index] = index < ACPITables.headerSize ? tables.bytes[iort.table.offset + index] : 0
    }
    store(UInt32(truncatingIfNeeded: end), 4, at: 4, in: &buffer)
    store(count, 4, at: 36, in: &buffer)
    store(UInt32(headSize), 4, at: 40, in: &buffer)
    for index in 0..<iort.count where places[index] != 0 {
      try write(
        try node(index, iort, tables), places, at: Int(places[index]), iort, tables, &buffer)
    }
    var sum: UInt8 = 0
    buffer[9] = 0
    for index in 0..<end { sum &+= buffer[index] }
    buffer[9] = 0 &- sum
    return end
  }

  /// Where nodes begin in the new table, by their index in the old one; zero: not at all.
  private typealias Places = FixedList<1024, UInt32>

  /// More mappings than a node has room for.
  private static var mappingLimit: Int { Int(UInt16.max) / IDMapping.size }
  /// The bytes before the first node.
  private static var headSize: Int { 48 }

  private static func node(
    _ index: Int, _ iort: borrowing IORT, _ tables: ACPITables
  ) throws(HostIORTError) -> IORTNode {
    guard let node = iort.node(index, in: tables) else { throw .unreadable(iort.table.node(at: 8)) }
    return node
  }

  /// How many mappings a node has in the new table; nil where the node is left out.
  private static func mappingCount(
    of node: IORTNode, _ iort: borrowing IORT, _ tables: ACPITables
  ) throws(HostIORTError) -> Int? {
    switch node.kind {
    case .smmuV3, .pmcg: return nil
    case nil: throw .unknown(node.node)
    case .itsGroup, .namedComponent, .rootComplex, .smmuV2, .reservedMemory: break
    }
    var count = 0
    var mappings = try HostMappings(of: node, tables)
    while try mappings.next(iort, tables) != nil {
      count += 1
      guard count <= mappingLimit else { throw .tooLong(node.node) }
    }
    // Memory that is reserved for no stream that is left.
    if node.kind == .reservedMemory, count == 0, node.mappingCount(in: tables) != 0 { return nil }
    return count
  }

  /// The bytes before the mappings in the new table.
  private static func contentCount(of node: IORTNode, mappings: Int, _ tables: ACPITables) -> Int {
    let old = oldMappings(of: node, tables)
    let content =
      old.upperBound == node.record.count && !old.isEmpty ? old.lowerBound : node.record.count
    return mappings > 0 ? (content + 3) & ~3 : content
  }

  /// Where the mappings are in the old node.
  private static func oldMappings(of node: IORTNode, _ tables: ACPITables) -> Range<Int> {
    guard let count = node.mappingCount(in: tables), count > 0,
      let start = tables.word(node.record, at: 12)
    else { return 0..<0 }
    return Int(start)..<(Int(start) + IDMapping.size * count)
  }

  /// Writes a node with its mappings.
  private static func write(
    _ node: IORTNode, _ places: borrowing Places, at place: Int, _ iort: borrowing IORT,
    _ tables: ACPITables, _ buffer: inout MutableSpan<UInt8>
  ) throws(HostIORTError) {
    let count = try mappingCount(of: node, iort, tables) ?? 0
    let content = contentCount(of: node, mappings: count, tables)
    let old = oldMappings(of: node, tables)
    for offset in 0..<min(content, node.record.count) where !old.contains(offset) {
      buffer[place + offset] = tables.bytes[node.record.offset + offset]
    }
    store(UInt32(content + IDMapping.size * count), 2, at: place + 1, in: &buffer)
    store(UInt32(count), 4, at: place + 8, in: &buffer)
    store(count > 0 ? UInt32(content) : 0, 4, at: place + 12, in: &buffer)
    var mappings = try HostMappings(of: node, tables)
    var offset = place + content
    while let mapping = try mappings.next(iort, tables) {
      guard let target = iort.index(of: mapping.reference), places[target] != 0 else {
        throw .unreadable(node.node)
      }
      store(mapping.first, 4, at: offset, in: &buffer)
      store(mapping.extra, 4, at: offset + 4, in: &buffer)
      store(mapping.output, 4, at: offset + 8, in: &buffer)
      store(places[target], 4, at: offset + 12, in: &buffer)
      store(mapping.isSingle ? 1 : 0, 4, at: offset + 16, in: &buffer)
      offset += IDMapping.size
    }
  }

  /// Stores the low bytes of a number, least first.
  private static func store(
    _ value: UInt32, _ count: Int, at offset: Int, in buffer: inout MutableSpan<UInt8>
  ) {
    for index in 0..<count {
      buffer[offset + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * index))
    }
  }
}

/// A mapping for the host.
private struct HostMapping {
  let first: UInt32
  /// How many IDs there are, less one.
  let extra: UInt32
  let output: UInt32
  /// Where the node that it leads to begins in the old table.
  let reference: UInt32
  let isSingle: Bool
}

/// The mappings that a node has without SMMUv3s, in their order.
private struct HostMappings {
  private let node: IORTNode
  private let count: Int
  private var index = 0
  /// The mapping that leads to an SMMU, while those of the SMMU are gone through.
  private var leading: Leading?

  private struct Leading {
    let mapping: IDMapping
    let streams: IDRange
    let smmu: IORTNode
    let count: Int
    var index = 0
  }

  init(of node: IORTNode, _ tables: ACPITables) throws(HostIORTError) {
    guard let count = node.mappingCount(in: tables) else { throw .unreadable(node.node) }
    self.node = node
    self.count = count
  }

  /// The next one; nil at the end.
  mutating func next(
    _ iort: borrowing IORT, _ tables: ACPITables
  ) throws(HostIORTError) -> HostMapping? {
    while true {
      if let composed = try nextOfSMMU(iort, tables) { return composed }
      guard index < count else { return nil }
      guard let mapping = node.mapping(index, of: count, in: tables),
        mapping.isSingle || mapping.inputs != nil,
        let target = iort.node(at: mapping.reference, in: tables)
      else { throw .unreadable(node.node) }
      index += 1
      switch (target.kind, node.kind) {
      case (.smmuV3, .reservedMemory): continue
      case (.smmuV3, .rootComplex), (.smmuV3, .namedComponent):
        // A bus has not one ID for all that it does.
        guard !mapping.isSingle || node.kind == .namedComponent,
          let streams = mapping.isSingle
            ? IDRange(mapping.output, count: 1)
            : mapping.inputs.flatMap({ mapping.outputs(of: $0) }),
          let count = target.mappingCount(in: tables)
        else { throw .unreadable(node.node) }
        leading = Leading(mapping: mapping, streams: streams, smmu: target, count: count)
      case (.itsGroup, _), (.smmuV2, _):
        return HostMapping(
          first: mapping.base, extra: mapping.inputs.map { $0.last - $0.first } ?? 0,
          output: mapping.output, reference: mapping.reference, isSingle: mapping.isSingle)
      default: throw .unreadable(node.node)
      }
    }
  }

  /// The next one that comes of a mapping to an SMMU and those of the SMMU.
  private mutating func nextOfSMMU(
    _ iort: borrowing IORT, _ tables: ACPITables
  ) throws(HostIORTError) -> HostMapping? {
    while let current = leading {
      guard current.index < current.count else {
        leading = nil
        return nil
      }
      leading?.index += 1
      guard let told = current.smmu.toldMapping(current.index, in: tables),
        told.isSingle || told.inputs != nil
      else { throw .unreadable(current.smmu.node) }
      // Single ones are for what the SMMU sends by itself.
      guard told.inputs?.intersection(current.streams) != nil,
        let own = current.smmu.mapping(current.index, of: current.count, in: tables),
        let part = own.inputs?.intersection(current.streams), let output = own.outputs(of: part)
      else { continue }
      guard iort.node(at: own.reference, in: tables)?.kind == .itsGroup else {
        throw .unreadable(current.smmu.node)
      }
      let isSingle = current.mapping.isSingle
      return HostMapping(
        first: isSingle ? 0 : current.mapping.base + (part.first - current.streams.first),
        extra: part.last - part.first, output: output.first, reference: own.reference,
        isSingle: isSingle)
    }
    return nil
  }
}
