// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Hypervisor
import ITS
import Simulation

/// A device tree of DTS source, for what is decided by what a tree says; the root has two cells each.
struct DescribedTree {
  let bytes: [UInt8]

  /// Compiles `body`, what the root holds, and the memory reservation block.
  init(_ body: String, reserving reservations: String = "") throws {
    bytes = try compile(
      deviceTree:
        "/dts-v1/; \(reservations) / { #address-cells = <2>; #size-cells = <2>; \(body) };")
  }

  private struct Silence: DiagnosticSink, DMADiagnosticSink {
    func report(_ diagnostic: Diagnostic) {}
    func report(_ diagnostic: DMADiagnostic) {}
  }

  /// The DeviceIDs of the ITS at `index` of the board.
  func listed(_ index: Int) throws -> PermittedDevices {
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var silence = Silence()
    let board = Board.read(blob, granule: .kib4, reporting: &silence)
    let topology = DMATopology(reading: blob, of: board, reporting: &silence)
    return try PermittedDevices(listedFor: board.itses[index].node, in: topology)
  }

  /// What the board reserves.
  func reserved() throws -> ReservedPages {
    var silence = Silence()
    let blob = try DeviceTreeBlob(checking: bytes.span)
    return ReservedPages(Board.read(blob, granule: .kib4, reporting: &silence))
  }

  /// What becomes of the masters.
  struct Masters {
    var fates: [UnconfinedMasters.Fate] = []
    var pages: [[UInt64]] = []
    var count = 0
    var claimed = 0
    var lines: [String] = []
  }

  /// Decides what becomes of the masters.
  func masters(drivers: UnconfinedMasters.Drivers = .ours, claims: Bool = true) throws -> Masters {
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var silence = Silence()
    let board = Board.read(blob, granule: .kib4, reporting: &silence)
    let topology = DMATopology(reading: blob, of: board, reporting: &silence)
    let masters = UnconfinedMasters(topology, board, blob, drivers: drivers, claims: claims)
    var found = Masters()
    found.fates = topology.masters.indices.map { masters[$0] }
    found.pages = (0..<masters.pages.count).compactMap { index in
      masters.pages[index].map { [$0.first.rawValue, $0.count] }
    }
    found.count = masters.count
    found.claimed = masters.claimedCount
    var next = 0
    while let group = masters.group(from: next, topology, blob) {
      var text = Text()
      masters.write(group, topology, blob, into: &text)
      found.lines.append(String(decoding: text.bytes, as: UTF8.self))
      next = group.end
    }
    return found
  }

  private struct Text: TextSink {
    var bytes: [UInt8] = []
    mutating func append(_ byte: UInt8) { bytes.append(byte) }
  }
}
