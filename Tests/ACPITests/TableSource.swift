// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards

// Tables as firmware writes them, field by field.

/// The bytes of numbers, least first.
func little<each Number: FixedWidthInteger>(_ values: repeat each Number) -> [UInt8] {
  var bytes: [UInt8] = []
  for value in repeat each values {
    for place in 0..<(value.bitWidth / 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> (8 * place)))
    }
  }
  return bytes
}

/// A table of this content behind its header, with its length and its checksum.
func table(_ signature: String, revision: UInt8 = 1, _ content: [UInt8]) -> [UInt8] {
  var bytes = Array(signature.utf8) + little(UInt32(36 + content.count)) + [revision, 0]
  bytes += Array("PORTCL".utf8) + Array("TABLES  ".utf8) + little(UInt32(1), UInt32(0), UInt32(1))
  return sealed(bytes + content)
}

/// The table with a checksum that is right.
func sealed(_ table: [UInt8]) -> [UInt8] {
  var table = table
  guard table.count > 9 else { return table }
  table[9] = 0
  table[9] = 0 &- table.reduce(0, &+)
  return table
}

/// The tables as a copy has them.
func copy(_ tables: [[UInt8]]) -> [UInt8] {
  var bytes: [UInt8] = []
  for table in tables {
    bytes += Array(repeating: 0, count: ACPITables.place(after: bytes.count) - bytes.count) + table
  }
  return bytes
}

/// The parts of a MADT.
enum MADT {
  static func table(_ entries: [[UInt8]]) -> [UInt8] {
    ACPITests.table("APIC", revision: 4, little(UInt32(0), UInt32(0)) + entries.flatMap { $0 })
  }

  static func distributor(_ base: UInt64 = 0x800_0000, version: UInt8 = 3) -> [UInt8] {
    [0x0c, 24, 0, 0] + little(UInt32(0), base, UInt32(0)) + [version, 0, 0, 0]
  }

  static func cpu(
    _ affinity: UInt64, flags: UInt32 = 1, parking: UInt32 = 0, redistributor: UInt64 = 0
  ) -> [UInt8] {
    [0x0b, 80, 0, 0] + little(UInt32(0), UInt32(0), flags, parking, UInt32(23))
      + little(UInt64(0), UInt64(0), UInt64(0), UInt64(0), UInt32(25), redistributor, affinity)
      + [0, 0, 0, 0]
  }

  static func redistributors(_ base: UInt64, _ size: UInt32, flags: UInt8 = 0) -> [UInt8] {
    [0x0e, 16, flags, 0] + little(base, size)
  }

  static func its(_ base: UInt64, identifier: UInt32 = 0, flags: UInt8 = 0) -> [UInt8] {
    [0x0f, 20, flags, 0] + little(identifier, base, UInt32(0))
  }

  /// A Distributor, a region of Redistributors, a CPU, and what else there is.
  static func board(_ more: [UInt8]...) -> [UInt8] {
    table([distributor(), redistributors(0x80a_0000, 0xf6_0000), cpu(0)] + more)
  }
}

/// An FADT of this version with these flags for Arm.
func fadt(_ flags: UInt16 = 1, major: UInt8 = 6, minor: UInt8 = 3) -> [UInt8] {
  var content = [UInt8](repeating: 0, count: 276 - 36)
  content.replaceSubrange((129 - 36)..<(132 - 36), with: little(flags) + [minor])
  return table("FACP", revision: major, content)
}

/// An SPCR.
func spcr(
  type: UInt8 = 3, space: UInt8 = 0, bits: UInt8 = 32, access: UInt8 = 3,
  _ base: UInt64 = 0x900_0000
) -> [UInt8] {
  table(
    "SPCR", revision: 2,
    [type, 0, 0, 0, space, bits, 0, access] + little(base) + Array(repeating: 0, count: 28))
}

/// An MCFG of these entries: base, segment, first and last bus.
func mcfg(_ entries: (base: UInt64, segment: UInt16, first: UInt8, last: UInt8)...) -> [UInt8] {
  table(
    "MCFG",
    little(UInt64(0))
      + entries.flatMap { little($0.base, $0.segment) + [$0.first, $0.last] + little(UInt32(0)) })
}

/// The nodes of an IORT.
enum IORTSource {
  struct Mapping {
    var first: UInt32 = 0
    /// How many; the table has one less.
    var count: UInt32 = 1
    var output: UInt32 = 0
    /// The index of the node that it leads to.
    var target = 0
    /// What is told in place of where that begins.
    var reference: UInt32?
    var isSingle = false
  }

  struct Node {
    var type: UInt8
    var revision: UInt8 = 1
    var content: [UInt8]
    var mappings: [Mapping] = []
    /// What is told in place of the number of mappings, and of where they begin.
    var mappingCount: UInt32?
    var mappingOffset: UInt32?

    var length: Int { 16 + content.count + 20 * mappings.count }
  }

  static func table(_ nodes: [Node], revision: UInt8 = 3, count: UInt32? = nil) -> [UInt8] {
    var starts: [Int] = []
    var end = 48
    for node in nodes {
      starts.append(end)
      end += node.length
    }
    var content = little(count ?? UInt32(nodes.count), UInt32(48), UInt32(0))
    for (index, node) in nodes.enumerated() {
      content += [node.type] + little(UInt16(node.length)) + [node.revision] + little(UInt32(index))
      content += little(
        node.mappingCount ?? UInt32(node.mappings.count),
        node.mappingOffset ?? UInt32(node.mappings.isEmpty ? 0 : 16 + node.content.count))
      content += node.content
      for mapping in node.mappings {
        content += little(
          mapping.first, mapping.count - 1, mapping.output,
          mapping.reference ?? UInt32(starts[mapping.target]), UInt32(mapping.isSingle ? 1 : 0))
      }
    }
    return ACPITests.table("IORT", revision: revision, content)
  }

  static func group(_ identifiers: UInt32...) -> Node {
    Node(
      type: 0, content: little(UInt32(identifiers.count)) + identifiers.flatMap { little($0) })
  }

  static func component(_ mappings: [Mapping]) -> Node {
    Node(
      type: 1, content: little(UInt32(0), UInt64(0)) + [0] + Array("\\_SB.DEV0\0\0".utf8),
      mappings: mappings)
  }

  static func root(segment: UInt32 = 0, _ mappings: [Mapping]) -> Node {
    Node(
      type: 2, content: little(UInt64(0), UInt32(0), segment, UInt32(0)), mappings: mappings)
  }

  static func smmuV2(_ mappings: [Mapping]) -> Node {
    Node(type: 3, content: Array(repeating: 0, count: 60), mappings: mappings)
  }

  static func smmu(
    _ mappings: [Mapping] = [], at base: UInt64 = 0x905_0000, revision: UInt8 = 4,
    flags: UInt32 = 1, model: UInt32 = 0,
    interrupts: [UInt32] = [106, 107, 108, 109], own: UInt32 = 0
  ) -> Node {
    Node(
      type: 4, revision: revision,
      content: little(base, flags, UInt32(0), UInt64(0), model) + interrupts.flatMap { little($0) }
        + little(UInt32(0), own),
      mappings: mappings)
  }

  static func monitor(_ base: UInt64, _ second: UInt64 = 0, revision: UInt8 = 1) -> Node {
    Node(
      type: 5, revision: revision, content: little(base, UInt32(0), UInt32(0), second))
  }

  static func reserved(_ ranges: (UInt64, UInt64)..., count: UInt32? = nil) -> Node {
    Node(
      type: 6,
      content: little(UInt32(0), count ?? UInt32(ranges.count), UInt32(28))
        + ranges.flatMap { little($0.0, $0.1, UInt32(0)) })
  }
}

struct Text: TextSink {
  var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  var string: String { String(decoding: bytes, as: UTF8.self) }
}

extension ACPIError {
  var line: String {
    var text = Text()
    write(into: &text)
    return text.string
  }
}

struct Collector: DiagnosticSink, DMADiagnosticSink {
  var all: [Diagnostic] = []
  var dma: [DMADiagnostic] = []
  mutating func report(_ diagnostic: Diagnostic) { all.append(diagnostic) }
  mutating func report(_ diagnostic: DMADiagnostic) { dma.append(diagnostic) }
}

/// A board that can be looked at in an expectation, as one that can't be copied may not be.
final class ReadBoard {
  let whole: Board

  init(_ board: consuming Board) { whole = board }

  var console: ConsoleDescription? { whole.console }
  var cpus: Board.CPUs { whole.cpus }
  var distributor: AddressRange? { whole.distributor }
  var gicTraits: ITSTraits { whole.gicTraits }
  var iommus: Board.IOMMUs { whole.iommus }
  var itses: Board.ITSes { whole.itses }
  var memory: Board.MemoryRanges { whole.memory }
  var model: BlobBytes? { whole.model }
  var monitors: Board.Monitors { whole.monitors }
  var psci: PSCIDescription? { whole.psci }
  var redistributors: Board.RedistributorRegions { whole.redistributors }
  var reserved: Board.ReservedRanges { whole.reserved }
  var verdict: Verdict { whole.verdict }
}

/// The same of a topology.
final class ReadTopology {
  let whole: DMATopology

  init(_ topology: consuming DMATopology) { whole = topology }

  var iommus: DMATopology.IOMMUs { whole.iommus }
  var masters: DMATopology.Masters { whole.masters }
  var paths: DMATopology.Paths { whole.paths }
  var doorbells: DMATopology.Doorbells { whole.doorbells }
  var iommuDoorbells: DMATopology.IOMMUDoorbells { whole.iommuDoorbells }
  var isComplete: Bool { whole.isComplete }
}

/// What is read from tables.
struct Reading {
  let board: ReadBoard
  let dma: ReadTopology
  /// What was said of the board, a line each.
  let lines: [String]
  /// What was said of DMA.
  let dmaLines: [String]

  init(
    _ tables: [[UInt8]], memory: [AddressRange] = [], reserved: [AddressRange] = [],
    granule: Granule = .kib4
  ) throws {
    let bytes = copy(tables)
    let view = try ACPITables(checking: bytes.span)
    var sink = Collector()
    board = ReadBoard(
      Board.read(
        view, memory: memory.span, reserved: reserved.span, options: BootOptions(),
        granule: granule, reporting: &sink))
    dma = ReadTopology(DMATopology(reading: view, of: board.whole, reporting: &sink))
    lines = sink.all.map { diagnostic in
      var text = Text()
      diagnostic.write(in: view, into: &text)
      return text.string
    }
    dmaLines = sink.dma.map { diagnostic in
      var text = Text()
      view.writePath(of: diagnostic.node, into: &text)
      text.append(": ")
      if let property = diagnostic.property {
        text.append(property.text)
        text.append(": ")
      }
      diagnostic.writeMessage(into: &text)
      return text.string
    }
  }
}

func range(_ base: UInt64, _ size: UInt64) -> AddressRange? {
  AddressRange(base: PhysicalAddress(base), size: size)
}
