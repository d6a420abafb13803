// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

@Suite("Registers of a mediated ITS") struct RegisterTests {
  /// Every offset that means something, and some that mean nothing.
  static let offsets: [UInt64] =
    Array(stride(from: 0, to: 0xa0, by: 4)) + Array(stride(from: 0x100, to: 0x148, by: 4))
    + [0x200, 0xbffc, 0xc000, 0xffcc] + Array(stride(from: 0xffd0, to: 0x1_0000, by: 4))

  @Test("Only a width or an alignment that is forbidden is answered with an abort")
  func widths() throws {
    let world = try ITSWorld()
    for offset in Self.offsets {
      for width in [AccessWidth.word, .double] where offset % width.bytes == 0 {
        let permitted = ITSRegister.widths(at: offset)
        let isRefused =
          permitted != .none && !permitted.permits(width)
          && ![0x08, 0x88, 0x90].contains(offset & ~7)
        if case .refused(let reason) = world.read(0, offset, width) {
          #expect(isRefused && reason == .width, "\(hex(offset)) \(width)")
        } else {
          #expect(!isRefused, "\(hex(offset)) \(width)")
        }
        let write = world.write(0, offset, width, 0)
        #expect(
          write == (isRefused ? .refused(.width) : .done), "\(hex(offset)) \(width)")
      }
    }
    for (offset, width) in [
      (0x82, AccessWidth.half), (0x80, .byte), (0x84, .double), (0x82, .word),
    ] {
      #expect(world.read(0, UInt64(offset), width) != .value(0))
      #expect(world.write(0, UInt64(offset), width, 0) != .done)
    }
    world.expectSound()
  }

  @Test("What is read only, reserved or not offered reads as zero, ignores writes, and is counted")
  func ignored() throws {
    let world = try ITSWorld(Variant(version: .gicv41).options)
    let driver = HostDriver(world)
    let live: Set<UInt64> = [0, 0x80, 0x84, 0x88, 0x8c]
    for offset in Self.offsets
    where !live.contains(offset) && !(0x100..<0x140).contains(offset) {
      guard case .value(let before) = world.read(0, offset, .word) else { continue }
      let count = world.its.counters.ignored
      #expect(world.write(0, offset, .word, 0xffff_ffff) == .done)
      #expect(world.its.counters.ignored == count + 1, "\(hex(offset))")
      #expect(driver.read(offset, .word) == before)
      switch offset {
      case 0x04, 0x08, 0x0c, 0xffe8: #expect(before != 0)
      default: #expect(before == 0, "\(hex(offset))")
      }
    }
    world.expectSound()
  }

  @Test(
    "What identifies the ITS is the hardware's, without what concerns virtual interrupts",
    arguments: Variant.all)
  func identity(_ variant: Variant) throws {
    let world = try ITSWorld(variant.options)
    let driver = HostDriver(world)
    let typer = GITSTyper(rawValue: try #require(driver.read(0x08)))
    // EL2 has 1,024 collections, of all that the hardware could have.
    #expect(typer == world.service().typer.withoutVirtualLPIs.with(collectionIDBits: 10))
    #expect(!typer.hasVirtualLPIs && !typer.hasGICv41)
    #expect(typer.targetsAreAddresses == variant.targetsAreAddresses)
    #expect(driver.read(0x08, .word) == typer.rawValue & 0xffff_ffff)
    #expect(driver.read(0x0c, .word) == typer.rawValue >> 32)
    #expect(driver.read(0x04, .word) == 0x43b)
    #expect(driver.read(0xffe8, .word) == (variant.version >= .gicv40 ? 0x40 : 0x30))
  }

  @Test(
    "B-80 GITS_CBASER and GITS_BASER<n> read back as the architecture says, in one access or two halves",
    arguments: Variant.all)
  func readBack(_ variant: Variant) throws {
    let world = try ITSWorld(variant.options)
    var options = variant.options
    options.isMediated = false
    let reference = try ITSWorld(options)
    let driver = HostDriver(world)
    let other = HostDriver(reference)
    let queue = world.service().queueBase
    let tables = (0..<8).map { world.service().tableBase($0) }
    let values: [UInt64] =
      [0, .max, 1 << 63, 0x5555_5555_5555_5555, 0xaaaa_aaaa_aaaa_aaaa, canary | 1 << 63]
      + (0..<64).map { 1 << $0 }
    for value in values {
      driver.write(0x80, value)
      #expect(driver.read(0x80) == value & GITSCommandBase.writable)
      #expect(driver.read(0x84, .word) == (value & GITSCommandBase.writable) >> 32)
      for number in 0..<8 as Range<UInt64> {
        let offset = 0x100 + number * 8
        driver.write(offset, value)
        other.write(offset, value)
        let found = driver.read(offset)
        let isVirtual = GITSTableBase(rawValue: other.read(offset) ?? 0).kind == .vpes
        #expect(found == (isVirtual ? 0 : other.read(offset)), "\(hex(offset)) \(hex(value))")
        #expect(driver.read(offset, .word) == (found ?? 0) & 0xffff_ffff)
        #expect(driver.read(offset + 4, .word) == (found ?? 0) >> 32)
        driver.write(offset, 0)
        driver.write(offset, value & 0xffff_ffff, .word)
        driver.write(offset + 4, value >> 32, .word)
        #expect(driver.read(offset) == found)
      }
    }
    driver.write(0x80, 0)
    driver.write(0x84, 0x8000_0000, .word)
    driver.write(0x80, 0x4100_0000, .word)
    #expect(driver.read(0x80) == 1 << 63 | 0x4100_0000 as UInt64)
    // The hardware's own are EL2's, whatever the host does.
    #expect(world.service().queueBase == queue)
    for number in 0..<8 { #expect(world.service().tableBase(number) == tables[number]) }
    world.expectSound()
  }

  @Test(
    "B-80 The host's address in GITS_CBASER or GITS_BASER<n>, which is EL2's memory",
    arguments: [0x80, 0x100] as [UInt64])
  func addresses(_ offset: UInt64) throws {
    try attack { driver in
      driver.start()
      driver.disable()
      driver.write(
        offset, driver.read(offset).map { $0 & ~0xffff_ffff_f000 | canary } ?? 0)
      driver.write(0, 1, .word)
      if offset == 0x80 { driver.write(0x88, 32) } else { driver.mapDevice(1) }
    }
  }

  @Test("B-81 Not Valid, not cacheable, not shareable: the hardware's attributes stay EL2's")
  func attributes() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.attributes = MemoryAttributes.nonCacheable
    let before = (
      world.service().queueBase, world.service().tableBase(0), world.service().tableBase(1)
    )
    driver.start()
    driver.mapCollections()
    driver.mapDevice(1)
    driver.disable()
    driver.write(0x100, 0)
    driver.write(0x108, 0)
    driver.write(0, 1, .word)
    #expect(world.service().queueBase == before.0)
    #expect(world.service().tableBase(0) == before.1)
    #expect(world.service().tableBase(1) == before.2)
    #expect(world.its.deviceTable.isCoherent)
    world.expectSound()
  }

  @Test(
    "B-82 Whether the queue and tables are cleaned is what the hardware reads back",
    arguments: [true, false], [true, false])
  func coherency(_ isCoherent: Bool, _ isTold: Bool) throws {
    var options = Variant(isCoherent: isCoherent).options
    options.hasCache = true
    options.isNonCoherent = isTold
    let world = try ITSWorld(options)
    world.enableLPIs()
    #expect(world.its.commit.isCoherent == (isCoherent && !isTold))
    #expect(world.its.deviceTable.isCoherent == (isCoherent && !isTold))
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    driver.post(.event(.int, 1, 0))
    #expect(world.taken(by: 0) == [8200])
    world.expectSound()
  }

  @Test("B-83 Of GITS_CTLR nothing but Enabled gets through")
  func control() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    var values: [UInt64] = []
    world.onRegisterWrite = { _, offset, width, value in
      if offset == 0 {
        values.append(value)
        #expect(width == .word)
      }
    }
    #expect(driver.read(0, .word) == 1 << 31)
    driver.write(0, 0xffff_ffff, .word)
    #expect(driver.read(0, .word) == 1)
    driver.write(0, 0xffff_fffe, .word)
    #expect(driver.read(0, .word) == 1 << 31)
    #expect(values == [1, 0])
    world.expectSound()
  }

  @Test("F-34: What must not move is locked while enabled, and waits for Quiescent behind that")
  func quiescence() throws {
    var options = ITSWorldOptions()
    options.services[0].stepsToQuiescence = 200
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    let service = world.service()
    service.pace = .manual
    let queue = driver.read(0x80)
    let table = driver.read(0x100)
    // Enabled: locked.
    driver.write(0x80, 0)
    driver.write(0x100, 0)
    driver.write(0x104, 0, .word)
    #expect(world.its.counters.ignored == 3)
    for (offset, width) in [(0x80, .double), (0x104, .word), (0, .word)]
      as [(UInt64, AccessWidth)]
    {
      driver.write(0, 0, .word)
      #expect(driver.read(0, .word) == 0)
      #expect(world.write(0, offset, width, 1) == .again)
      #expect(driver.read(0x80) == queue)
      #expect(driver.read(0x100) == table)
      // As often as it takes.
      #expect(driver.write(offset, 1, width) ?? 0 > 1)
      #expect(service.isQuiescent == (offset != 0))
      #expect((driver.read(0x80) != queue) == (offset == 0x80))
      #expect((driver.read(0x100) != table) == (offset == 0x104))
      #expect((driver.read(0, .word) == 1) == (offset == 0))
      driver.disable()
      driver.write(0x80, queue ?? 0)
      driver.write(0x100, table ?? 0)
      driver.write(0, 1, .word)
      #expect(driver.read(0, .word) == 1)
    }
    #expect(world.its.counters.ignored == 3)
    // Hardware that never gets there does not hold the host for ever.
    service.hang(after: 0)
    driver.write(0, 0, .word)
    for offset in [0x80, 0x100, 0] as [UInt64] {
      #expect(driver.write(offset, 1, offset == 0 ? .word : .double) != nil)
    }
    #expect(driver.read(0x80) == queue)
    #expect(driver.read(0x100) == table)
    #expect(driver.read(0, .word) == 0)
    #expect(world.its.counters.ignored == 6)
    world.expectSound()
  }

  @Test("B-84 A new GITS_CBASER starts GITS_CREADR and GITS_CWRITER at zero")
  func newQueue() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    #expect(driver.read(0x90) == 128)
    driver.disable()
    driver.write(0x80, GITSCommandBase(base: driver.queue, pages: 2, attributes: 0).rawValue)
    #expect(driver.read(0x90) == 0)
    #expect(driver.read(0x90, .word) == 0)
    #expect(driver.read(0x94, .word) == 0)
    #expect(driver.read(0x88) == 0)
    driver.write(0, 1, .word)
    driver.queuePages = 2
    driver.writeOffset = 0
    driver.post(Array(repeating: .sync(target: 0), count: 200))
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-84 Commands that the hardware still has of an old queue do not show in a new one")
  func lateCommands() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    world.service().pace = .manual
    driver.post(Array(repeating: .sync(target: 0), count: 40))
    #expect(driver.read(0x90) == 128)
    driver.write(0, 0, .word)
    driver.installQueue()
    #expect(driver.read(0x90) == 0)
    driver.write(0, 1, .word)
    driver.post(.sync(target: 0), .sync(target: 1))
    for _ in 0..<40 {
      #expect(driver.read(0x90) == 0)
      world.service().step()
    }
    #expect(driver.read(0x90) == 0)
    world.service().step()
    #expect(driver.read(0x90) == 32)
    world.service().step()
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-87 An address beyond what the machine has is read back, and reached by nothing")
  func wideAddress() throws {
    let world = try ITSWorld(Variant(pageSize: .kib64).options)
    let driver = HostDriver(world)
    driver.disable()
    driver.installQueue()
    let wide = GITSTableBase(
      base: 0xf_0000_4100_0000, pages: 1, pageSize: .kib64, isIndirect: true,
      attributes: MemoryAttributes.coherent)
    driver.write(0x100, wide.rawValue)
    #expect(GITSTableBase(rawValue: driver.read(0x100) ?? 0).base == wide.base)
    driver.write(0, 1, .word)
    driver.post(
      .mapd(1, table: 0xf_ffff_ffff_ff00, eventIDBits: 5), .mapc(0, target: 0),
      .mapti(1, 1, interrupt: 8200, collectionID: 0))
    #expect(driver.isDone)
    #expect(world.its.counters.allRefused == 0)
    world.expectSound()
    // And a queue out there can't be the host's.
    driver.disable()
    driver.write(
      0x80, GITSCommandBase(base: 0xf_ffff_ffff_f000, pages: 256, attributes: 0).rawValue)
    driver.write(0, 1, .word)
    driver.write(0x88, 32)
    #expect(driver.read(0x90) == 1)
    world.expectSound()
  }

  @Test("B-87 An arena that the ITS does not reach is refused, and the ITS is off")
  func unreachableArena() throws {
    var options = ITSWorldOptions()
    options.addressLimit = 0x5f00_0000
    var hardware: SimulatedITS?
    var board: ITSWorld?
    #expect(throws: ITSSetupError.unreachable(PhysicalAddress(0x5f00_0000))) {
      try ITSWorld(options) { world in
        hardware = world.service()
        board = world
        _ = world.service().write(.word, 1, at: 0)
        #expect(world.service().state.isEnabled)
      }
    }
    #expect(hardware?.state.isEnabled == false)
    _ = board
  }

  @Test(
    "B-88 A host that resumes with other attributes finds its devices, and the hardware as it was")
  func resume() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    let before = world.service().state
    driver.disable()
    driver.installQueue()
    driver.installTables()
    driver.write(0, 1, .word)
    driver.mapCollections()
    #expect(world.service().state.tableBases == before.tableBases)
    #expect(world.service().state.commandBase == before.commandBase)
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.taken(by: 0) == [8200])
    // Another size is another table: what was mapped is not.
    driver.disable()
    driver.write(0x100, (driver.read(0x100) ?? 0) + 1)
    driver.write(0, 1, .word)
    #expect(world.service().message(device: 1, event: 0) == .unmappedDevice(1))
    world.expectSound()
  }

  /// An ITS after it has lost its power.
  private func blank() throws -> SimulatedITS.State {
    var options = ITSWorldOptions()
    options.isMediated = false
    return try ITSWorld(options).service().state
  }

  @Test("B-88 An ITS that has lost its power gets EL2's queue and tables again, and goes on")
  func powerLoss() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    driver.post((0..<300).map { _ in .sync(target: 0) })
    let before = world.service().state
    driver.disable()
    world.service().state = try blank()
    driver.installQueue()
    driver.installTables()
    driver.writeOffset = 0
    driver.write(0, 1, .word)
    #expect(world.service().state.tableBases == before.tableBases)
    #expect(world.service().state.commandBase == before.commandBase)
    #expect(world.its.isEnabled && !world.its.isBroken)
    driver.mapCollections()
    driver.mapDevice(2, interrupt: 8300)
    #expect(driver.isDone)
    #expect(world.service().message(device: 1, event: 0) == nil)
    #expect(world.service().message(device: 2, event: 0) == nil)
    #expect(world.taken(by: 0) == [8200, 8300])
    world.expectSound()
  }

  @Test(
    "B-88 Commands that were lost with the power leave the ITS off: nothing is freed, nothing runs")
  func lostCommands() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(1)
    let free = world.its.arena.freeCount
    world.service().hang(after: 0)
    driver.stage([.unmapd(1)])
    _ = world.write(0, 0x88, .double, driver.writeOffset)
    world.service().hang(after: nil)
    var state = try blank()
    state.isEnabled = false
    driver.write(0, 0, .word)
    world.service().state = state
    driver.installQueue()
    driver.write(0, 1, .word)
    #expect(world.its.isBroken && !world.its.isEnabled)
    #expect(!world.service().state.isEnabled)
    #expect(world.its.arena.freeCount == free)
    #expect(world.checkInvariant() == nil)
  }

  @Test("B-05 B-07 EL2 touches hardware at whole registers only, whatever the host's width")
  func wholeRegisters() throws {
    let world = try ITSWorld(Variant(version: .gicv41).options)
    let driver = HostDriver(world)
    world.aborts = { _, offset, _ in
      let isKnown =
        [0, 0x04, 0x08, 0x10, 0x18, 0x80, 0x88, 0x90].contains(offset) || offset >= 0xffd0
        || (0x100..<0x140).contains(offset) && offset & 7 == 0
      #expect(isKnown, "\(hex(offset))")
      return false
    }
    driver.start()
    for offset in Self.offsets {
      for width in [AccessWidth.word, .double] where offset % width.bytes == 0 {
        _ = world.read(0, offset, width)
        _ = world.write(0, offset, width, offset == 0 ? 1 : .max)
        world.expectSound()
      }
    }
    #expect(world.gic.faults.isEmpty)
  }

  @Test("A mediation that stands between lets the host see no more registers than it answers")
  func unofferedTables() throws {
    let world = try ITSWorld(Variant(version: .gicv41).options)
    let driver = HostDriver(world)
    #expect(driver.register(of: .vpes) == nil)
    #expect(driver.register(of: .devices) == 0)
    #expect(driver.register(of: .collections) == 1)
    driver.write(0x110, .max)
    #expect(driver.read(0x110) == 0)
  }
}
