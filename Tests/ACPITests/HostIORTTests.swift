// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards
import Testing

@Suite("The IORT of a host whose SMMUs are EL2's") struct HostIORTTests {
  private static let madt = MADT.board(
    MADT.its(0x1808_0000), MADT.its(0x1810_0000, identifier: 7))

  /// The table for the host, of these nodes.
  private static func hidden(_ iort: [UInt8], room: Int = 65536) throws -> [UInt8] {
    let bytes = copy([madt, iort])
    var buffer = [UInt8](repeating: 0xa5, count: room)
    var span = buffer.mutableSpan
    let count = try HostIORT.write(from: try ACPITables(checking: bytes.span), into: &span)
    return Array(buffer[..<count])
  }

  /// The DeviceIDs of a topology: whose, at which ITS, of which requesters.
  private static func doorbells(_ reading: Reading) -> Set<[UInt32?]> {
    let list = reading.dma.doorbells
    return Set(
      list.indices.map {
        [
          UInt32(list[$0].master), UInt32(list[$0].its), list[$0].requesters?.first,
          list[$0].requesters?.last, list[$0].deviceIDs?.first, list[$0].deviceIDs?.last,
        ]
      })
  }

  private static let nodes = [
    IORTSource.group(0, 7), IORTSource.group(7),
    IORTSource.smmu([
      .init(count: 0x800, output: 0x1_0000),
      .init(first: 0x1000, count: 0x100, output: 5, target: 1),
      .init(output: 0x99, isSingle: true),
    ]),
    IORTSource.monitor(0x2b42_0000, 0x2b43_0000),
    IORTSource.smmuV2([.init(count: 0x10, output: 0x500)]),
    IORTSource.root([
      .init(first: 0, count: 0x100, output: 0x700, target: 2),
      .init(first: 0x100, count: 0x10, output: 0x10f8, target: 2),
      .init(first: 0x200, count: 0x10, output: 3, target: 4),
      .init(first: 0x500, count: 0x10, output: 0xff8, target: 2),
      .init(first: 0x300, count: 0x10, output: 0x900, target: 1),
      .init(first: 0x400, count: 0x10, output: 0x8000, target: 2),
    ]),
    IORTSource.component([
      .init(output: 0x42, target: 2, isSingle: true),
      .init(first: 3, count: 9, output: 0x1008, target: 2),
    ]),
    IORTSource.component([]),
    IORTSource.reserved((0x4700_0000, 0x1000)),
  ]

  @Test("SMMUs and monitors are gone, and every DeviceID is what it was")
  func composed() throws {
    let old = try Reading([Self.madt, IORTSource.table(Self.nodes)])
    let table = try Self.hidden(IORTSource.table(Self.nodes))
    let new = try Reading([Self.madt, table])
    #expect(new.lines.isEmpty)
    #expect(new.dmaLines.isEmpty)
    #expect(old.board.iommus.count == 1)
    #expect(new.board.iommus.isEmpty)
    #expect(new.board.monitors.isEmpty)
    #expect(new.board.reserved.count == 1)
    #expect(new.dma.iommus.indices.map { new.dma.iommus[$0].kind } == [.smmuV2])
    #expect(new.dma.masters.count == old.dma.masters.count)
    #expect(!Self.doorbells(old).isEmpty)
    #expect(Self.doorbells(new) == Self.doorbells(old))
    for index in new.dma.paths.indices { #expect(new.dma.paths[index].confinement != .confined) }
    // What was before an older SMMU is so still.
    #expect(new.dma.paths.indices.contains { new.dma.paths[$0].confinement == .notDriven })
    #expect(Array(table[10..<36]) == Array(IORTSource.table([])[10..<36]))
  }

  @Test("A table without SMMUs stays as it is")
  func unchanged() throws {
    let table = IORTSource.table([
      IORTSource.group(0), IORTSource.root([.init(count: 0x1_0000, output: 8)]),
      IORTSource.smmuV2([.init(count: 4)]),
    ])
    #expect(try Self.hidden(table) == table)
    let none = IORTSource.table([])
    #expect(try Self.hidden(none) == none)
  }

  @Test("Memory that is reserved for streams of a hidden SMMU alone is left out")
  func reserved() throws {
    var both = IORTSource.reserved((0x4700_0000, 0x1000))
    both.mappings = [.init(target: 0), .init(target: 1)]
    var hidden = IORTSource.reserved((0x4800_0000, 0x1000))
    hidden.mappings = [.init(target: 0)]
    let table = try Self.hidden(
      IORTSource.table([IORTSource.smmu(), IORTSource.smmuV2([]), both, hidden]))
    let reading = try Reading([Self.madt, table])
    let reserved = reading.board.reserved
    #expect(reserved.indices.map { reserved[$0].range } == [range(0x4700_0000, 0x1000)])
  }

  @Test("Mappings in the middle of a node are moved behind it, and nothing is left of them")
  func middle() throws {
    var root = IORTSource.root([.init(count: 0x1_0000, target: 1)])
    // Another node's worth of content behind them, told to be theirs.
    let mapping = little(UInt32(0), UInt32(0xffff), UInt32(0), UInt32(0x48), UInt32(0))
    root = .init(
      type: 2, content: root.content + mapping + [1, 2, 3], mappingCount: 1,
      mappingOffset: UInt32(16 + root.content.count))
    let table = try Self.hidden(
      IORTSource.table([
        IORTSource.group(0), IORTSource.smmu([.init(count: 0x1_0000, output: 0x30)]), root,
      ]))
    let reading = try Reading([Self.madt, table])
    #expect(reading.dma.doorbells[0].deviceIDs == IDRange(0x30, count: 0x1_0000))
    // The place of the SMMU is told nowhere any more.
    #expect(
      !table.indices.dropLast(4).contains { Array(table[$0..<($0 + 4)]) == little(UInt32(0x48)) })
  }

  @Test("The buffer may be just as large, and is not written beyond")
  func room() throws {
    let table = IORTSource.table(Self.nodes)
    let count = try Self.hidden(table).count
    #expect(try Self.hidden(table, room: count).count == count)
    #expect(throws: HostIORTError.noSpace) { _ = try Self.hidden(table, room: count - 1) }
  }

  @Test(
    "What can't be followed is refused: it could lead to an SMMU",
    arguments: [
      [IORTSource.root([.init(reference: 0x31)])],
      [IORTSource.root([.init(target: 0)])],
      [IORTSource.root([.init(target: 1)]), IORTSource.monitor(0, 0)],
      [IORTSource.root([.init(first: .max, count: 2, target: 1)]), IORTSource.group(0)],
      [IORTSource.root([.init(target: 1, isSingle: true)]), IORTSource.smmu()],
      [IORTSource.root([.init(target: 1)]), IORTSource.smmu([.init(target: 1)])],
      [IORTSource.smmuV2([.init(target: 1)]), IORTSource.smmu()],
      [.init(type: 2, content: [], mappingCount: 1)],
    ])
  func unreadable(nodes: [IORTSource.Node]) throws {
    let error = #expect(throws: HostIORTError.self) {
      _ = try Self.hidden(IORTSource.table(nodes))
    }
    guard case .unreadable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test(
    "A node of which nothing is known, a newer table, no table, and a node that would be too long are refused"
  )
  func refused() throws {
    func error(_ table: [UInt8]) -> HostIORTError? {
      #expect(throws: HostIORTError.self) { _ = try Self.hidden(table) }
    }
    guard case .unknown = error(IORTSource.table([.init(type: 9, content: [])])) else {
      Issue.record("a node that is not known")
      return
    }
    guard case .unreadable = error(IORTSource.table([], revision: 7)) else {
      Issue.record("a newer table")
      return
    }
    guard case .unreadable = error(IORTSource.table([IORTSource.group()], count: 2)) else {
      Issue.record("a table that breaks off")
      return
    }
    #expect(error(fadt()) == .missing)
    let streams = (0..<200).map {
      IORTSource.Mapping(first: UInt32(2 * $0), count: 2, output: UInt32(2 * $0), target: 1)
    }
    let many = [
      IORTSource.smmu(streams), IORTSource.group(0),
      IORTSource.component((0..<200).map { _ in IORTSource.Mapping(count: 0x1000) }),
    ]
    guard case .tooLong = error(IORTSource.table(many)) else {
      Issue.record("a node that would be too long")
      return
    }
  }
}
