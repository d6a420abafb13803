// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Testing

@Suite("Virtual interrupts of the simulated ITS")
struct VirtualTests {
  static func vmapp(
    _ vpe: UInt16, target: UInt64, table: UInt64 = ITSPlace.virtual, idBits: UInt64 = 14,
    configuration: UInt64 = 0, flags: UInt64 = 0, doorbell: UInt64 = 0
  ) -> ITSCommand {
    ITSCommand(
      0x29 | flags | configuration, UInt64(vpe) << 32 | doorbell, valid | target << 16,
      table | (idBits - 1))
  }

  static func vmapti(
    _ device: UInt32, _ event: UInt64, vpe: UInt64, interrupt: UInt64, doorbell: UInt64 = 1023
  ) -> ITSCommand {
    ITSCommand(UInt64(device) << 32 | 0x2a, vpe << 32 | event, doorbell << 32 | interrupt)
  }

  @Test("GICv4.0: VMAPP names a pending table, and an event of the vPE sets its bit there")
  func pending() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv40))
    driver.mapDevice()
    driver.post(
      Self.vmapp(2, target: 1), Self.vmapti(3, 1, vpe: 2, interrupt: 8197), .event(.int, 3, 1))
    #expect(driver.word(ITSPlace.vpes + 32) == valid | ITSPlace.virtual | 13)
    #expect(driver.word(ITSPlace.virtual + 1024) == 1 << 5)
    #expect(driver.gic.virtuallyDelivered == [.init(interrupt: 8197, vpe: 2)])
    #expect(driver.gic.delivered.isEmpty && driver.its.failedCommands == 0)
    driver.post(.event(.clear, 3, 1))
    #expect(driver.word(ITSPlace.virtual + 1024) == 0)
  }

  @Test("The doorbell of a virtual interrupt goes to the Redistributor of its vPE, moved or not")
  func doorbell() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv40))
    driver.mapDevice()
    driver.post(
      Self.vmapp(2, target: 1), Self.vmapti(3, 1, vpe: 2, interrupt: 8197, doorbell: 8300),
      .event(.int, 3, 1), ITSCommand(0x22, 2 << 32, 0), .event(.int, 3, 1))
    #expect(driver.gic.taken(by: 1) == [8300] && driver.gic.taken(by: 0) == [8300])
  }

  @Test("GICv4.1: what VCONF doesn't enable isn't delivered")
  func configuration() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv41))
    driver.mapDevice()
    driver.gic.recordsAccesses = true
    driver.post(
      Self.vmapp(
        2, target: 1, configuration: ITSPlace.virtual + 0x1_0000, flags: 0b11 << 8, doorbell: 1023),
      Self.vmapti(3, 1, vpe: 2, interrupt: 8197), .event(.int, 3, 1))
    #expect(driver.gic.virtuallyDelivered.isEmpty)
    driver.gic.memory.store(.byte, 1, at: ITSPlace.virtual + 0x1_0005)
    driver.post(.event(.int, 3, 1))
    #expect(driver.gic.virtuallyDelivered.count == 1)
    #expect(
      driver.gic.accesses.contains {
        $0.range
          == MemoryReach(
            use: .virtualConfigurationTable, base: ITSPlace.virtual + 0x1_0005, size: 1,
            isWritten: false)
      })
    #expect(driver.word(ITSPlace.vpes + 2 * 32 + 16) == ITSPlace.virtual + 0x1_0000)
  }

  @Test("VMOVI moves an event to another vPE")
  func vmovi() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv40))
    driver.mapDevice()
    driver.post(
      Self.vmapp(1, target: 0), Self.vmapp(2, target: 1, table: ITSPlace.virtual + 0x1_0000),
      Self.vmapti(3, 1, vpe: 1, interrupt: 8192),
      ITSCommand(3 << 32 | 0x21, 2 << 32 | 1, 0), .event(.int, 3, 1))
    #expect(driver.gic.virtuallyDelivered == [.init(interrupt: 8192, vpe: 2)])
    #expect(
      driver.word(ITSPlace.virtual + 0x1_0400) == 1 && driver.word(ITSPlace.virtual + 0x400) == 0)
  }

  @Test("The table of an unmapped vPE stays in reach until VSYNC")
  func lingering() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv40))
    driver.post(Self.vmapp(2, target: 1), ITSCommand(0x29, 2 << 32))
    func isReached() -> Bool { driver.its.reachable.contains { $0.use == .virtualPendingTable } }
    #expect(isReached())
    driver.post(ITSCommand(0x25, 2 << 32))
    #expect(!isReached() && driver.its.failedCommands == 0)
  }

  @Test("A virtual SGI sets its bit in the table of its vPE")
  func virtualSGI() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv41))
    driver.post(Self.vmapp(2, target: 1, flags: 0b11 << 8, doorbell: 1023))
    driver.post(ITSCommand(0x23 | 1 << 8 | 7 << 32, 2 << 32))
    #expect(driver.gic.write(.double, 2 << 32 | 7, at: driver.its.base + 0x2_0020))
    #expect(driver.word(ITSPlace.virtual) == 1 << 7)
    #expect(driver.gic.virtuallyDelivered == [.init(interrupt: 7, vpe: 2)])
  }

  @Test("Errors of virtual commands")
  func errors() {
    let cases: [(ITSCommand, CommandError)] = [
      (Self.vmapp(256, target: 0), .vpeOutOfRange(256)),
      (Self.vmapp(1, target: 4), .targetOutOfRange(4)),
      (Self.vmapp(1, target: 0, idBits: 17), .virtualTableSizeOutOfRange(17)),
      (Self.vmapti(3, 1, vpe: 5, interrupt: 8192), .unmappedVPE(5)),
      (Self.vmapti(3, 1, vpe: 2, interrupt: 0x4000), .interruptOutOfRange(0x4000)),
      (Self.vmapti(3, 1, vpe: 2, interrupt: 8192, doorbell: 5), .interruptOutOfRange(5)),
      (ITSCommand(3 << 32 | 0x21, 2 << 32, 0), .unmappedInterrupt(0)),
      (ITSCommand(0x22, 5 << 32, 0), .unmappedVPE(5)),
      (ITSCommand(0x2d, 5 << 32, 0), .unmappedVPE(5)),
      (ITSCommand(0x23, 2 << 32), .unknownCommand(0x23)),
      (ITSCommand(0x2e, 2 << 32), .unknownCommand(0x2e)),
    ]
    for (command, error) in cases {
      let driver = SmallITSDriver(ITSConfiguration(.gicv40))
      driver.mapDevice()
      driver.post(Self.vmapp(2, target: 1), command)
      #expect(driver.its.lastError == error)
      #expect(driver.its.readPointer == GITSQueuePointer(offset: 160, flag: true))
    }
  }
}

extension VirtualTests {
  /// Two ITSes on one board, the second with tables of its own; a vPE is mapped in both.
  static func twoServices(movesAlone: Bool) -> (SmallITSDriver, SimulatedITS) {
    var configuration = ITSConfiguration(.gicv40)
    configuration.movesVPEsAlone = movesAlone
    let driver = SmallITSDriver(configuration)
    let other = driver.gic.addService(at: 0x90_0000, configuration)
    let queue = GITSCommandBase(
      base: 0x6000_0000, pages: 1, attributes: MemoryAttributes.coherent)
    let vpes = GITSTableBase(
      base: 0x6003_0000, pages: 1, pageSize: .kib4, isIndirect: false,
      attributes: MemoryAttributes.coherent)
    _ = other.write(.double, queue.rawValue, at: 0x80)
    _ = other.write(.double, vpes.rawValue, at: 0x110)
    _ = other.write(.word, 1, at: 0)
    driver.post(vmapp(2, target: 0))
    post(vmapp(2, target: 0), to: other, driver)
    return (driver, other)
  }

  static func post(_ command: ITSCommand, to service: SimulatedITS, _ driver: SmallITSDriver) {
    let offset = service.writePointer.offset
    for word in 0..<4 {
      driver.gic.memory.store(
        .double, command.words[word], at: service.queueBase.base + offset + UInt64(word) * 8)
    }
    _ = service.write(.double, offset + 32, at: 0x88)
  }

  @Test("With GITS_TYPER.VMOVP, one VMOVP moves a vPE in every ITS")
  func movesAlone() {
    let (driver, other) = Self.twoServices(movesAlone: true)
    driver.post(ITSCommand(0x22, 2 << 32, 1 << 16))
    #expect(driver.word(ITSPlace.vpes + 40) == 1 << 16 && driver.word(0x6003_0028) == 1 << 16)
    #expect(other.failedCommands == 0)
  }

  @Test("Without it, each ITS waits at VMOVP until all of the list have come to the same number")
  func movesTogether() {
    let (driver, other) = Self.twoServices(movesAlone: false)
    driver.post(ITSCommand(0x22 | 7 << 32, 2 << 32 | 0b11, 1 << 16))
    #expect(driver.its.readPointer.offset == 32 && !driver.its.step() && driver.its.isIdle)
    Self.post(ITSCommand(0x22 | 6 << 32, 2 << 32 | 0b10, 1 << 16), to: other, driver)
    #expect(driver.its.readPointer.offset == 32 && other.readPointer.offset == 64)
    Self.post(ITSCommand(0x22 | 7 << 32, 2 << 32 | 0b11, 1 << 16), to: other, driver)
    #expect(driver.its.readPointer.offset == 64 && other.readPointer.offset == 96)
    #expect(driver.word(ITSPlace.vpes + 40) == 1 << 16 && driver.word(0x6003_0028) == 1 << 16)
    #expect(driver.its.failedCommands == 0 && other.failedCommands == 0)
  }

  @Test("A vPE that a Redistributor makes resident has its table in reach, and written back")
  func resident() {
    let driver = SmallITSDriver(ITSConfiguration(.gicv40))
    let redistributor = driver.gic.redistributors[1]
    _ = driver.gic.write(.double, 13, at: redistributor.base + 0x2_0070)
    _ = driver.gic.write(.double, valid | ITSPlace.canary, at: redistributor.base + 0x2_0078)
    let table = MemoryReach(
      use: .virtualPendingTable, base: ITSPlace.canary, size: 2048, isWritten: true)
    #expect(redistributor.reachable.contains(table))
    driver.gic.recordsAccesses = true
    _ = driver.gic.write(.double, 0, at: redistributor.base + 0x2_0078)
    #expect(driver.gic.accesses.map(\.range) == [table])
    #expect(!redistributor.reachable.contains(table))
  }
}
