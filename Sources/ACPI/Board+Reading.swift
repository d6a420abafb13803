// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

extension Board {
  /// Reads a board from checked tables and checks that its ITSes can be protected.
  ///
  /// Tables do not tell of memory: what is known of it comes with `memory` and `reserved`, and is what a board
  /// without is checked against. Every error goes to `sink` and makes the verdict `refused`; nothing else does.
  /// The work is a few walks over the tables.
  ///
  /// - Parameters:
  ///   - tables: the copy.
  ///   - memory: ranges of RAM.
  ///   - reserved: memory that is not free for use.
  ///   - options: what the command line asks of the hypervisor.
  public static func read<Sink: DiagnosticSink & ~Copyable>(
    _ tables: ACPITables, memory: Span<AddressRange>, reserved: Span<AddressRange>,
    options: BootOptions, granule: Granule, reporting sink: inout Sink
  ) -> Board {
    var reader = ACPIReader(granule: granule)
    reader.assembly.board.options = options
    reader.take(memory, reserved, &sink)
    reader.readFADT(tables)
    reader.readMADT(tables, &sink)
    reader.readIORT(tables, &sink)
    reader.readSPCR(tables, &sink)
    reader.readMCFG(tables, &sink)
    return reader.finish(&sink)
  }
}

/// The state of the reading of tables.
struct ACPIReader: ~Copyable {
  var assembly: BoardAssembly
  /// GICR entries are there: those that CPUs tell of then do not count.
  var hasRedistributors = false
  /// Redistributors of CPUs that follow one another.
  var run: RedistributorRun?

  init(granule: Granule) {
    assembly = BoardAssembly(granule: granule)
    assembly.registers = .baseAddress
    assembly.starter = .parkingProtocol
  }

  /// The board, as far as it was read.
  consuming func finish<Sink: DiagnosticSink & ~Copyable>(_ sink: inout Sink) -> Board {
    assembly.conclude(&sink)
    return assembly.finish()
  }

  /// Takes over what is known of memory.
  mutating func take<Sink: DiagnosticSink & ~Copyable>(
    _ memory: Span<AddressRange>, _ reserved: Span<AddressRange>, _ sink: inout Sink
  ) {
    for index in memory.indices {
      guard assembly.addMemory(memory[index], .root, &sink) else { break }
    }
    for index in reserved.indices {
      guard
        assembly.addReserved(reserved[index], isUnmapped: false, nil, .baseAddress, &sink)
      else { return }
    }
  }

  /// A range of physical addresses, or a report of why there is none.
  mutating func range<Sink: DiagnosticSink & ~Copyable>(
    _ base: UInt64?, _ size: UInt64, _ node: BoardNode, severity: Diagnostic.Severity,
    _ sink: inout Sink
  ) -> AddressRange? {
    guard let base else {
      assembly.report(severity, node, .baseAddress, .missing, &sink)
      return nil
    }
    guard let range = AddressRange(base: PhysicalAddress(base), size: size) else {
      let reason = size == 0 ? Diagnostic.Reason.noSize : .overflow(base: base, size: size)
      assembly.report(severity, node, .baseAddress, reason, &sink)
      return nil
    }
    guard range.last.rawValue < Board.physicalAddressLimit else {
      assembly.report(severity, node, .baseAddress, .beyondPhysicalAddresses(range), &sink)
      return nil
    }
    return range
  }
}

// What is not the GIC's.
extension ACPIReader {
  /// FADT: ARM_BOOT_ARCH (5.2.9.4), which ACPI has from 5.1 on.
  mutating func readFADT(_ tables: ACPITables) {
    guard let table = tables.table(.fadt) else { return }
    // A table of an older ACPI ends before.
    let node = table.node(at: min(129, table.count - 1))
    assembly.psciNode = node
    guard let major = tables.byte(table, at: 8), let flags = tables.half(table, at: 129),
      let minor = tables.byte(table, at: 131), (major, minor & 0xf) >= (5, 1), flags & 1 == 1
    else { return }
    assembly.board.psci = PSCIDescription(
      node: node, conduit: flags & 2 == 0 ? .smc : .hvc, binding: .version0x2)
  }

  /// SPCR: the console, which is done without where it can't be read.
  mutating func readSPCR<Sink: DiagnosticSink & ~Copyable>(
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let table = tables.table(.spcr) else { return }
    let node = table.node(at: 40)
    guard let type = tables.byte(table, at: 36), let space = tables.byte(table, at: 40),
      let bits = tables.byte(table, at: 41), let access = tables.byte(table, at: 43),
      let base = tables.double(table, at: 44)
    else {
      return assembly.report(
        .warning, table.node(at: 4), .length, .badLength(table.count), &sink)
    }
    // No address: no console.
    guard base != 0 else { return }
    guard space == 0 else {
      return assembly.report(.warning, node, .registerFormat, .badValue, &sink)
    }
    var kind: ConsoleDescription.Kind
    switch type {
    case 0x03, 0x0d, 0x0e: kind = .pl011
    case 0x00, 0x01, 0x12: kind = .uart8250
    default: kind = .other
    }
    // What can't be told by the size of an access is told by the width of a register.
    let width: AccessWidth?
    switch (access, bits) {
    case (1, _), (0, 8): width = .byte
    case (2, _), (0, 16): width = .half
    case (3, _), (0, 32), (0, 0): width = .word
    default: width = nil
    }
    if width == nil {
      assembly.report(.warning, node, .registerFormat, .badValue, &sink)
      kind = .other
    }
    let shift: UInt8 =
      switch (kind, bits) {
      case (.uart8250, 8): 0
      case (.uart8250, 16): 1
      default: 2
      }
    let size: UInt64 = kind == .uart8250 ? 8 << UInt64(shift) : 0x1000
    guard let range = range(base, size, node, severity: .warning, &sink) else { return }
    if !range.base.isAligned(to: (width ?? .word).bytes) { kind = .other }
    assembly.board.console = ConsoleDescription(
      kind: kind, node: node, range: range, registerShift: shift, registerWidth: width ?? .word)
  }

  /// MCFG: configuration spaces, which nothing else may overlap.
  mutating func readMCFG<Sink: DiagnosticSink & ~Copyable>(
    _ tables: ACPITables, _ sink: inout Sink
  ) {
    guard let table = tables.table(.mcfg) else { return }
    if table.count < 44 || (table.count - 44) % MCFGEntry.size != 0 {
      assembly.report(.warning, table.node(at: 4), .length, .badLength(table.count), &sink)
    }
    if MCFGEntry.areTooMany(in: tables) {
      assembly.report(.error, table.node(at: 4), .length, .tooMany(MCFGEntry.limit), &sink)
    }
    var index = 0
    while let entry = MCFGEntry(index, in: tables) {
      index += 1
      guard entry.first <= entry.last else {
        assembly.report(.warning, entry.node, .buses, .badValue, &sink)
        continue
      }
      let (base, overflow) = entry.base.addingReportingOverflow(UInt64(entry.first) << 20)
      let size = (UInt64(entry.last - entry.first) + 1) << 20
      guard
        let range = range(overflow ? .max : base, size, entry.node, severity: .warning, &sink)
      else { continue }
      assembly.addWindow(range, entry.node, &sink)
    }
  }
}

/// An entry of the MCFG: the configuration space of some buses of a segment, a MiB each.
struct MCFGEntry {
  static var size: Int { 16 }
  /// The most that are read.
  static var limit: Int { 256 }

  let node: BoardNode
  /// The address of bus 0.
  let base: UInt64
  let segment: UInt16
  let first: UInt8
  let last: UInt8

  /// Whether there are more than are read.
  static func areTooMany(in tables: ACPITables) -> Bool {
    tables.table(.mcfg).map { $0.count >= 44 + size * (limit + 1) } ?? false
  }

  /// The entry with this index; nil where there is none.
  init?(_ index: Int, in tables: ACPITables) {
    guard let table = tables.table(.mcfg), index < Self.limit else { return nil }
    let offset = 44 + Self.size * index
    guard let base = tables.double(table, at: offset),
      let segment = tables.half(table, at: offset + 8),
      let first = tables.byte(table, at: offset + 10),
      let last = tables.byte(table, at: offset + 11), tables.word(table, at: offset + 12) != nil
    else { return nil }
    node = table.node(at: offset)
    self.base = base
    self.segment = segment
    self.first = first
    self.last = last
  }
}
