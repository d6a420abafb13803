// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards
import Testing

/// Memory in which each byte may be read once.
private final class Memory {
  var bytes: [UInt64: UInt8] = [:]
  private(set) var reads: [UInt64: Int] = [:]

  func put(_ content: [UInt8], at address: UInt64) {
    for (index, byte) in content.enumerated() { bytes[address &+ UInt64(index)] = byte }
  }

  func read(_ address: UInt64) -> UInt8? {
    reads[address, default: 0] += 1
    return bytes[address]
  }
}

private struct View: ACPIMemory {
  let memory: Memory
  func byte(at address: PhysicalAddress) -> UInt8? { memory.read(address.rawValue) }
}

@Suite("The gathering of tables") struct ACPIGatheringTests {
  private static let pointer: UInt64 = 0x1000
  private static let root: UInt64 = 0x2000

  private static func checked(_ bytes: [UInt8], at place: Int, over count: Int) -> [UInt8] {
    var bytes = bytes
    bytes[place] = 0
    bytes[place] = 0 &- bytes[..<count].reduce(0, &+)
    return bytes
  }

  private static func rsdp(
    _ extended: UInt64, old: UInt32 = 0, revision: UInt8 = 2, length: UInt32 = 36
  ) -> [UInt8] {
    var bytes = Array("RSD PTR ".utf8) + [0] + Array("PORTCL".utf8) + [revision] + little(old)
    bytes = checked(bytes, at: 8, over: 20)
    guard revision >= 2 else { return bytes }
    return checked(bytes + little(length, extended) + [0, 0, 0, 0], at: 32, over: 36)
  }

  private static func xsdt(_ entries: [UInt64]) -> [UInt8] {
    table("XSDT", entries.flatMap { little($0) })
  }

  private static func rsdt(_ entries: [UInt32]) -> [UInt8] {
    table("RSDT", entries.flatMap { little($0) })
  }

  /// What is gathered of this memory into so many bytes.
  private func gather(
    _ parts: [(UInt64, [UInt8])], room: Int = 4096
  ) throws -> (ACPIGathering, [UInt8], Memory) {
    let memory = Memory()
    for (address, bytes) in parts { memory.put(bytes, at: address) }
    var copy = [UInt8](repeating: 0xa5, count: room)
    var span = copy.mutableSpan
    let gathering = try ACPIGathering(
      from: PhysicalAddress(Self.pointer), in: View(memory: memory), into: &span)
    return (gathering, copy, memory)
  }

  @Test("What is read is copied, in the order of the root table, and passes the check of a copy")
  func whole() throws {
    let tables = [
      fadt(), spcr(), MADT.board(), mcfg((0x4010_0000, 0, 0, 255)), IORTSource.table([]),
    ]
    let (gathering, copy, memory) = try gather(
      [
        (Self.pointer, Self.rsdp(Self.root)),
        (Self.root, Self.xsdt([0x3000, 0, 0x9000, 0x4000, 0x5001, 0x6000, 0x7000])),
        (0x3000, tables[0]), (0x4000, tables[1]), (0x5001, tables[2]), (0x6000, tables[3]),
        (0x7000, tables[4]), (0x9000, Array(table("SSDT", [1, 2, 3])[..<8])),
      ])
    #expect(gathering.rootSignature == .xsdt)
    #expect(gathering.root == PhysicalAddress(Self.root))
    #expect(Array(copy[..<gathering.count]) == ACPITests.copy(tables))
    let found = gathering.tables.indices.map { gathering.tables[$0] }
    #expect(found.map(\.signature) == [.fadt, .spcr, .madt, .mcfg, .iort])
    #expect(found.map(\.address.rawValue) == [0x3000, 0x4000, 0x5001, 0x6000, 0x7000])
    // Where to write another address.
    #expect(found.map(\.entry) == [36, 60, 68, 76, 84])
    #expect(found.map(\.count) == tables.map(\.count))
    for table in found { #expect(table.offset % 8 == 0) }
    let view = try ACPITables(checking: Array(copy[..<gathering.count]).span)
    #expect(view.table(.iort)?.offset == found[4].offset)
    // A byte that is read twice could be another one the second time.
    #expect(memory.reads.values.allSatisfy { $0 == 1 })
  }

  @Test("The old root table is used where there is no other, and only there")
  func oldRoot() throws {
    let parts = [(Self.root, Self.rsdt([0x3000])), (UInt64(0x3000), fadt())]
    for pointer in [
      Self.rsdp(0, old: UInt32(Self.root), revision: 0), Self.rsdp(0, old: UInt32(Self.root)),
    ] {
      let (gathering, _, _) = try gather([(Self.pointer, pointer)] + parts)
      #expect(gathering.rootSignature == .rsdt)
      #expect(gathering.tables.count == 1)
      #expect(gathering.tables[0].entry == 36)
    }
    let both = [(Self.pointer, Self.rsdp(0x8000, old: UInt32(Self.root))), (0x8000, Self.xsdt([]))]
    #expect(try gather(both + parts).0.tables.isEmpty)
  }

  @Test(
    "Each broken rule is an error that names the table, the offset and the rule",
    arguments: [
      ([], "RSDP+0x0: cannot be read"),
      ([(pointer, Array(rsdp(root)[..<19]))], "RSDP+0x13: cannot be read"),
      ([(pointer, Array(rsdp(root)[..<35]))], "RSDP+0x23: cannot be read"),
      (
        [(pointer, Array("RSD PTR!".utf8) + rsdp(root)[8...])],
        "RSDP+0x0: does not begin with its signature"
      ),
      (
        [(pointer, rsdp(root).enumerated().map { $0 == 12 ? 7 : $1 })],
        "RSDP+0x8: the checksum is wrong"
      ),
      (
        [(pointer, rsdp(root).enumerated().map { $0 == 34 ? 7 : $1 })],
        "RSDP+0x20: the checksum is wrong"
      ),
      ([(pointer, rsdp(root, length: 20))], "RSDP+0x14: has an impossible length of 20 bytes"),
      ([(pointer, rsdp(0))], "RSDP+0x18: is not told where it is"),
      ([(pointer, rsdp(0, revision: 0))], "RSDP+0x18: is not told where it is"),
      ([(pointer, rsdp(root))], "XSDT+0x0: cannot be read"),
      (
        [(pointer, rsdp(.max - 3)), (.max - 3, [0x58, 0x53, 0x44, 0x54])],
        "XSDT+0x4: cannot be read"
      ),
      ([(pointer, rsdp(root)), (root, rsdt([]))], "XSDT+0x0: does not begin with its signature"),
      (
        [(pointer, rsdp(root)), (root, table("XSDT", [1, 2, 3, 4]))],
        "XSDT+0x4: has an impossible length of 40 bytes"
      ),
      (
        [(pointer, rsdp(root)), (root, Array("XSDT".utf8) + little(UInt32(28)))],
        "XSDT+0x4: has an impossible length of 28 bytes"
      ),
      (
        [(pointer, rsdp(root)), (root, xsdt(Array(repeating: 0, count: 257)))],
        "XSDT+0x4: more than 256 entries"
      ),
      (
        [(pointer, rsdp(root)), (root, xsdt([0x3000]).enumerated().map { $0 == 20 ? 0 : $1 })],
        "XSDT+0x9: the checksum is wrong"
      ),
      ([(pointer, rsdp(root)), (root, xsdt([0x3000]))], "a table+0x0: cannot be read"),
      (
        [(pointer, rsdp(root)), (root, xsdt([0x3000])), (0x3000, Array(fadt()[..<270]))],
        "FACP+0x10e: cannot be read"
      ),
      (
        [
          (pointer, rsdp(root)), (root, xsdt([0x3000])),
          (0x3000, Array("FACP".utf8) + little(UInt32(35))),
        ], "FACP+0x4: has an impossible length of 35 bytes"
      ),
      (
        [
          (pointer, rsdp(root)), (root, xsdt([0x3000])),
          (0x3000, fadt().enumerated().map { $0 == 99 ? 7 : $1 }),
        ], "FACP+0x9: the checksum is wrong"
      ),
      (
        [
          (pointer, rsdp(root)), (root, xsdt([0x3000, 0x4000])), (0x3000, fadt()), (0x4000, fadt()),
        ], "FACP+0x0: is there a second time"
      ),
      (
        [(pointer, rsdp(root)), (root, xsdt([0x3000, 0x3000])), (0x3000, fadt())],
        "FACP+0x0: is there a second time"
      ),
      (
        [
          (pointer, rsdp(root)), (root, xsdt([0x3000, 0x3028])),
          (0x3000, table("FACP", [0, 0, 0, 0] + spcr())),
          (0x3028, spcr()),
        ], "SPCR+0x0: overlaps another table"
      ),
      (
        [(pointer, rsdp(root)), (root, xsdt([.max - 7])), (.max - 7, Array(fadt()[..<8]))],
        "FACP+0x8: cannot be read"
      ),
      (
        [
          (pointer, rsdp(root)), (root, xsdt([0x3000])),
          (0x3000, table("FACP", Array(repeating: 0, count: 4061))),
        ], "FACP+0x4: there is no room for a copy"
      ),
      (
        [
          (pointer, rsdp(root)), (root, xsdt([0x3000])),
          (0x3000, Array("IORT".utf8) + little(UInt32.max)),
        ], "IORT+0x4: there is no room for a copy"
      ),
    ] as [([(UInt64, [UInt8])], String)])
  func refused(parts: [(UInt64, [UInt8])], line: String) throws {
    // Where the second table begins in the first one, that is 4 bytes of its content.
    let error = #expect(throws: ACPIError.self) { _ = try gather(parts) }
    #expect(error?.line == line)
  }

  @Test("A copy may be as large as its room")
  func fits() throws {
    let large = table("FACP", Array(repeating: 0, count: 4060))
    let (gathering, copy, _) = try gather([
      (Self.pointer, Self.rsdp(Self.root)), (Self.root, Self.xsdt([0x3000])), (0x3000, large),
    ])
    #expect(gathering.count == 4096)
    #expect(copy == large)
  }
}
