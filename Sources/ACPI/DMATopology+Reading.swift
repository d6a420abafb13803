// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Boards

extension DMATopology {
  /// Reads who does DMA, and how, from checked tables of which `board` was read.
  ///
  /// The work is a few walks over the tables, and for each ID mapping of a master one over the mappings of the SMMU
  /// that it leads to. From there they lead to a group of ITSes, and from that nowhere: there is no circle.
  ///
  /// It is read in its place: there is no other of it meanwhile.
  @inline(never)
  public init<Sink: DMADiagnosticSink & ~Copyable>(
    reading tables: ACPITables, of board: borrowing Board, reporting sink: inout Sink
  ) {
    self.init()
    readITSes(tables, &sink)
    if let iort = IORT(tables) { read(iort, of: board, tables, &sink) }
    readUnmapped(tables, &sink)
  }

  private mutating func read<Sink: DMADiagnosticSink & ~Copyable>(
    _ iort: borrowing IORT, of board: borrowing Board, _ tables: ACPITables, _ sink: inout Sink
  ) {
    if let revision = iort.unknownRevision(in: tables) {
      report(iort.table.node(at: 8), .revision, .badValue(UInt32(revision)), &sink)
      isComplete = false
    }
    if let node = iort.broken {
      report(node, .length, .badLength(iort.table.count), &sink)
      isComplete = false
    }
    var walk = IORTWalk(iort.table, tables)
    while let node = walk.next(in: tables) {
      switch node.kind {
      case .smmuV2: readSMMU(node, .smmuV2, board, iort, tables, &sink)
      case .smmuV3: readSMMU(node, .smmuV3, board, iort, tables, &sink)
      case .itsGroup: checkGroup(node, tables, &sink)
      case .namedComponent, .rootComplex, .pmcg, .reservedMemory: break
      case nil:
        // Whatever it is, what refers to it can't be followed.
        let type = UInt32(tables.byte(node.record, at: 0) ?? 0)
        report(node.node, .type, .badValue(type), &sink)
      }
    }
    walk = IORTWalk(iort.table, tables)
    while let node = walk.next(in: tables), isComplete {
      readMaster(node, iort, tables, &sink)
    }
  }

  // MARK: What mappings lead to

  /// The ITSes of the MADT, by their identifiers.
  private mutating func readITSes<Sink: DMADiagnosticSink & ~Copyable>(
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let table = tables.table(.madt) else { return }
    var walk = MADTWalk(table)
    while let entry = walk.next(in: tables) {
      guard entry.type == .its, let identifier = tables.word(entry.record, at: 4) else { continue }
      for index in msiControllers.indices where msiControllers[index].phandle == identifier {
        report(entry.node, .itsIdentifiers, .repeated(identifier), &sink)
        break
      }
      let its = MSIController(
        node: entry.node, phandle: identifier, cells: 1, isITS: true, isEnabled: true)
      if !msiControllers.append(its) { reportOverflow(of: .msiControllers, entry.node, nil, &sink) }
    }
  }

  private mutating func readSMMU<Sink: DMADiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ kind: DMATranslator.Kind, _ board: borrowing Board, _ iort: borrowing IORT,
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    var hasRegisters = false
    for index in board.iommus.indices where board.iommus[index].node == node.node {
      hasRegisters = true
    }
    let own = node.deviceIDMapping(in: tables)
    let smmu = DMATranslator(
      kind: kind, node: node.node, phandle: nil, cells: 1, isEnabled: true,
      hasRegisters: hasRegisters, sendsMSIs: own != nil, traits: SMMUTraits(node, tables),
      interrupts: SMMUInterrupts(node, tables))
    guard iommus.append(smmu) else { return reportOverflow(of: .iommus, node.node, nil, &sink) }
    checkMappings(node, iort, tables, &sink)
    if let own { readDoorbell(own, of: node, iort, tables, &sink) }
  }

  private func indexOfIOMMU(at node: BoardNode) -> Int? {
    for index in iommus.indices where iommus[index].node == node { return index }
    return nil
  }

  /// Says what of an SMMU's mappings can't be followed; the first alone, for there may be many.
  private mutating func checkMappings<Sink: DMADiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ iort: borrowing IORT, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let count = node.mappingCount(in: tables) else {
      return report(node.node, .idMappings, .badLength(node.record.count), &sink)
    }
    for index in 0..<count {
      guard let mapping = node.mapping(index, of: count, in: tables) else { continue }
      guard mapping.isSingle || mapping.inputs != nil else {
        return report(node.node, .idMappings, .badEntry(mapping.base), &sink)
      }
      guard iort.node(at: mapping.reference, in: tables)?.kind == .itsGroup else {
        return report(node.node, .idMappings, .badReference(mapping.reference), &sink)
      }
    }
  }

  /// Says what of a group of ITSes can't be found.
  private mutating func checkGroup<Sink: DMADiagnosticSink & ~Copyable>(
    _ group: IORTNode, _ tables: ACPITables, _ sink: inout Sink
  ) {
    var members = ITSGroupWalk(group, tables)
    while let its = members.next(in: tables) {
      guard msiController(its) != nil else {
        return report(group.node, .itsIdentifiers, .noITS(its), &sink)
      }
    }
    if members.isBroken { report(group.node, .length, .badLength(group.record.count), &sink) }
  }

  private func msiController(_ identifier: UInt32) -> Int? {
    for index in msiControllers.indices where msiControllers[index].phandle == identifier {
      return index
    }
    return nil
  }

  /// Adds the DeviceID with which an SMMU sends its own interrupts.
  private mutating func readDoorbell<Sink: DMADiagnosticSink & ~Copyable>(
    _ index: Int, of node: IORTNode, _ iort: borrowing IORT, _ tables: ACPITables,
    _ sink: inout Sink
  ) {
    guard let count = node.mappingCount(in: tables), index < count,
      let mapping = node.mapping(index, of: count, in: tables), mapping.isSingle
    else {
      let value = UInt32(truncatingIfNeeded: index)
      return report(node.node, .deviceIDMapping, .badValue(value), &sink)
    }
    guard let group = iort.node(at: mapping.reference, in: tables), group.kind == .itsGroup
    else { return }
    var members = ITSGroupWalk(group, tables)
    while let its = members.next(in: tables) {
      guard let controller = msiController(its) else { continue }
      let doorbell = IOMMUDoorbellPath(
        iommu: iommus.count - 1, its: controller, deviceID: mapping.output)
      guard iommuDoorbells.append(doorbell) else {
        return reportOverflow(of: .doorbells, node.node, .deviceIDMapping, &sink)
      }
    }
  }

  // MARK: Masters

  private mutating func readMaster<Sink: DMADiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ iort: borrowing IORT, _ tables: ACPITables, _ sink: inout Sink
  ) {
    let isRoot = node.kind == .rootComplex
    guard isRoot || node.kind == .namedComponent else { return }
    if isRoot { checkSegment(node, iort, tables, &sink) }
    let master = Master(node: node.node, index: masters.count, isRoot: isRoot, first: paths.count)
    guard
      masters.append(
        DMAMaster(node: node.node, evidence: isRoot ? .pciHost : .namedComponent))
    else { return reportOverflow(of: .masters, node.node, nil, &sink) }
    guard let count = node.mappingCount(in: tables) else {
      report(node.node, .idMappings, .badLength(node.record.count), &sink)
      return addPath(master, .unreadable, master.all, &sink)
    }
    // Of several complaints the first is enough.
    var complaint: DMADiagnostic.Reason?
    for index in 0..<count where isComplete {
      guard let mapping = node.mapping(index, of: count, in: tables) else { continue }
      complaint = follow(mapping, of: master, iort, tables, &sink) ?? complaint
    }
    let end = paths.count
    for index in 0..<count where isComplete {
      guard let mapping = node.mapping(index, of: count, in: tables) else { continue }
      complaint = followToITSes(mapping, of: master, end, iort, tables, &sink) ?? complaint
    }
    if let complaint { report(node.node, .idMappings, complaint, &sink) }
    addOpen(master, upTo: end, &sink)
  }

  /// A master that is read.
  private struct Master {
    let node: BoardNode
    let index: Int
    let isRoot: Bool
    /// The index of its first path.
    let first: Int
    /// All its requesters; nil: it is not known to have any.
    var all: IDRange? { isRoot ? .pci : nil }

    /// The requesters that a mapping is for; nil: none of them.
    func requesters(of mapping: IDMapping) -> IDRange? {
      guard let all else { return mapping.inputs }
      return mapping.inputs?.intersection(all)
    }
  }

  /// A segment is that of one root complex: whose devices are whose could else not be told.
  private mutating func checkSegment<Sink: DMADiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ iort: borrowing IORT, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let segment = node.segment(in: tables) else {
      return report(node.node, .length, .badLength(node.record.count), &sink)
    }
    var walk = IORTWalk(iort.table, tables)
    while let other = walk.next(in: tables), other.node != node.node {
      guard other.segment(in: tables) == segment else { continue }
      return report(node.node, .segment, .repeated(segment), &sink)
    }
  }

  /// Adds what a mapping of a master leads to by an SMMU, a path and DeviceIDs, and answers what is wrong with it.
  private mutating func follow<Sink: DMADiagnosticSink & ~Copyable>(
    _ mapping: IDMapping, of master: Master, _ iort: borrowing IORT, _ tables: ACPITables,
    _ sink: inout Sink
  ) -> DMADiagnostic.Reason? {
    let requesters = master.requesters(of: mapping)
    let single = mapping.isSingle && !master.isRoot ? IDRange(mapping.output, count: 1) : nil
    // A bus has not one ID for all that it does.
    guard let outputs = single ?? requesters.flatMap({ mapping.outputs(of: $0) }) else {
      addPath(master, .unreadable, master.all, &sink)
      return .badEntry(mapping.base)
    }
    guard let target = iort.node(at: mapping.reference, in: tables) else {
      addPath(master, .unreadable, requesters, &sink)
      return .badReference(mapping.reference)
    }
    switch target.kind {
    case .itsGroup: return nil
    case .smmuV2, .smmuV3:
      var complaint: DMADiagnostic.Reason?
      if isMapped(requesters, master.first..<paths.count) { complaint = .overlap(mapping.base) }
      // One that there was no room for was told of.
      let iommu = indexOfIOMMU(at: target.node)
      let path = DMAPath(
        master: master.index, iommu: iommu,
        confinement: iommu.map { iommus[$0].confinement } ?? .unreadable, requesters: requesters,
        streams: outputs, ignoredBits: 0)
      if paths.append(path) {
        followStreams(outputs, of: master, requesters, by: target, iort, tables, &sink)
      } else {
        reportOverflow(of: .paths, master.node, .idMappings, &sink)
      }
      return complaint
    // Nothing else is behind a master, least of all the master itself.
    case .namedComponent, .rootComplex, .pmcg, .reservedMemory, nil:
      addPath(master, .unreadable, requesters, &sink)
      return .badReference(mapping.reference)
    }
  }

  /// Whether some of these requesters have one of these paths.
  private func isMapped(_ requesters: IDRange?, _ paths: Range<Int>) -> Bool {
    guard let requesters else { return false }
    for index in paths where self.paths[index].requesters?.overlaps(requesters) == true {
      return true
    }
    return false
  }

  /// Adds the DeviceIDs that streams of an SMMU become.
  private mutating func followStreams<Sink: DMADiagnosticSink & ~Copyable>(
    _ streams: IDRange, of master: Master, _ requesters: IDRange?, by smmu: IORTNode,
    _ iort: borrowing IORT, _ tables: ACPITables, _ sink: inout Sink
  ) {
    let count = smmu.mappingCount(in: tables) ?? 0
    for index in 0..<count where isComplete {
      // Single ones are for what the SMMU sends by itself.
      guard smmu.toldMapping(index, in: tables)?.inputs?.intersection(streams) != nil,
        let mapping = smmu.mapping(index, of: count, in: tables),
        let part = mapping.inputs?.intersection(streams),
        let deviceIDs = mapping.outputs(of: part),
        let group = iort.node(at: mapping.reference, in: tables), group.kind == .itsGroup
      else { continue }
      let own = requesters.flatMap {
        IDRange(
          $0.first + (part.first - streams.first), through: $0.first + (part.last - streams.first))
      }
      addDoorbells(master, group, own, deviceIDs, tables, &sink)
    }
  }

  /// Adds the DeviceIDs that a mapping of a master leads to by no SMMU, and answers what is wrong with it.
  private mutating func followToITSes<Sink: DMADiagnosticSink & ~Copyable>(
    _ mapping: IDMapping, of master: Master, _ end: Int, _ iort: borrowing IORT,
    _ tables: ACPITables, _ sink: inout Sink
  ) -> DMADiagnostic.Reason? {
    let requesters = master.requesters(of: mapping)
    let single = mapping.isSingle && !master.isRoot ? IDRange(mapping.output, count: 1) : nil
    guard let outputs = single ?? requesters.flatMap({ mapping.outputs(of: $0) }),
      let group = iort.node(at: mapping.reference, in: tables), group.kind == .itsGroup
    else { return nil }
    addDoorbells(master, group, requesters, outputs, tables, &sink)
    // Which of the two ways they take to memory is not told.
    guard isMapped(requesters, master.first..<end) else { return nil }
    addPath(master, .unreadable, requesters, &sink)
    return .overlap(mapping.base)
  }

  private mutating func addDoorbells<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Master, _ group: IORTNode, _ requesters: IDRange?, _ deviceIDs: IDRange,
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    var members = ITSGroupWalk(group, tables)
    while let its = members.next(in: tables) {
      guard let controller = msiController(its) else { continue }
      let doorbell = DoorbellPath(
        master: master.index, its: controller, requesters: requesters, deviceIDs: deviceIDs)
      guard doorbells.append(doorbell) else {
        return reportOverflow(of: .doorbells, master.node, .idMappings, &sink)
      }
    }
  }

  // MARK: Paths by no SMMU

  private mutating func addPath<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Master, _ confinement: DMAPath.Confinement, _ requesters: IDRange?,
    _ sink: inout Sink
  ) {
    let path = DMAPath(
      master: master.index, iommu: nil, confinement: confinement, requesters: requesters,
      streams: nil, ignoredBits: 0)
    if !paths.append(path) { reportOverflow(of: .paths, master.node, nil, &sink) }
  }

  /// Adds the requesters of a master that none of its paths up to `end` has.
  private mutating func addOpen<Sink: DMADiagnosticSink & ~Copyable>(
    _ master: Master, upTo end: Int, _ sink: inout Sink
  ) {
    guard end > master.first else { return addPath(master, .noIOMMU, master.all, &sink) }
    guard master.isRoot else { return }
    // From each range's end to the next one's begin.
    var requester: UInt32 = 0
    while requester <= 0xffff, isComplete {
      var covered: UInt32?
      var next: UInt32 = 0x1_0000
      for index in master.first..<end {
        guard let range = paths[index].requesters else { continue }
        if range.first <= requester, requester <= range.last {
          covered = max(covered ?? 0, range.last)
        }
        if range.first > requester { next = min(next, range.first) }
      }
      if covered == nil {
        addPath(master, .notMapped, IDRange(requester, through: next - 1), &sink)
      }
      requester = covered.map { $0 + 1 } ?? next
    }
  }

  /// Adds segments of the MCFG of which the IORT tells nothing.
  private mutating func readUnmapped<Sink: DMADiagnosticSink & ~Copyable>(
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    if MCFGEntry.areTooMany(in: tables) { isComplete = false }
    var index = 0
    while let entry = MCFGEntry(index, in: tables), isComplete {
      index += 1
      guard !isTold(entry, index - 1, tables) else { continue }
      let master = Master(
        node: entry.node, index: masters.count, isRoot: true, first: paths.count)
      guard masters.append(DMAMaster(node: entry.node, evidence: .pciHost)) else {
        return reportOverflow(of: .masters, entry.node, nil, &sink)
      }
      addPath(master, .noIOMMU, master.all, &sink)
    }
  }

  /// Whether a root complex of the IORT, or an entry before it, has the segment of an entry.
  private func isTold(_ entry: MCFGEntry, _ index: Int, _ tables: ACPITables) -> Bool {
    for other in 0..<index where MCFGEntry(other, in: tables)?.segment == entry.segment {
      return true
    }
    guard let table = tables.table(.iort) else { return false }
    var walk = IORTWalk(table, tables)
    while let node = walk.next(in: tables) {
      if node.segment(in: tables) == UInt32(entry.segment) { return true }
    }
    return false
  }
}

extension IORTNode {
  /// The PCI segment of a root complex; nil for another node.
  fileprivate func segment(in tables: ACPITables) -> UInt32? {
    kind == .rootComplex ? tables.word(record, at: 28) : nil
  }
}

/// The identifiers of a group of ITSes, in their order.
private struct ITSGroupWalk {
  private let record: BlobBytes
  private var left: UInt32
  private var position = 20
  /// Whether the group has more than fit its node.
  private(set) var isBroken = false

  init(_ group: IORTNode, _ tables: ACPITables) {
    record = group.record
    left = tables.word(record, at: 16) ?? 0
  }

  /// The next identifier; nil at the end.
  mutating func next(in tables: ACPITables) -> UInt32? {
    guard left > 0 else { return nil }
    guard let identifier = tables.word(record, at: position) else {
      isBroken = true
      return nil
    }
    left -= 1
    position += 4
    return identifier
  }
}

extension SMMUTraits {
  /// What the model of an SMMUv3 tells.
  fileprivate init(_ node: IORTNode, _ tables: ACPITables) {
    self = .none
    guard node.kind == .smmuV3, let model = tables.word(node.record, at: 40) else { return }
    if model == SMMUModel.hi161x { insert(.noPrefetch) }
    if model == SMMUModel.cn99xx { insert(.onePage) }
  }
}

extension SMMUInterrupts {
  /// The wired interrupts of an SMMUv3; a GSIV is an INTID, and none is zero.
  fileprivate init(_ node: IORTNode, _ tables: ACPITables) {
    self.init()
    guard node.kind == .smmuV3 else { return }
    func interrupt(_ offset: Int) -> UInt32? {
      tables.word(node.record, at: offset).flatMap { $0 == 0 ? nil : $0 }
    }
    events = interrupt(44)
    pageRequests = interrupt(48)
    globalError = interrupt(52)
    commandSync = interrupt(56)
  }
}
