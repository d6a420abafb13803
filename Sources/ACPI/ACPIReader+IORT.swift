// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards

// Registers and memory that the IORT tells of. Node by node as Arm DEN 0049 lays them out.

extension ACPIReader {
  mutating func readIORT<Sink: DiagnosticSink & ~Copyable>(
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let table = tables.table(.iort) else { return }
    var walk = IORTWalk(table, tables)
    while let node = walk.next(in: tables) {
      switch node.kind {
      case .smmuV3:
        if OEMTraits.hasUntoldQueues(table, in: tables) {
          assembly.report(.error, node.node, nil, .untoldQueues, &sink)
        }
        readSMMU(node, tables, &sink)
      case .pmcg: readMonitor(node, tables, &sink)
      case .reservedMemory: readReserved(node, tables, &sink)
      case .itsGroup, .namedComponent, .rootComplex, .smmuV2, nil: break
      }
    }
    // What lies beyond could be an SMMU.
    guard let node = walk.broken else { return }
    if walk.isTooLong {
      assembly.report(.error, node, nil, .tooMany(IORT.nodeLimit), &sink)
    } else {
      assembly.report(.error, node, .length, .badLength(table.count), &sink)
    }
  }

  private mutating func readSMMU<Sink: DiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let base = tables.double(node.record, at: 16),
      let flags = tables.word(node.record, at: 24),
      let model = tables.word(node.record, at: 40), tables.word(node.record, at: 56) != nil
    else {
      return assembly.report(.error, node.node, .length, .badLength(node.record.count), &sink)
    }
    // Two pages of 64 KiB, of which the Cavium CN99xx does not have the second one.
    let size: UInt64 = model == SMMUModel.cn99xx ? 0x1_0000 : 0x2_0000
    guard let range = range(base, size, node.node, severity: .error, &sink) else { return }
    // COHACC override: whether it looks into caches, whatever SMMU_IDR0 says.
    assembly.addIOMMU(range, isCoherent: flags & 1 == 1, isUsed: true, node.node, &sink)
  }

  /// A page of 4 KiB, or two.
  private mutating func readMonitor<Sink: DiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let base = tables.double(node.record, at: 16) else {
      return assembly.report(.error, node.node, .length, .badLength(node.record.count), &sink)
    }
    guard let range = range(base, 0x1000, node.node, severity: .error, &sink),
      assembly.addMonitor(range, node.node, &sink), node.revision >= 1,
      let second = tables.double(node.record, at: 32), second != 0
    else { return }
    if let range = self.range(second, 0x1000, node.node, severity: .error, &sink) {
      _ = assembly.addMonitor(range, node.node, &sink)
    }
  }

  /// Memory that devices use already, and that must stay where it is.
  private mutating func readReserved<Sink: DiagnosticSink & ~Copyable>(
    _ node: IORTNode, _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let count = tables.word(node.record, at: 20),
      let start = tables.word(node.record, at: 24),
      count == 0 || start >= 28,
      UInt64(start) + 20 * UInt64(count) <= UInt64(node.record.count) || count == 0
    else {
      return assembly.report(.error, node.node, .length, .badLength(node.record.count), &sink)
    }
    for index in 0..<Int(count) {
      let offset = Int(start) + 20 * index
      let place = node.record.node(at: offset)
      guard let size = tables.double(node.record, at: offset + 8),
        let range = range(
          tables.double(node.record, at: offset), size, place, severity: .error, &sink)
      else { continue }
      guard assembly.addReserved(range, isUnmapped: false, place, .baseAddress, &sink) else {
        return
      }
    }
  }
}

/// Models of SMMUv3 that the IORT tells because they differ.
enum SMMUModel {
  /// HiSilicon Hi161x: prefetch commands must not be sent.
  static var hi161x: UInt32 { 1 }
  /// Cavium CN99xx: page 1 is an alias of page 0.
  static var cn99xx: UInt32 { 2 }
}
