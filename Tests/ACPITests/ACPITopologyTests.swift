// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import ACPI
import Architecture
import Boards
import Testing

@Suite("Who does DMA, of ACPI tables") struct ACPITopologyTests {
  /// What is read from these nodes, on a board with two ITSes.
  private static func read(
    _ nodes: [IORTSource.Node], revision: UInt8 = 3, _ more: [UInt8]...
  ) throws -> Reading {
    let madt = MADT.board(MADT.its(0x1808_0000), MADT.its(0x1810_0000, identifier: 7))
    return try Reading([madt, IORTSource.table(nodes, revision: revision)] + more)
  }

  private static func requesters(_ path: DMAPath) -> ClosedRange<UInt32>? {
    path.requesters.map { $0.first...$0.last }
  }

  @Test(
    "A root complex has its streams at the SMMU, and by these its DeviceIDs; holes are not confined"
  )
  func composition() throws {
    let reading = try Self.read([
      IORTSource.group(0, 7),
      IORTSource.smmu([.init(first: 0x100, count: 0x2_0000, output: 0x1_0000)]),
      IORTSource.root([
        .init(first: 0, count: 0x100, output: 0x1000, target: 1),
        .init(first: 0x800, count: 0xf800, output: 0x80, target: 1),
      ]),
    ])
    #expect(reading.dmaLines.isEmpty)
    let dma = reading.dma
    #expect(dma.isComplete)
    #expect(dma.masters.count == 1)
    #expect(dma.masters[0].evidence == .pciHost)
    #expect(
      dma.paths.indices.map { Self.requesters(dma.paths[$0]) } == [
        0...0xff, 0x800...0xffff, 0x100...0x7ff,
      ])
    #expect(
      dma.paths.indices.map { dma.paths[$0].confinement } == [.confined, .confined, .notMapped])
    #expect(dma.paths[0].streams == IDRange(0x1000, count: 0x100))
    #expect(dma.paths[1].streams == IDRange(0x80, count: 0xf800))
    let doorbells = dma.doorbells
    // Each of the two ITSes of the group; streams below 0x100 have no DeviceID.
    #expect(doorbells.indices.map { doorbells[$0].its } == [0, 1, 0, 1])
    #expect(doorbells[0].requesters == IDRange(0, count: 0x100))
    #expect(doorbells[0].deviceIDs == IDRange(0x1_0f00, count: 0x100))
    #expect(doorbells[2].requesters == IDRange(0x880, through: 0xffff))
    #expect(doorbells[2].deviceIDs == IDRange(0x1_0000, count: 0xf780))
  }

  @Test("Without an SMMU a root complex is not confined, and has its DeviceIDs all the same")
  func direct() throws {
    let reading = try Self.read([
      IORTSource.group(7), IORTSource.root([.init(count: 0x1_0000, output: 0x2_0000)]),
    ])
    let dma = reading.dma
    #expect(dma.paths.count == 1)
    #expect(dma.paths[0].confinement == .noIOMMU)
    #expect(Self.requesters(dma.paths[0]) == 0...0xffff)
    #expect(dma.doorbells.count == 1)
    #expect(dma.doorbells[0].its == 1)
    #expect(dma.doorbells[0].deviceIDs == IDRange(0x2_0000, count: 0x1_0000))
  }

  @Test("A mapping counts for the requesters that a root complex has")
  func clipped() throws {
    let dma = try Self.read([
      IORTSource.group(0), IORTSource.smmu(),
      IORTSource.root([.init(first: 0x8000, count: 0x1_0000, output: 5, target: 1)]),
    ]).dma
    #expect(Self.requesters(dma.paths[0]) == 0x8000...0xffff)
    #expect(dma.paths[0].streams == IDRange(5, count: 0x8000))
    #expect(Self.requesters(dma.paths[1]) == 0...0x7fff)
  }

  @Test("A named component is one master with single mappings, and has IDs with others")
  func component() throws {
    let dma = try Self.read([
      IORTSource.group(0), IORTSource.smmu([.init(first: 0, count: 0x100, output: 0x300)]),
      IORTSource.component([
        .init(output: 0x42, target: 1, isSingle: true),
        .init(first: 1, count: 4, output: 0x50, target: 1),
        .init(output: 9, target: 0, isSingle: true),
      ]),
      IORTSource.component([]),
    ]).dma
    #expect(
      dma.masters.indices.map { dma.masters[$0].evidence } == [.namedComponent, .namedComponent])
    #expect(
      dma.paths.indices.map { dma.paths[$0].confinement } == [.confined, .confined, .noIOMMU])
    #expect(dma.paths[0].requesters == nil)
    #expect(dma.paths[0].streams == IDRange(0x42, count: 1))
    #expect(dma.paths[1].requesters == IDRange(1, count: 4))
    #expect(
      dma.doorbells.indices.map { dma.doorbells[$0].deviceIDs } == [
        IDRange(0x342, count: 1), IDRange(0x350, count: 4), IDRange(9, count: 1),
      ])
  }

  @Test("Who is behind an older SMMU, or one without registers, is not confined")
  func otherSMMUs() throws {
    let dma = try Self.read([
      IORTSource.smmuV2([]), IORTSource.smmu(at: 1 << 60),
      IORTSource.root([
        .init(count: 0x8000, target: 0), .init(first: 0x8000, count: 0x8000, target: 1),
      ]),
    ]).dma
    #expect(dma.iommus.indices.map { dma.iommus[$0].kind } == [.smmuV2, .smmuV3])
    #expect(dma.paths.indices.map { dma.paths[$0].confinement } == [.notDriven, .unreadable])
  }

  @Test(
    "What can't be followed is told with table, offset and rule, and its requesters are not confined",
    arguments: [
      (
        IORTSource.Mapping(count: 0x1_0000, reference: 0x34),
        "IORT+0xb0: ID mappings: refers to 0x34, where no node begins that it may refer to",
        0...0xffff
      ),
      (
        .init(count: 0x1_0000, reference: 0),
        "IORT+0xb0: ID mappings: refers to 0x0, where no node begins that it may refer to",
        0...0xffff
      ),
      (
        .init(count: 0x1_0000, reference: .max),
        "IORT+0xb0: ID mappings: refers to 0xffffffff, where no node begins that it may refer to",
        0...0xffff
      ),
      // Itself, and one of its kind.
      (
        .init(first: 5, count: 1, target: 3),
        "IORT+0xb0: ID mappings: refers to 0xb0, where no node begins that it may refer to", 5...5
      ),
      (
        .init(first: 5, count: 1, target: 2),
        "IORT+0xb0: ID mappings: refers to 0x8c, where no node begins that it may refer to", 5...5
      ),
      // More than 32 bits of requesters, of streams; no requester; one ID for a bus.
      (
        .init(first: 1, count: 0),
        "IORT+0xb0: ID mappings: the entry for 0x1 passes the mask or the last number", 0...0xffff
      ),
      (
        .init(count: 2, output: .max, target: 1),
        "IORT+0xb0: ID mappings: the entry for 0x0 passes the mask or the last number", 0...0xffff
      ),
      (
        .init(first: 0x1_0000, count: 2, target: 1),
        "IORT+0xb0: ID mappings: the entry for 0x10000 passes the mask or the last number",
        0...0xffff
      ),
      (
        .init(target: 1, isSingle: true),
        "IORT+0xb0: ID mappings: the entry for 0x0 passes the mask or the last number", 0...0xffff
      ),
    ] as [(IORTSource.Mapping, String, ClosedRange<UInt32>)])
  func unreadable(mapping: IORTSource.Mapping, line: String, requesters: ClosedRange<UInt32>) throws
  {
    var root = IORTSource.root([mapping])
    // A count of zero is told as the greatest there is.
    if mapping.count == 0 {
      root = IORTSource.root([.init(first: mapping.first, count: 1, target: 1)])
    }
    let nodes = [IORTSource.group(0), IORTSource.smmu(), IORTSource.root(segment: 1, []), root]
    var tables = IORTSource.table(nodes)
    if mapping.count == 0 {
      let place = 0xb0 + root.length - 20 + 4
      tables.replaceSubrange(place..<(place + 4), with: little(UInt32.max))
      tables = sealed(tables)
    }
    let reading = try Reading([MADT.board(MADT.its(0x1808_0000)), tables])
    #expect(reading.dmaLines == [line])
    let path = reading.dma.paths[1]
    #expect(path.master == 1)
    #expect(path.confinement == .unreadable)
    #expect(Self.requesters(path) == requesters)
  }

  @Test(
    "Mappings that do not lie in their node are not read",
    arguments: [
      (UInt32?(2), UInt32?.none), (nil, 37), (nil, 15), (nil, .max), (.max, nil), (257, nil),
    ])
  func outside(count: UInt32?, offset: UInt32?) throws {
    var root = IORTSource.root([.init(count: 0x1_0000, target: 0)])
    (root.mappingCount, root.mappingOffset) = (count, offset)
    let reading = try Self.read([IORTSource.smmu(), root])
    #expect(reading.dmaLines == ["IORT+0x74: ID mappings: has an impossible length of 56 bytes"])
    #expect(reading.dma.paths.count == 1)
    #expect(reading.dma.paths[0].confinement == .unreadable)
  }

  @Test("Requesters of two mappings are told of; where one goes by no SMMU they are not confined")
  func overlap() throws {
    let twice = try Self.read([
      IORTSource.smmu(),
      IORTSource.root([.init(count: 0x1_0000), .init(first: 9, count: 1, output: 0x2_0000)]),
    ])
    #expect(twice.dmaLines == ["IORT+0x74: ID mappings: the entry for 0x9 overlaps one before it"])
    #expect(
      twice.dma.paths.indices.map { twice.dma.paths[$0].confinement } == [.confined, .confined])
    for order in [[0, 1], [1, 0]] {
      let mappings = [
        IORTSource.Mapping(count: 0x1_0000, target: 0), .init(first: 9, count: 1, target: 1),
      ]
      let both = try Self.read([
        IORTSource.smmu(), IORTSource.group(0), IORTSource.root(order.map { mappings[$0] }),
      ])
      #expect(both.dmaLines == ["IORT+0x8c: ID mappings: the entry for 0x9 overlaps one before it"])
      #expect(
        both.dma.paths.indices.map { both.dma.paths[$0].confinement } == [.confined, .unreadable])
      #expect(Self.requesters(both.dma.paths[1]) == 9...9)
    }
  }

  @Test(
    "What of an SMMU or of a group can't be followed is told once",
    arguments: [
      ([IORTSource.group(0, 5)], "IORT+0x30: GIC ITS Identifier: no ITS is number 5"),
      (
        [.init(type: 0, content: little(UInt32(2), UInt32(0)))],
        "IORT+0x30: Length: has an impossible length of 24 bytes"
      ),
      (
        [IORTSource.smmu([.init(target: 0), .init(target: 0)])],
        "IORT+0x30: ID mappings: refers to 0x30, where no node begins that it may refer to"
      ),
      (
        [IORTSource.smmu([.init(first: 3, count: 2, output: .max)])],
        "IORT+0x30: ID mappings: the entry for 0x3 passes the mask or the last number"
      ),
      ([.init(type: 9, content: [])], "IORT+0x30: Type: cannot be 0x9"),
      ([.init(type: 2, content: [])], "IORT+0x30: Length: has an impossible length of 16 bytes"),
      (
        [IORTSource.root(segment: 3, []), IORTSource.root(segment: 3, [])],
        "IORT+0x54: PCI Segment Number: another one is 0x3"
      ),
      (
        [
          IORTSource.smmu([.init(target: 1, isSingle: true)], interrupts: [0, 1, 2, 3], own: 1),
          IORTSource.group(0),
        ], "IORT+0x30: Device ID mapping index: cannot be 0x1"
      ),
      (
        [IORTSource.smmu([.init(target: 1)], revision: 5, flags: 0x11), IORTSource.group(0)],
        "IORT+0x30: Device ID mapping index: cannot be 0x0"
      ),
    ] as [([IORTSource.Node], String)])
  func toldOnce(nodes: [IORTSource.Node], line: String) throws {
    #expect(try Self.read(nodes).dmaLines == [line])
  }

  @Test(
    "The DeviceID of an SMMU's own interrupts is that of its mapping, where it counts",
    arguments: [
      (UInt8(0), UInt32(1), [UInt32(0), 0, 0, 0], false), (1, 1, [0, 0, 0, 0], true),
      (4, 1, [5, 6, 7, 8], false),
      (4, 1, [5, 6, 0, 8], true), (5, 1, [0, 0, 0, 0], false), (5, 0x11, [5, 6, 7, 8], true),
    ])
  func own(revision: UInt8, flags: UInt32, interrupts: [UInt32], counts: Bool) throws {
    let dma = try Self.read([
      IORTSource.group(7),
      IORTSource.smmu(
        [.init(count: 4), .init(output: 0x77, isSingle: true)], revision: revision, flags: flags,
        interrupts: interrupts, own: 1),
      IORTSource.root([.init(count: 0x1_0000, target: 1)]),
    ]).dma
    #expect(dma.iommus[0].sendsMSIs == counts)
    #expect(dma.iommuDoorbells.count == (counts ? 1 : 0))
    if counts {
      #expect(dma.iommuDoorbells[0] == IOMMUDoorbellPath(iommu: 0, its: 1, deviceID: 0x77))
    }
    // It is no stream's.
    #expect(dma.doorbells.count == 1)
    let wired = dma.iommus[0].interrupts
    #expect(
      [wired.events, wired.pageRequests, wired.globalError, wired.commandSync]
        == interrupts.map { $0 == 0 ? nil : $0 })
  }

  @Test(
    "Segments that the IORT does not tell of are masters that nothing confines; segments are not mixed up"
  )
  func segments() throws {
    let spaces = mcfg(
      (0x40_0000_0000, 1, 0, 255), (0x50_0000_0000, 0, 0, 127), (0x60_0000_0000, 2, 0, 1),
      (0x70_0000_0000, 2, 2, 3))
    let dma = try Self.read(
      [IORTSource.smmu(), IORTSource.root(segment: 0, [.init(count: 0x1_0000)])], spaces
    ).dma
    #expect(dma.masters.count == 3)
    #expect(dma.paths.indices.map { dma.paths[$0].confinement } == [.confined, .noIOMMU, .noIOMMU])
    let without = try Reading([MADT.board(), spaces])
    #expect(without.dma.masters.count == 3)
    #expect(without.dma.isComplete)
  }

  @Test("A revision that is not known, or a table that breaks off, makes the topology incomplete")
  func incomplete() throws {
    for revision in [UInt8(0), 6] {
      #expect(try Self.read([], revision: revision).dma.isComplete)
    }
    let newer = try Self.read([], revision: 7)
    #expect(newer.dmaLines == ["IORT+0x8: Revision: cannot be 0x7"])
    #expect(!newer.dma.isComplete)
    let broken = try Reading([MADT.board(), IORTSource.table([IORTSource.group()], count: 2)])
    #expect(broken.dmaLines == ["IORT+0x43: Length: has an impossible length of 68 bytes"])
    #expect(!broken.dma.isComplete)
    let spaces = (0..<300).map {
      little(0x10_0000_0000 + UInt64($0) << 28, UInt16(0), UInt16(0), UInt32(0))
    }
    let many = try Reading([MADT.board(), table("MCFG", little(UInt64(0)) + spaces.flatMap { $0 })])
    #expect(!many.dma.isComplete)
  }

  @Test(
    "The last ID of a mapping is that of another one that begins with it, unless it is the only one"
  )
  func countedTooFar() throws {
    let dma = try Self.read([
      IORTSource.group(0), IORTSource.smmu([.init(count: 0x1_0000)]),
      IORTSource.root([
        .init(first: 0x100, count: 0xff00, output: 0x100, target: 0),
        .init(count: 0x101, target: 1), .init(first: 0x40, count: 1, target: 0, isSingle: true),
      ]),
    ]).dma
    #expect(Self.requesters(dma.paths[0]) == 0...0xff)
    #expect(dma.paths[0].streams == IDRange(0, count: 0x100))
    let same = try Self.read([
      IORTSource.smmu(), IORTSource.root([.init(first: 9), .init(first: 9, output: 1)]),
    ])
    #expect(same.dmaLines.count == 1)
    #expect(same.dma.paths[0].streams == IDRange(0, count: 1))
  }

  @Test("Lists that are full make the topology incomplete, and are told of once")
  func full() throws {
    let mapping = IORTSource.Mapping(count: 1)
    let masters = try Self.read(Array(repeating: IORTSource.component([]), count: 300))
    #expect(
      masters.dmaLines.count == 1 && masters.dmaLines[0].contains("more than 256 DMA masters"))
    let paths = try Self.read(
      [IORTSource.smmu()]
        + Array(repeating: IORTSource.component(Array(repeating: mapping, count: 250)), count: 5))
    #expect(paths.dmaLines.contains { $0.contains("more than 1024 ranges of streams") })
    #expect(!paths.dma.isComplete)
    let doorbells = try Self.read(
      [IORTSource.group(0)]
        + Array(repeating: IORTSource.component(Array(repeating: mapping, count: 250)), count: 3))
    #expect(doorbells.dmaLines.contains { $0.contains("more than 512 ranges of DeviceIDs") })
    #expect(!doorbells.dma.isComplete)
    let iommus = try Self.read(
      (0..<70).map { IORTSource.smmu(at: 0x1_0000_0000 + UInt64($0) << 20) } + [
        IORTSource.root([.init(count: 0x1_0000, target: 69)])
      ])
    #expect(!iommus.dma.isComplete)
    #expect(iommus.board.verdict == .refused)
  }

  @Test("Of two ITSes with one identifier the first counts, which is told")
  func sameIdentifier() throws {
    let reading = try Reading([
      MADT.board(MADT.its(0x1808_0000), MADT.its(0x1810_0000)),
      IORTSource.table([IORTSource.group(0), IORTSource.root([.init(count: 0x1_0000)])]),
    ])
    #expect(reading.dmaLines == ["APIC+0xb8: GIC ITS Identifier: another one is 0x0"])
    #expect(reading.dma.doorbells.count == 1)
    #expect(reading.dma.doorbells[0].its == 0)
  }
}
