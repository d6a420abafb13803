// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Foundation

/// Runs a program with `input` and answers what it prints.
func output(of program: String, _ arguments: [String], input: String = "") throws -> [UInt8] {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = [program] + arguments
  let (to, from) = (Pipe(), Pipe())
  process.standardInput = to
  process.standardOutput = from
  process.standardError = FileHandle.nullDevice
  try process.run()
  to.fileHandleForWriting.write(Data(input.utf8))
  try to.fileHandleForWriting.close()
  let data = from.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return [UInt8](data)
}

/// An interrupt controller, without which no board is started.
let gic = """
  gic@f0000000 { compatible = "arm,gic-v3";
    reg = <0 0xf0000000 0 0x10000>, <0 0xf1000000 0 0x100000>; };
  """

/// A blob of DTS source; the root has two cells each unless `cells` says otherwise.
///
/// It has a GICv3 unless `body` has one, or `gic` is another node.
func compile(
  _ body: String, cells: String = "#address-cells = <2>; #size-cells = <2>;",
  gic: String = gicV3(reg: "<0xf 0xfe000000 0 0x10000>, <0xf 0xfe100000 0 0x100000>")
) throws -> [UInt8] {
  let node = body.contains("\"arm,gic-v3\"") ? "" : gic
  let source = "/dts-v1/; / { \(cells) \(body) \(node) };"
  return try output(of: "dtc", ["-q", "-I", "dts", "-O", "dtb"], input: source)
}

/// The node of a GICv3 with these registers.
func gicV3(reg: String) -> String { "gic { compatible = \"arm,gic-v3\"; reg = \(reg); };" }

struct Collector: DiagnosticSink {
  var all: [Diagnostic] = []
  mutating func report(_ diagnostic: Diagnostic) { all.append(diagnostic) }
}

struct Text: TextSink {
  var bytes: [UInt8] = []
  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  var string: String { String(decoding: bytes, as: UTF8.self) }
}

/// A board that tests may hand on with other results, as one that can't be copied may not be.
final class ReadBoard {
  let whole: Board

  init(_ board: consuming Board) { whole = board }

  var companions: Board.CompanionRanges { whole.companions }
  var console: ConsoleDescription? { whole.console }
  var cpus: Board.CPUs { whole.cpus }
  var distributor: AddressRange? { whole.distributor }
  var gicTraits: ITSTraits { whole.gicTraits }
  var initialRAMDisk: AddressRange? { whole.initialRAMDisk }
  var iommus: Board.IOMMUs { whole.iommus }
  var itses: Board.ITSes { whole.itses }
  var kernel: BootModule? { whole.kernel }
  var memory: Board.MemoryRanges { whole.memory }
  var modules: Board.BootModules { whole.modules }
  var monitors: Board.Monitors { whole.monitors }
  var options: BootOptions { whole.options }
  var psci: PSCIDescription? { whole.psci }
  var ramdisk: BootModule? { whole.ramdisk }
  var redistributors: Board.RedistributorRegions { whole.redistributors }
  var reserved: Board.ReservedRanges { whole.reserved }
  var unused: Board.UnusedRanges { whole.unused }
  var verdict: Verdict { whole.verdict }
}

/// The board of a blob, its diagnostics and their lines.
func read(_ bytes: [UInt8], _ granule: Granule = .kib4) throws -> (
  board: ReadBoard, diagnostics: [Diagnostic], lines: [String]
) {
  let blob = try DeviceTreeBlob(checking: bytes.span)
  var sink = Collector()
  let board = Board.read(blob, granule: granule, reporting: &sink)
  var lines: [String] = []
  for diagnostic in sink.all {
    var text = Text()
    diagnostic.write(in: blob, into: &text)
    lines.append(text.string)
  }
  return (ReadBoard(board), sink.all, lines)
}

func range(_ base: UInt64, _ size: UInt64) -> AddressRange? {
  AddressRange(base: PhysicalAddress(base), size: size)
}
