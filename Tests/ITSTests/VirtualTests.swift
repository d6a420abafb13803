// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import SimulatedHardware
import Testing

@testable import ITS

/// Boards of GICv4.0 whose ITS offers virtual interrupts.
private func options(_ version: ITSConfiguration.Version = .gicv40, pta: Bool = false)
  -> ITSWorldOptions
{
  var configuration = ITSConfiguration(version)
  configuration.targetsAreAddresses = pta
  var options = ITSWorldOptions([configuration])
  options.policy.checksVirtualInterrupts = true
  return options
}

/// A pending table in the host's memory, with 64 KiB for it.
private func table(_ vpe: UInt16) -> UInt64 { 0x4400_0000 + UInt64(vpe) << 16 }

private func vmapti(
  _ device: UInt32, _ event: UInt32, vpe: UInt16, interrupt: UInt32, doorbell: UInt32 = 1023
) -> ITSCommand {
  ITSCommand(
    0x2a | UInt64(device) << 32, UInt64(event) | UInt64(vpe) << 32,
    UInt64(interrupt) | UInt64(doorbell) << 32)
}

extension ITSWorld {
  /// How many commands were refused for a reason.
  fileprivate func refused(_ reason: CommandRefusalReason) -> UInt64 {
    // Not through the accessor of `its`: what is copied there is read behind its end (AddressSanitizer).
    mediations[0].its.counters.refused[Int(reason.rawValue)]
  }
}

@Suite("Virtual interrupts, checked")
struct VirtualTests {
  /// A host with vPE 3 and device 1.
  private func start(_ options: ITSWorldOptions) throws -> (ITSWorld, HostDriver) {
    let world = try ITSWorld(options)
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1, bits: 14)
    driver.post(
      .vmapp(3, target: driver.target(0), pendingTable: table(3), virtualIDBits: 16))
    return (world, driver)
  }

  @Test("A vPE gets the virtual interrupts of its device", arguments: [false, true])
  func honest(pta: Bool) throws {
    let (world, driver) = try start(options(pta: pta))
    driver.post(
      vmapti(1, 0, vpe: 3, interrupt: 9000),
      ITSCommand(0x2b | 1 << 32, 8200 | 3 << 32, 1023 << 32), .vsync(3))
    #expect(world.its.counters.allRefused == 0)
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.gic.virtuallyDelivered.map(\.interrupt) == [9000])
    #expect(world.held[0]?.count == 1)
    // VMOVI, VMOVP, VINVALL.
    driver.post(
      .vmapp(4, target: driver.target(1), pendingTable: table(4), virtualIDBits: 14),
      ITSCommand(0x21 | 1 << 32, 0 | 4 << 32, 0), ITSCommand(0x2d, 4 << 32),
      ITSCommand(0x22, 1 | 4 << 32, driver.target(0) << 16), .vsync(4))
    #expect(world.its.counters.allRefused == 0)
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.gic.virtuallyDelivered.last?.vpe == 4)
    world.expectSound()
  }

  @Test("B-47 Where targets are addresses, a vPE may be mapped to a VLPI frame, as drivers do")
  func frames() throws {
    let (world, driver) = try start(options(pta: true))
    driver.post(
      .vmapp(4, target: driver.target(0) + 2, pendingTable: table(4), virtualIDBits: 14),
      vmapti(1, 0, vpe: 4, interrupt: 9000),
      ITSCommand(0x22, 4 << 32, (driver.target(1) + 2) << 16), .vsync(4))
    #expect(world.its.counters.allRefused == 0)
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.gic.virtuallyDelivered.last?.vpe == 4)
    // The frames beside these are no Redistributor's.
    driver.post(
      .vmapp(5, target: driver.target(0) + 1, pendingTable: table(5), virtualIDBits: 14),
      .vmapp(6, target: driver.target(0) + 3, pendingTable: table(6), virtualIDBits: 14),
      ITSCommand(0x22, 4 << 32, (driver.target(1) + 1) << 16), .sync(target: driver.target(0) + 2))
    #expect(world.refused(.unknownTarget) == 4)
    world.expectSound()
  }

  @Test(
    "B-46 The pending table of a vPE is the host's own memory, and stays its while it is mapped")
  func pendingTable() throws {
    let (world, driver) = try start(options())
    let canary = ITSWorld.canary.first.address.rawValue
    driver.post(
      .vmapp(5, target: 0, pendingTable: canary, virtualIDBits: 16),
      // Not memory, and beyond memory.
      .vmapp(6, target: 0, pendingTable: 0x808_0000, virtualIDBits: 16),
      .vmapp(7, target: 0, pendingTable: 0x000f_ffff_ffff_0000, virtualIDBits: 16))
    #expect(world.refused(.notHostMemory) == 3)
    #expect(world.donate(table(3)) == nil, "the ITS writes there")
    // Unmapped by the ledger, whatever the command says of the table, and free behind the hardware.
    driver.post(ITSCommand(0x29, 3 << 32, 0, canary))
    driver.ring()
    #expect(world.held[0] == [])
    #expect(world.donate(table(3)) != nil)
    world.expectSound()
  }

  @Test("A pending table has a bit for each vINTID of 16 bits: what lies behind may be a guest's")
  func pendingTableEnds() throws {
    let (world, driver) = try start(options())
    #expect(world.donate(table(4) + 0x1000) != nil && world.donate(table(5) + 0x2000) != nil)
    // 14 bits take half a page, 16 bits two.
    driver.post(
      .vmapp(4, target: driver.target(0), pendingTable: table(4), virtualIDBits: 16),
      .vmapp(4, target: driver.target(0), pendingTable: table(4), virtualIDBits: 14),
      .vmapp(5, target: driver.target(0), pendingTable: table(5), virtualIDBits: 14))
    #expect(world.refused(.notHostMemory) == 2 && world.its.counters.allRefused == 2)
    for vpe in [3, 5] as [UInt16] {
      #expect(world.donate(table(vpe)) == nil, "the ITS writes there")
      #expect(world.donate(table(vpe) + 0x1000) == nil)
    }
    #expect(world.donate(table(3) + 0x2000) != nil)
    world.expectSound()
  }

  @Test(
    "B-46 An event takes its vINTID along to a vPE with a smaller pending table",
    arguments: [false, true])
  func smallerTable(moves: Bool) throws {
    var options = options()
    options.services[0].checksPendingRange = false
    let (world, driver) = try start(options)
    // 60,000 lies in the second page of a table; one for 14 bits has half a page.
    driver.post(vmapti(1, 0, vpe: 3, interrupt: 60_000))
    driver.post(
      .vmapp(moves ? 4 : 3, target: driver.target(0), pendingTable: table(4), virtualIDBits: 14))
    if moves { driver.post(ITSCommand(0x21 | 1 << 32, 4 << 32)) }
    driver.ring()
    #expect(world.donate(table(4) + 0x1000) == nil, "the ITS writes there")
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.gic.virtuallyDelivered.map(\.interrupt) == [60_000])
    world.expectSound()
  }

  @Test("F-11: the pending table of a vPE lies below the addresses of the whole GIC")
  func reach() throws {
    var options = options()
    options.policy.addressLimit = table(4)
    let (world, driver) = try start(options)
    #expect(world.its.counters.allRefused == 0 && world.held[0]?.count == 1)
    driver.post(.vmapp(5, target: driver.target(0), pendingTable: table(4), virtualIDBits: 16))
    #expect(world.refused(.notHostMemory) == 1)
    world.expectSound()
  }

  @Test("B-46 A pending table is not released before the hardware has let go of it")
  func retirement() throws {
    let (world, driver) = try start(options())
    world.service().hang(after: 0)
    driver.stage([.unvmapp(3)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    #expect(world.held[0]?.count == 1)
    #expect(world.donate(table(3)) == nil)
    world.service().hang(after: nil)
    world.service().run()
    _ = world.read(0, 0x90, .double)
    driver.ring()
    #expect(world.held[0] == [])
    world.expectSound()
  }

  @Test("A host that finds a vPE unmapped may give the memory of its pending table away")
  func completed() throws {
    let (world, driver) = try start(options())
    world.service().pace = .manual
    driver.stage([.unvmapp(3)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    while !driver.isDone, world.service().step() {}
    #expect(driver.isDone && world.held[0] == [])
    #expect(world.donate(table(3)) != nil)
    world.expectSound()
  }

  @Test("B-61 A vPE that is mapped anew gives its old table up behind the hardware")
  func remap() throws {
    let (world, driver) = try start(options())
    for round in 1...600 as ClosedRange<UInt64> {
      driver.post(
        .vmapp(
          3, target: 0, pendingTable: table(UInt16(10 + round % 8)), virtualIDBits: 16))
    }
    driver.ring()
    #expect(world.its.counters.allRefused == 0)
    #expect(world.held[0]?.count == 1)
    #expect(world.donate(table(3)) != nil)
    world.expectSound()
  }

  @Test("An event is mapped to a vPE that is mapped, and to a vINTID in its table")
  func bounds() throws {
    let (world, driver) = try start(options())
    driver.post(
      .vmapp(4, target: 0, pendingTable: table(4), virtualIDBits: 14),
      vmapti(1, 0, vpe: 4, interrupt: 1 << 14), vmapti(1, 0, vpe: 4, interrupt: 8191),
      vmapti(1, 0, vpe: 9, interrupt: 9000), vmapti(2, 0, vpe: 4, interrupt: 9000),
      vmapti(1, 0, vpe: 4, interrupt: 9000, doorbell: 77),
      .vmapp(8, target: 99, pendingTable: table(8), virtualIDBits: 16),
      .vmapp(8, target: 0, pendingTable: table(8), virtualIDBits: 17),
      .vmapp(8, target: 0, pendingTable: table(8), virtualIDBits: 13),
      .vmapp(600, target: 0, pendingTable: table(8), virtualIDBits: 16),
      ITSCommand(0x2d, 9 << 32), .vsync(600), ITSCommand(0x22, 1 | 4 << 32, 99 << 16))
    func refused(_ reason: CommandRefusalReason) -> UInt64 {
      world.refused(reason)
    }
    #expect(refused(.interruptOutOfRange) == 5)
    #expect(refused(.vpeNotMapped) == 2 && refused(.deviceNotMapped) == 1)
    #expect(refused(.unknownTarget) == 2 && refused(.vpeOutOfRange) == 2)
    world.expectSound()
  }

  @Test("New tables of vPEs unmap them all", arguments: [0, 1])
  func purge(way: Int) throws {
    let (world, driver) = try start(options())
    driver.disable()
    driver.installQueue()
    driver.writeOffset = 0
    let number = try #require(driver.register(of: .vpes))
    if way == 0 { driver.write(0x100 + number * 8, 0) }
    driver.write(
      0x100 + number * 8,
      GITSTableBase(
        base: driver.vpes + 0x1_0000, pages: 1, pageSize: .kib4, isIndirect: false, attributes: 0
      ).rawValue)
    driver.write(0, 1, .word)
    driver.ring()
    #expect(world.held[0] == [])
    driver.post(vmapti(1, 0, vpe: 3, interrupt: 9000))
    #expect(world.refused(.vpeNotMapped) == 1)
    world.expectSound()
  }

  @Test("GICv4.1 and GICv3 offer no virtual interrupts, whatever the policy")
  func others() throws {
    for version in [ITSConfiguration.Version.gicv3, .gicv41] {
      let world = try ITSWorld(options(version))
      let driver = HostDriver(world).start()
      #expect(driver.register(of: .vpes) == nil)
      driver.post(.vmapp(3, target: 0, pendingTable: table(3), virtualIDBits: 16))
      #expect(
        world.refused(.virtualInterrupts) == 1)
      world.expectSound()
    }
  }
}
