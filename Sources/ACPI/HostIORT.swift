// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Boards

/// Why an IORT for the host could not be made.
public enum HostIORTError: Error, Hashable, Sendable {
  /// There is no IORT, or it can't be read to its end.
  case unreadable
  /// There is no room for it.
  case noSpace
  /// A node of a kind that is not known, or an ID mapping that leads nowhere.
  case unknown(BoardNode)
}

/// The IORT that the host is given where EL2 owns the SMMUs: without SMMUv3s, their performance monitors, and memory
/// that is reserved for their streams.
///
/// What led to an SMMU leads to where that led: requesters become streams, streams become DeviceIDs, and in the host's
/// table the requesters become the DeviceIDs.
///
///     root complex ── requesters ──▶ SMMUv3 ── streams ──▶ group of ITSes
///          └──────────────────── requesters ────────────────────▲
public struct HostIORT: ~Copyable {
  private let iort: IORT
  /// Where nodes that are kept began, and where they begin now.
  private var places = FixedList<1024, Place>(filler: Place(old: 0, new: 0))

  private struct Place {
    let old: UInt32
    let new: UInt32
  }

  /// Where the nodes of the host's table begin.
  private static var firstNode: Int { 48 }

  /// Writes the table into `buffer`, and returns how many bytes it has.
  ///
  /// - Throws: `HostIORTError`; the buffer's content is then of no use.
  @inline(never)
  public static func write(
    from tables: ACPITables, into buffer: inout MutableSpan<UInt8>
  ) throws(HostIORTError) -> Int {
    guard let iort = IORT(tables), iort.broken == nil, iort.unknownRevision(in: tables) == nil
    else { throw .unreadable }
    var host = HostIORT(iort: iort)
    // First where each node will be, then the nodes, which name one another by that.
    let size = try host.place(tables)
    guard size <= buffer.count else { throw .noSpace }
    try host.write(tables, size, &buffer)
    return size
  }

  private init(iort: consuming IORT) { self.iort = iort }

  // MARK: Places

  private mutating func place(_ tables: ACPITables) throws(HostIORTError) -> Int {
    var end = Self.firstNode
    var walk = IORTWalk(iort.table, tables)
    while let node = walk.next(in: tables) {
      guard let count = try count(of: node, tables) else { continue }
      let place = Place(
        old: UInt32(truncatingIfNeeded: node.record.offset - iort.table.offset),
        new: UInt32(truncatingIfNeeded: end))
      let size = try Self.dataSize(of: node, tables) + IDMapping.size * count
      // The length of a node has 16 bits.
      guard places.append(place), size <= Int(UInt16.max) else { throw .noSpace }
      end += size
    }
    return end
  }

  /// How many ID mappings a node has for the host; nil for one that it does not get.
  private func count(of node: IORTNode, _ tables: ACPITables) throws(HostIORTError) -> Int? {
    guard let kind = node.kind else { throw .unknown(node.node) }
    if kind == .smmuV3 || kind == .pmcg { return nil }
    var count = 0
    try forEachMapping(of: node, tables) { _ in count += 1 }
    let isLost = kind == .reservedMemory && count == 0
    return isLost ? nil : count
  }

  /// The bytes of a node in front of its ID mappings.
  private static func dataSize(
    of node: IORTNode, _ tables: ACPITables
  ) throws(HostIORTError) -> Int {
    guard let count = node.mappingCount(in: tables), let start = tables.word(node.record, at: 12)
    else { throw .unknown(node.node) }
    return count == 0 ? node.record.count : Int(start)
  }

  // MARK: Mappings

  private struct Mapping {
    let first: UInt32
    let extra: UInt32
    let output: UInt32
    let reference: UInt32
    let isSingle: Bool
  }

  /// Hands the ID mappings that a node has for the host to `body`.
  private func forEachMapping(
    of node: IORTNode, _ tables: ACPITables, _ body: (Mapping) -> Void
  ) throws(HostIORTError) {
    guard let count = node.mappingCount(in: tables) else { throw .unknown(node.node) }
    for index in 0..<count {
      guard let mapping = node.mapping(index, of: count, in: tables),
        let target = iort.node(at: mapping.reference, in: tables)
      else { throw .unknown(node.node) }
      guard let outputs = Self.outputs(of: mapping) else { throw .unknown(node.node) }
      switch target.kind {
      case .itsGroup, .smmuV2:
        body(
          Mapping(
            first: mapping.base, extra: outputs.last - outputs.first, output: mapping.output,
            reference: mapping.reference, isSingle: mapping.isSingle))
      case .smmuV3 where node.kind == .reservedMemory: continue
      case .smmuV3: try compose(mapping, outputs, by: target, tables, body)
      case .namedComponent, .rootComplex, .pmcg, .reservedMemory, nil: throw .unknown(node.node)
      }
    }
  }

  private static func outputs(of mapping: IDMapping) -> IDRange? {
    if mapping.isSingle { return IDRange(mapping.output, count: 1) }
    return mapping.inputs.flatMap { mapping.outputs(of: $0) }
  }

  /// Hands what `mapping` comes to behind an SMMU to `body`; `streams` are what it comes to there.
  private func compose(
    _ mapping: IDMapping, _ streams: IDRange, by smmu: IORTNode, _ tables: ACPITables,
    _ body: (Mapping) -> Void
  ) throws(HostIORTError) {
    guard let count = smmu.mappingCount(in: tables) else { throw .unknown(smmu.node) }
    for index in 0..<count {
      // Single ones are for what the SMMU sends by itself.
      guard let next = smmu.mapping(index, of: count, in: tables),
        let part = next.inputs?.intersection(streams), let deviceIDs = next.outputs(of: part),
        iort.node(at: next.reference, in: tables)?.kind == .itsGroup
      else { continue }
      body(
        Mapping(
          first: mapping.base &+ (part.first - streams.first), extra: part.last - part.first,
          output: deviceIDs.first, reference: next.reference, isSingle: mapping.isSingle))
    }
  }

  // MARK: Writing

  private func write(
    _ tables: ACPITables, _ size: Int, _ buffer: inout MutableSpan<UInt8>
  ) throws(HostIORTError) {
    for index in 0..<Self.firstNode { buffer[index] = 0 }
    Self.copy(tables, iort.table.offset, ACPITables.headerSize, to: 0, &buffer)
    Self.store(UInt32(truncatingIfNeeded: size), at: 4, &buffer)
    Self.store(UInt32(truncatingIfNeeded: places.count), at: 36, &buffer)
    Self.store(UInt32(Self.firstNode), at: 40, &buffer)
    for index in places.indices {
      guard let node = iort.node(at: places[index].old, in: tables) else { throw .unreadable }
      try write(node, at: Int(places[index].new), tables, &buffer)
    }
    buffer[9] = 0
    var sum: UInt8 = 0
    for index in 0..<size { sum &+= buffer[index] }
    buffer[9] = 0 &- sum
  }

  private func write(
    _ node: IORTNode, at place: Int, _ tables: ACPITables, _ buffer: inout MutableSpan<UInt8>
  ) throws(HostIORTError) {
    let data = try Self.dataSize(of: node, tables)
    Self.copy(tables, node.record.offset, data, to: place, &buffer)
    var count: UInt32 = 0
    var end = place + data
    try forEachMapping(of: node, tables) { mapping in
      Self.store(mapping.first, at: end, &buffer)
      Self.store(mapping.extra, at: end + 4, &buffer)
      Self.store(mapping.output, at: end + 8, &buffer)
      Self.store(new(mapping.reference), at: end + 12, &buffer)
      Self.store(mapping.isSingle ? 1 : 0, at: end + 16, &buffer)
      end += IDMapping.size
      count += 1
    }
    let length = UInt16(truncatingIfNeeded: end - place)
    buffer[place + 1] = UInt8(truncatingIfNeeded: length)
    buffer[place + 2] = UInt8(truncatingIfNeeded: length >> 8)
    Self.store(count, at: place + 8, &buffer)
    Self.store(count == 0 ? 0 : UInt32(data), at: place + 12, &buffer)
  }

  /// Where a node that is kept begins now.
  private func new(_ old: UInt32) -> UInt32 {
    for index in places.indices where places[index].old == old { return places[index].new }
    return 0
  }

  private static func copy(
    _ tables: ACPITables, _ offset: Int, _ count: Int, to place: Int,
    _ buffer: inout MutableSpan<UInt8>
  ) {
    for index in 0..<count { buffer[place + index] = tables.bytes[offset + index] }
  }

  private static func store(_ value: UInt32, at place: Int, _ buffer: inout MutableSpan<UInt8>) {
    for byte in 0..<4 {
      buffer[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * UInt32(byte)))
    }
  }
}
