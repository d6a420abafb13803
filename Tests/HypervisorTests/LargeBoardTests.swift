// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import GIC
import Hypervisor
import ITS
import Simulation
import Ownership
import Redistributor
import SimulatedHardware
import Testing
import Traps

/// A server of two sockets: from its tree to hosts' drivers that drive all of it.
@Suite("Large boards")
struct LargeBoardTests {
  private static let itses = 16
  private static let processors = 192
  private static let redistributors: UInt64 = 0x810_0000
  private static let further = pages(at: 0x100_0000_0000, size: 1 << 40)

  private static func world(isMediated: Bool = true) throws -> ITSWorld {
    var options = ITSWorldOptions(Array(repeating: ITSConfiguration(), count: itses))
    options.processors = processors
    options.furtherMemory = further
    options.arenaPages = 240
    options.isMediated = isMediated
    return try ITSWorld(options)
  }

  /// The tree of that board.
  private static func tree(_ world: ITSWorld) throws -> DescribedTree {
    let cpus = (0..<processors).map {
      "cpu@\($0) { device_type = \"cpu\"; enable-method = \"psci\"; reg = <0 \($0)>; };"
    }
    let services = world.gic.services.map { service in
      let base = String(service.base, radix: 16)
      return "its@\(base) { compatible = \"arm,gic-v3-its\"; reg = <0 0x\(base) 0 0x20000>; };"
    }
    return try DescribedTree(
      """
      memory@40000000 { device_type = "memory"; reg = <0 0x40000000 0 0x20000000>; };
      memory@10000000000 { device_type = "memory"; reg = <0x100 0 0x100 0>; };
      psci { compatible = "arm,psci-1.0"; method = "smc"; };
      cpus { #address-cells = <2>; #size-cells = <0>; \(cpus.joined()) };
      gic { compatible = "arm,gic-v3"; #address-cells = <2>; #size-cells = <2>; ranges;
        reg = <0 0x8000000 0 0x10000>, <0 0x8100000 0 0x\(String(processors << 17, radix: 16))>;
        \(services.joined()) };
      """)
  }

  private struct Silence: DiagnosticSink {
    func report(_ diagnostic: Diagnostic) {}
  }

  @Test(
    "F-35: 16 ITSes, 192 CPUs and 1 TiB are read, claimed and mediated, and serve their drivers")
  func starts() throws {
    let world = try Self.world()
    let bytes = try Self.tree(world).bytes
    let blob = try DeviceTreeBlob(checking: bytes.span)
    var silence = Silence()
    let board = Board.read(blob, granule: .kib4, reporting: &silence)
    #expect(board.verdict == .protectable)
    #expect(board.itses.count == Self.itses && board.cpus.count == Self.processors)

    let registers = GICDeviceMemory(world.gic)
    var others = RegionRequests<Claimed>()
    try RedistributorClaim.append(
      board.redistributors, at: { _ in VirtualAddress(Self.redistributors) }, through: registers,
      to: &others
    ) { first, frame in Claimed.mediatedRedistributors(first: first, frame: frame) }
    var registry = RegionRegistry<Claimed>()
    var frames: RegionClaim.BoardFrames = RegionClaim.noFrames()
    let identities = try ITSClaim.claim(
      board, beside: others, collecting: &frames, from: &world.ownership, registry: &registry,
      device: { .mediatedITS(UInt8($0)) }, registers: AnyFrame())
    #expect(identities.count == Self.itses)
    #expect(frames.ranges.count == Self.itses + Self.processors)
    for index in frames.ranges.indices {
      let record = world.ownership.pageRecord(of: frames.ranges[index].first)
      #expect(record.state == .none)
    }
    let last = Self.redistributors + UInt64(Self.processors - 1) << 17
    #expect(registry.index(of: PhysicalAddress(last)) == Self.itses)
    #expect(
      registry.index(of: PhysicalAddress(last + 0x1_0000)) == nil, "an SGI frame is the host's")

    try enableMediated(world)
    drive(world)
    #expect(world.checkInvariant() == nil)
  }

  @Test("F-35: the control: drivers of such a board without EL2")
  func unmediated() throws {
    let world = try Self.world(isMediated: false)
    world.enableLPIs()
    drive(world)
  }

  /// Every ITS sends an interrupt to every CPU.
  private func drive(_ world: ITSWorld) {
    for index in 0..<Self.itses {
      let host = HostDriver(world, index)
      host.queuePages = 16
      host.start()
      host.mapCollections()
      #expect(host.isDone)
      host.post(.mapd(1, table: host.table(1), eventIDBits: 8))
      for cpu in 0..<Self.processors {
        let event = UInt32(cpu)
        host.post(
          .mapti(1, event, interrupt: 8192 + event, collectionID: UInt16(cpu)),
          .sync(target: host.target(cpu)))
        world.gic.delivered = []
        #expect(world.gic.services[index].message(device: 1, event: event) == nil)
        #expect(world.taken(by: cpu) == [8192 + event])
      }
    }
  }

  /// Every Redistributor is mediated, and the host enables its LPIs from its own CPU.
  private func enableMediated(_ world: ITSWorld) throws {
    let memory = UnsafeMutableRawPointer.allocate(
      byteCount: Int(RedistributorSlots.size), alignment: 16)
    defer { unsafe memory.deallocate() }
    var guarding = unsafe MediatedRedistributors(
      interruptLimit: 1 << 16, pins: PhysicalAddress(0x5ef0_0000),
      slots: RedistributorSlots(memory),
      offersVirtualLPIs: false)
    let machine = Machine(world: world, affinity: 0)
    for redistributor in world.gic.redistributors {
      try guarding.add(VirtualAddress(redistributor.base), machine: machine)
    }
    try guarding.finish(machine: machine)
    #expect(guarding.count == Self.processors)
    world.enableLPIs { number, width, value, address in
      let redistributor = world.gic.redistributors[number]
      let access = Access(
        offset: address - redistributor.base, address: VirtualAddress(address), width: width)
      let effect = guarding.write(
        number, access, value,
        machine: Machine(world: world, affinity: redistributor.typer.affinity))
      #expect(effect == .done)
    }
    #expect(guarding.counters.allRefused == 0)
    // The configuration table, once for each, and the pending tables.
    #expect(guarding.heldTables == 2 * UInt64(Self.processors))
    for redistributor in world.gic.redistributors { #expect(redistributor.state.isEnabled) }
  }
}

/// A device of a claimed region; nothing traps here.
private typealias Claimed = ProtectedDevice<NoContext>

private struct NoContext: RefusingContext {
  var deviceMemory: AnyFrame { AnyFrame() }
}

/// Registers that all answer.
private struct AnyFrame: DeviceMemory {
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? { 0 }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool { true }
  func orderAccesses() {}
}

private struct Machine: RedistributorMachine {
  let world: ITSWorld
  let affinity: UInt32
  var registers: GICDeviceMemory { GICDeviceMemory(world.gic) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try world.ownership.hold(pages, in: &table)
  }
  func release(_ slot: UInt64, of table: inout PinTable) {
    world.ownership.release(slot, of: &table)
  }
}
