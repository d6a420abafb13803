// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import Testing
import Traps

@testable import Boards
@testable import Hypervisor
@testable import SMMUDriver

/// A board with SMMUs, and what its tree says of DMA.
private struct Described: ~Copyable {
  var board = Boards.Board(granule: .kib4)
  var topology = DMATopology()

  /// Adds an SMMU; the node is told apart by its number.
  mutating func add(
    _ base: UInt64, size: UInt64 = 0x2_0000, isCoherent: Bool = true, isEnabled: Bool = true,
    kind: DMATranslator.Kind = .smmuV3, hasRegisters: Bool = true, traits: SMMUTraits = .none
  ) throws {
    let node = BoardNode(offset: Int32(topology.iommus.count + 1))
    let range = try #require(AddressRange(base: PhysicalAddress(base), size: size))
    if hasRegisters {
      let isAdded = board.iommus.append(
        IOMMUDescription(kind: .smmuV3, node: node, range: range, isCoherent: isCoherent))
      #expect(isAdded)
    }
    let isAdded = topology.iommus.append(
      DMATranslator(
        kind: kind, node: node, phandle: 1, cells: 1, isEnabled: isEnabled,
        hasRegisters: hasRegisters, sendsMSIs: false, traits: traits, interrupts: SMMUInterrupts()))
    #expect(isAdded)
  }

  mutating func addPath(
    _ iommu: Int, _ first: UInt32, through last: UInt32,
    _ confinement: DMAPath.Confinement = .confined
  ) {
    let isAdded = topology.paths.append(
      DMAPath(
        master: 0, iommu: iommu, confinement: confinement, requesters: nil,
        streams: IDRange(first, through: last), ignoredBits: 0))
    #expect(isAdded)
  }

  mutating func addMonitor(_ base: UInt64, size: UInt64 = 0x1000) throws {
    let range = try #require(AddressRange(base: PhysicalAddress(base), size: size))
    let isAdded = board.monitors.append(MonitorRegisters(node: .root, range: range))
    #expect(isAdded)
  }

  func plan() throws(SMMUPlanError) -> SMMUPlan { try SMMUPlan(board, topology) }
}

/// Nobody: no access is tried here.
private struct Nobody: RefusingContext, DeviceMemory {
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? { nil }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool { false }
  func orderAccesses() {}
}

private typealias Device = ProtectedDevice<Nobody>

@Suite("The SMMUs that are to be owned")
struct SMMUPlanTests {
  @Test("All enabled SMMUs are planned for, each with the streams of the devices behind it")
  func streams() throws {
    var described = Described()
    try described.add(0x905_0000)
    try described.add(0x909_0000, kind: .other)
    try described.add(0x90d_0000, isEnabled: false)
    try described.add(0x1_0000_0000, size: 0x10_0000)
    described.addPath(0, 0, through: 0xffff)
    described.addPath(3, 0x10, through: 0x10)
    described.addPath(3, 0x20, through: 0x2f)
    // What is behind it in the tree, but is not confined, reaches nothing through it.
    described.addPath(3, 0x40, through: 0x40, .unreadable)
    let plan = try described.plan()
    #expect(plan.places.count == 2)
    #expect(plan.places[0].range.base == PhysicalAddress(0x905_0000))
    #expect(plan.places[1].range.size == 0x10_0000)
    #expect(plan.places[0].streams.contains(StreamID(0xffff)))
    #expect(!plan.places[0].streams.contains(StreamID(0x1_0000)))
    let second = plan.places[1].streams
    for stream in [0x10, 0x20, 0x2f] as [UInt32] { #expect(second.contains(StreamID(stream))) }
    for stream in [0, 0x11, 0x30, 0x40] as [UInt32] { #expect(!second.contains(StreamID(stream))) }
  }

  @Test("Streams in more ranges than there are places for are all that lie between")
  func manyStreams() throws {
    var described = Described()
    try described.add(0x905_0000)
    for number in 1...17 as ClosedRange<UInt32> {
      described.addPath(0, number * 0x10, through: number * 0x10)
    }
    let streams = try described.plan().places[0].streams
    for stream in [0x10, 0x11, 0x110] as [UInt32] { #expect(streams.contains(StreamID(stream))) }
    for stream in [0xf, 0x111] as [UInt32] { #expect(!streams.contains(StreamID(stream))) }
  }

  @Test("F-01: a board without SMMUs has none to own, and its monitors are taken all the same")
  func none() throws {
    var described = Described()
    try described.add(0x905_0000, isEnabled: false)
    try described.addMonitor(0x906_0000)
    let plan = try described.plan()
    #expect(plan.places.isEmpty && plan.monitors.count == 1)
  }

  @Test("F-01: a monitor among the registers of an SMMU that is not used is taken with these")
  func unusedMonitors() throws {
    var described = Described()
    let range = try #require(AddressRange(base: PhysicalAddress(0x905_0000), size: 0x2_0000))
    let isAdded = described.board.unused.append(
      UnusedRegisters(kind: .smmuV3, node: .root, range: range))
    #expect(isAdded)
    try described.addMonitor(0x905_2000)
    try described.addMonitor(0x907_0000)
    let plan = try described.plan()
    #expect(plan.monitors.count == 1 && plan.monitors[0].first.rawValue == 0x9070)
  }

  @Test("F-03: what has command queues of its own for an SMMU is taken with it")
  func companions() throws {
    var described = Described()
    try described.add(0x905_0000)
    let range = try #require(AddressRange(base: PhysicalAddress(0x920_0000), size: 0x83_0000))
    let isAdded = described.board.companions.append(
      CompanionRegisters(node: .root, range: range))
    #expect(isAdded)
    let plan = try described.plan()
    try #require(plan.companions.count == 1)
    #expect(plan.companions[0].first.rawValue == 0x9200 && plan.companions[0].count == 0x830)
  }

  @Test("One that can't be owned has none owned")
  func refusals() throws {
    func expect(
      _ expected: SMMUPlanError, _ spoil: (inout Described) throws -> Void
    ) throws {
      var described = Described()
      try described.add(0x905_0000)
      try spoil(&described)
      #expect(throws: expected) { try described.plan() }
      #expect(!expected.text.description.isEmpty)
    }
    let base = PhysicalAddress(0x907_0000)
    try expect(.incompleteTopology) { $0.topology.isComplete = false }
    try expect(.noRegisters(1)) { try $0.add(0x907_0000, hasRegisters: false) }
    try expect(.badFrame(base)) { try $0.add(0x907_0000, size: 0x1_0000) }
    try expect(.badFrame(base)) { try $0.add(0x907_0000, size: 0x2_0800) }
    try expect(.badFrame(PhysicalAddress(0x907_0800))) { try $0.add(0x907_0800) }
    try expect(.notCoherent(base)) { try $0.add(0x907_0000, isCoherent: false) }
    try expect(.onePage(base)) { try $0.add(0x907_0000, traits: .onePage) }
    try expect(.monitors) { try $0.addMonitor(0x1000_0000, size: 129 << 12) }
    try expect(.tooMany) {
      for number in 1...16 as ClosedRange<UInt64> { try $0.add(0x1_0000_0000 + number << 20) }
    }
  }

  @Test("Monitors are pages of their own, each once, but for those among an SMMU's registers")
  func monitors() throws {
    var described = Described()
    try described.add(0x905_0000)
    for base in [0x905_2000, 0x906_2000, 0x907_0000, 0x907_0800, 0x908_0800] as [UInt64] {
      try described.addMonitor(base)
    }
    let plan = try described.plan()
    let pages = plan.monitors.indices.map { plan.monitors[$0].first.rawValue }
    #expect(pages == [0x9070, 0x9071, 0x9080, 0x9081])
  }

  @Test("All registers are asked for, and each SMMU has an equal part of the arena")
  func setups() throws {
    var described = Described()
    try described.add(0x905_0000)
    try described.add(0x909_0000)
    try described.add(0x90d_0000)
    described.addPath(1, 7, through: 7)
    let plan = try described.plan()
    var requests = RegionRequests<Device>()
    let isWhole = try SMMUClaim.append(plan, to: &requests) { .smmu($0) }
    #expect(isWhole && requests.count == 3)
    var registry = RegionRegistry<Device>()
    for index in requests.indices {
      let layout = requests[index].layout
      #expect(layout.extent == 0x2_0000 && requests[index].widths == .all)
      try registry.register(
        Region(
          layout, mappedAt: VirtualAddress(0x6000_0000 + UInt64(index) << 20),
          device: requests[index].device))
    }
    let arena = try #require(PageRange(first: PageFrameNumber(0x4_0000), count: 256))
    let found = SMMUClaim.setups(plan, in: registry, arena: arena)
    let setups = try #require(found)
    #expect(setups.count == 3)
    for index in setups.indices {
      let address = UInt64(0x6000_0000) + UInt64(index) << 20
      #expect(setups[index].frame == VirtualAddress(address))
      let first = UInt64(0x4_0000) + UInt64(index) * 80
      #expect(setups[index].arena.first.rawValue == first && setups[index].arena.count == 80)
    }
    #expect(setups[1].streams.contains(StreamID(7)))
    #expect(!setups[0].streams.contains(StreamID(7)))
    let small = try #require(PageRange(first: PageFrameNumber(0x4_0000), count: 40))
    let tooSmall = SMMUClaim.setups(plan, in: registry, arena: small) == nil
    let unclaimed = SMMUClaim.setups(plan, in: RegionRegistry<Device>(), arena: arena) == nil
    #expect(tooSmall && unclaimed)
  }

  @Test("SMMUs for which there is no room are told of")
  func full() throws {
    var described = Described()
    for number in 0..<16 as Range<UInt64> { try described.add(0x1_0000_0000 + number << 20) }
    let plan = try described.plan()
    var requests = RegionRequests<Device>()
    for _ in 0..<RegionRequests<Device>.capacity / 16 {
      #expect(try SMMUClaim.append(plan, to: &requests) { .smmu($0) })
    }
    #expect(try !SMMUClaim.append(plan, to: &requests) { .smmu($0) })
  }

  @Test("The doorbells are the translation frames")
  func doorbells() throws {
    var board = Boards.Board(granule: .kib4)
    let frame = try #require(AddressRange(base: PhysicalAddress(0x809_0000), size: 0x1_0000))
    for translation in [frame, nil] {
      let isAdded = board.itses.append(
        ITSDescription(
          node: .root, region: frame, controlFrame: frame, translationFrame: translation,
          traits: .none, preITS: nil))
      #expect(isAdded)
    }
    let doorbells = SMMUClaim.doorbells(of: board)
    #expect(doorbells.count == 1)
    #expect(doorbells.range(0) == PageRange(first: PageFrameNumber(0x8090), count: 16))
  }

  @Test("Each ITS of the largest board has a doorbell")
  func mostDoorbells() throws {
    var board = Boards.Board(granule: .kib4)
    for number in 0..<Boards.Board.ITSes.capacity {
      let base = PhysicalAddress(0x800_0000 + UInt64(number) << 17)
      let frame = try #require(AddressRange(base: base, size: 0x1_0000))
      let isAdded = board.itses.append(
        ITSDescription(
          node: .root, region: frame, controlFrame: frame, translationFrame: frame, traits: .none,
          preITS: nil))
      #expect(isAdded)
    }
    #expect(SMMUClaim.doorbells(of: board).count == Boards.Board.ITSes.capacity)
  }
}
