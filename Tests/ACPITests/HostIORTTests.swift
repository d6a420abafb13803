// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards
import Testing

@Suite struct HostIORTTests {
  typealias Mapping = IORTSource.Mapping

  private let madt = MADT.board(MADT.its(0x808_0000))

  private func write(_ iort: [UInt8], room: Int = 4096) throws -> [UInt8] {
    let bytes = copy([madt, iort])
    var buffer = [UInt8](repeating: 0xaa, count: room)
    var span = buffer.mutableSpan
    let count = try HostIORT.write(from: ACPITables(checking: bytes.span), into: &span)
    return Array(buffer[..<count])
  }

  /// The requesters of a topology with their DeviceIDs.
  private func doorbells(_ iort: [UInt8]) throws -> [[UInt32]] {
    let reading = try Reading([madt, iort])
    #expect(reading.dmaLines == [])
    return reading.dma.doorbells.indices.map { index in
      let path = reading.dma.doorbells[index]
      return [
        UInt32(path.master), path.requesters?.first ?? 0, path.requesters?.last ?? 0,
        path.deviceIDs?.first ?? 0, path.deviceIDs?.last ?? 0,
      ]
    }
  }

  /// As QEMU has it: a group of ITSes, an SMMU, a root complex behind it.
  @Test func leadsPastTheSMMU() throws {
    let source = IORTSource.table([
      IORTSource.group(0),
      IORTSource.smmu([Mapping(count: 0x1_0000, target: 0)]),
      IORTSource.root([Mapping(count: 0x1_0000, target: 1)]),
    ])
    let host = try write(source)
    #expect(try doorbells(host) == [[0, 0, 0xffff, 0, 0xffff]])
    #expect(try doorbells(host) == doorbells(source))
    let reading = try Reading([madt, host])
    #expect(reading.dma.iommus.isEmpty)
    #expect(reading.board.iommus.isEmpty)
    #expect(reading.dma.masters.count == 1)
  }

  @Test func composesPartsThatOverlap() throws {
    let source = IORTSource.table([
      IORTSource.smmu(
        [
          Mapping(first: 0x100, count: 0x80, output: 0x1000, target: 2),
          Mapping(first: 0x180, count: 0x100, output: 0x2000, target: 2),
          Mapping(output: 0x77, target: 2, isSingle: true),
        ]),
      IORTSource.root([
        Mapping(first: 0, count: 0x100, output: 0x140, target: 0),
        Mapping(first: 0x200, count: 0x100, output: 0x9000, target: 2),
      ]),
      IORTSource.group(0),
    ])
    let host = try write(source)
    #expect(
      try doorbells(host).map { Array($0[1...]) }.sorted { $0[0] < $1[0] } == [
        [0, 0x3f, 0x1040, 0x107f], [0x40, 0xff, 0x2000, 0x20bf], [0x200, 0x2ff, 0x9000, 0x90ff],
      ])
  }

  @Test func composesOneStreamOfAComponent() throws {
    let source = IORTSource.table([
      IORTSource.group(0),
      IORTSource.smmu([Mapping(first: 0x40, count: 0x10, output: 0x300, target: 0)]),
      IORTSource.component([Mapping(output: 0x45, target: 1, isSingle: true)]),
    ])
    let reading = try Reading([madt, try write(source)])
    #expect(reading.dmaLines == [])
    #expect(reading.dma.doorbells.count == 1)
    #expect(reading.dma.doorbells[0].deviceIDs == IDRange(0x305, count: 1))
  }

  @Test func leavesOutMonitorsAndReservedMemory() throws {
    var reserved = IORTSource.reserved((0x8000_0000, 0x1_0000))
    reserved.mappings = [Mapping(count: 1, output: 8, target: 0)]
    let source = IORTSource.table([
      IORTSource.smmu(), IORTSource.monitor(0x906_0000), reserved, IORTSource.group(0),
    ])
    let reading = try Reading([madt, try write(source)])
    #expect(reading.board.monitors.isEmpty)
    #expect(try write(source).count == 48 + 24)
  }

  /// Another IOMMU stays, and what leads to it.
  @Test func keepsAnOlderSMMU() throws {
    let source = IORTSource.table([
      IORTSource.smmu(), IORTSource.smmuV2([Mapping(count: 0x100, target: 2)]),
      IORTSource.group(0), IORTSource.root([Mapping(count: 0x100, target: 1)]),
    ])
    let reading = try Reading([madt, try write(source)])
    #expect(reading.dma.iommus.count == 1)
    #expect(reading.dma.iommus[0].kind == .smmuV2)
    #expect(try doorbells(try write(source)) == [[0, 0, 0xff, 0, 0xff]])
  }

  @Test func refusesWhatCannotBeFollowed() throws {
    let unknown = IORTSource.table([IORTSource.Node(type: 9, content: [0, 0, 0, 0])])
    #expect(throws: HostIORTError.self) { try write(unknown) }
    let nowhere = IORTSource.table([
      IORTSource.root([Mapping(count: 1, target: 0, reference: 52)])
    ])
    #expect(throws: HostIORTError.self) { try write(nowhere) }
    let circle = IORTSource.table([IORTSource.root([Mapping(count: 1, target: 0)])])
    #expect(throws: HostIORTError.self) { try write(circle) }
    #expect(throws: HostIORTError.unreadable) { try write(IORTSource.table([], count: 3)) }
    #expect(throws: HostIORTError.unreadable) { try write(IORTSource.table([], revision: 7)) }
  }

  @Test func refusesTooLittleRoom() throws {
    let source = IORTSource.table([IORTSource.group(0)])
    #expect(throws: HostIORTError.noSpace) { try write(source, room: 71) }
    #expect(try write(source, room: 72).count == 72)
  }

  /// A mapping may come to as many as the SMMU has: a node must not pass its 16 bits.
  @Test func refusesANodeThatIsTooLong() throws {
    let many = (0..<100).map { Mapping(first: $0, count: 1, output: $0, target: 0) }
    let roots = (0..<100).map { _ in Mapping(first: 0, count: 0x100, output: 0, target: 1) }
    let source = IORTSource.table([
      IORTSource.group(0), IORTSource.smmu(many), IORTSource.root(roots),
    ])
    #expect(throws: HostIORTError.noSpace) { try write(source, room: 1 << 20) }
  }
}
