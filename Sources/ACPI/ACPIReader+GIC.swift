// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

/// Redistributors that CPUs tell of one by one, as far as they follow one another.
struct RedistributorRun {
  let node: BoardNode
  let base: UInt64
  var size: UInt64
  let isUsed: Bool
}

// The GIC and the CPUs.
extension ACPIReader {
  mutating func readMADT<Sink: DiagnosticSink & ~Copyable>(
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let table = tables.table(.madt) else { return }
    if let model = tables.model(of: table) { assembly.board.model = model }
    assembly.board.gicTraits.insert(OEMTraits.ofGIC(table, in: tables))
    let version = readWhole(table, tables, &sink)
    var walk = MADTWalk(table)
    while let entry = walk.next(in: tables) {
      guard entry.record.count >= entry.type.leastLength else {
        assembly.report(.error, entry.node, .length, .badLength(entry.record.count), &sink)
        continue
      }
      switch entry.type {
      case .cpuInterface: readCPU(entry, version, tables, &sink)
      case .its: readITS(entry, tables, &sink)
      case .redistributors: readRedistributors(entry, tables, &sink)
      case .unknown: assembly.report(.error, entry.node, .type, .notSupported, &sink)
      case .distributor, .foreign: break
      }
    }
    endRun(&sink)
    checkRedistributors(table, tables, &sink)
    if let node = walk.broken {
      assembly.report(.error, node, .length, .badLength(table.count), &sink)
    }
    // A GICv3 has Redistributors, and of a GIC without a version that has some there is no other.
    if assembly.board.redistributors.isEmpty {
      assembly.hasGICv3 = false
    } else if version == 0 {
      assembly.hasGICv3 = true
    }
  }

  /// Reads what must be known beforehand of the whole GIC; its version.
  private mutating func readWhole<Sink: DiagnosticSink & ~Copyable>(
    _ table: BlobBytes, _ tables: ACPITables, _ sink: inout Sink
  ) -> UInt8? {
    var version: UInt8?
    var walk = MADTWalk(table)
    while let entry = walk.next(in: tables) {
      if entry.type == .redistributors { hasRedistributors = true }
      if entry.isNonCoherent(tables) { assembly.board.gicTraits.insert(.nonCoherent) }
      guard entry.type == .distributor, let told = tables.byte(entry.record, at: 20) else {
        continue
      }
      guard version == nil else {
        assembly.report(.error, entry.node, nil, .repeated, &sink)
        continue
      }
      version = told
      switch told {
      case 3, 4: assembly.hasGICv3 = true
      // To be found by hardware.
      case 0: break
      default: assembly.report(.error, entry.node, .gicVersion, .notSupported, &sink)
      }
      let base = tables.double(entry.record, at: 8)
      if let range = range(base, Board.controlFrameSize, entry.node, severity: .error, &sink) {
        assembly.addDistributor(range, entry.node)
      }
    }
    return version
  }

  private mutating func readITS<Sink: DiagnosticSink & ~Copyable>(
    _ entry: MADTWalk.Entry, _ tables: ACPITables, _ sink: inout Sink
  ) {
    assembly.countITS(isUsed: true)
    // No length is told: the two frames that each has (GICv3 IHI 0069, 12.18).
    let size = Board.controlFrameSize + Board.translationFrameSize
    guard
      let region = range(
        tables.double(entry.record, at: 8), size, entry.node, severity: .error, &sink)
    else { return }
    let isNonCoherent = tables.byte(entry.record, at: 2).map { $0 & 1 == 1 } ?? false
    assembly.addITS(
      region, isNonCoherent ? .nonCoherent : .none, preITS: nil, isUsed: true, entry.node, &sink)
  }

  private mutating func readRedistributors<Sink: DiagnosticSink & ~Copyable>(
    _ entry: MADTWalk.Entry, _ tables: ACPITables, _ sink: inout Sink
  ) {
    let size = tables.word(entry.record, at: 12).map { UInt64($0) } ?? 0
    guard
      let range = range(
        tables.double(entry.record, at: 4), size, entry.node, severity: .error, &sink)
    else { return }
    // Frames go on as GICR_TYPER tells.
    _ = assembly.addRedistributors(range, stride: nil, isUsed: true, entry.node, &sink)
  }

  // MARK: CPUs

  private mutating func readCPU<Sink: DiagnosticSink & ~Copyable>(
    _ entry: MADTWalk.Entry, _ version: UInt8?, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let flags = tables.word(entry.record, at: 12),
      let protocolVersion = tables.word(entry.record, at: 16),
      let redistributor = tables.double(entry.record, at: 60),
      let affinity = tables.double(entry.record, at: 68)
    else { return }
    // Enabled, or online capable.
    let isUsed = flags & 1 == 1 || flags >> 3 & 1 == 1
    // One that waits for a word in memory is not where PSCI has it, whatever else is told.
    assembly.processors.add(entry.node, startedBy: protocolVersion != 0 ? .other : .psci)
    if isUsed {
      // Aff3 is [39:32], Aff2 to Aff0 are [23:0] (Arm ARM DDI 0487, MPIDR_EL1).
      if affinity & ~0xff_00ff_ffff == 0 {
        assembly.addCPU(affinity, entry.node)
      } else {
        assembly.report(.warning, entry.node, .mpidr, .badValue, &sink)
      }
    }
    guard !hasRedistributors else { return }
    guard redistributor != 0 else {
      // It has one, and the host would find it.
      if isUsed, version ?? 0 > 2 {
        assembly.report(.error, entry.node, .redistributor, .missing, &sink)
      }
      return
    }
    addRedistributor(
      redistributor, size: Board.leastRedistributorSize << (version == 4 ? 1 : 0), isUsed: isUsed,
      entry.node, &sink)
  }

  /// Looks whether the Redistributors that CPUs tell of beside regions lie in these: nobody would stand before others.
  ///
  /// The first alone is told.
  private mutating func checkRedistributors<Sink: DiagnosticSink & ~Copyable>(
    _ table: BlobBytes, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard hasRedistributors else { return }
    var walk = MADTWalk(table)
    while let entry = walk.next(in: tables) {
      guard entry.type == .cpuInterface, let base = tables.double(entry.record, at: 60), base != 0
      else { continue }
      var isCovered = false
      for index in assembly.board.redistributors.indices
      where assembly.board.redistributors[index].range.contains(PhysicalAddress(base)) {
        isCovered = true
      }
      if !isCovered {
        let reason = Diagnostic.Reason.outsideRegions(PhysicalAddress(base))
        return assembly.report(.error, entry.node, .redistributor, reason, &sink)
      }
    }
  }

  /// Adds the Redistributor of one CPU to those before it, where it follows them.
  private mutating func addRedistributor<Sink: DiagnosticSink & ~Copyable>(
    _ base: UInt64, size: UInt64, isUsed: Bool, _ node: BoardNode, _ sink: inout Sink
  ) {
    if let last = run, last.isUsed == isUsed, last.base <= UInt64.max - last.size,
      last.base + last.size == base, last.size < Board.redistributorRegionLimit
    {
      run?.size += size
      return
    }
    endRun(&sink)
    run = RedistributorRun(node: node, base: base, size: size, isUsed: isUsed)
  }

  private mutating func endRun<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) {
    guard let ended = run else { return }
    run = nil
    guard let range = range(ended.base, ended.size, ended.node, severity: .error, &sink) else {
      return
    }
    _ = assembly.addRedistributors(
      range, stride: nil, isUsed: ended.isUsed, ended.node, &sink)
  }
}

extension MADTWalk.Entry {
  /// Whether a Redistributor is told not to look into caches, by a bit that was zero before ACPI 6.6.
  fileprivate func isNonCoherent(_ tables: ACPITables) -> Bool {
    switch type {
    case .redistributors: tables.byte(record, at: 2).map { $0 & 1 == 1 } ?? false
    case .cpuInterface: tables.word(record, at: 12).map { $0 >> 4 & 1 == 1 } ?? false
    case .distributor, .its, .foreign, .unknown: false
    }
  }
}

extension ACPITables {
  /// The OEM ID and the OEM Table ID of a table: 6 characters and 8.
  func model(of table: BlobBytes) -> BlobBytes? {
    table.count >= Self.headerSize ? BlobBytes(offset: table.offset + 10, count: 14) : nil
  }
}
