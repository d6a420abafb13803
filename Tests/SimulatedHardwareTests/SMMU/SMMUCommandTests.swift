// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("The command queue of the simulated SMMU")
struct SMMUCommandTests {
  @Test("The queue wraps: 600 commands pass through 256 slots")
  func wrap() {
    let driver = SmallSMMUDriver()
    for _ in 0..<200 {
      driver.post(invalidateEntry(3), (0x30, 0), synchronise)
    }
    #expect(driver.smmu.completedCommands == 600)
    #expect(driver.read(0x9c) == 600 % 512)
    #expect(driver.smmu.faults.isEmpty)
  }

  @Test("A queue may be full, and no more than that")
  func full() {
    let driver = SmallSMMUDriver()
    driver.smmu.pace = .manual
    driver.write(0x98, 0x100)
    #expect(driver.smmu.unreadCommands == 256)
    #expect(driver.smmu.faults.isEmpty)
    driver.write(0x98, 0x101)
    #expect(driver.smmu.faults == [.queueOverrun])
  }

  @Test("While the queue is off its indices may be anything; they count when it is switched on")
  func indices() {
    let driver = SmallSMMUDriver(enables: false)
    driver.write(0x9c, 3)
    // One after the other, as a driver sets a queue up that was used before.
    driver.write(0x98, 0)
    driver.write(0x9c, 0)
    driver.write(0x20, 0b1000)
    #expect(driver.smmu.faults.isEmpty)
    let other = SmallSMMUDriver(enables: false)
    other.write(0x9c, 3)
    other.write(0x20, 0b1000)
    #expect(other.smmu.faults == [.queueOverrun])
  }

  @Test(
    "A command that the SMMU has not, or that is Secure, stops the queue where it is",
    arguments: [
      0x00, 0x07, 0x18, 0x20, 0x22, 0x40, 0x41, 0x50, 0x60, 0x70, 0xff, 0x3046, 0x403, 0x404,
    ])
  func illegal(word0: UInt64) {
    let driver = SmallSMMUDriver()
    driver.post((0x30, 0), (word0, 0), synchronise)
    #expect(driver.read(0x9c) == 1 << 24 | 1)
    #expect(driver.smmu.activeErrors == .command)
    #expect(driver.smmu.completedCommands == 1)
  }

  @Test("Commands of a stage that there is not are illegal")
  func stages() {
    var configuration = SMMUConfiguration()
    configuration.hasStage2 = false
    for number in [0x28, 0x2a] as [UInt64] {
      let driver = SmallSMMUDriver(configuration)
      driver.post((number, 0))
      #expect(driver.read(0x9c) >> 24 == 1)
    }
    configuration.hasStage1 = false
    configuration.hasStage2 = true
    for number in [0x05, 0x06, 0x10, 0x11, 0x12, 0x13] as [UInt64] {
      let driver = SmallSMMUDriver(configuration)
      driver.post((number, 0))
      #expect(driver.read(0x9c) >> 24 == 1)
    }
  }

  @Test("Behind an error the queue goes on where it stopped, with what memory holds then")
  func recovery() {
    let driver = SmallSMMUDriver()
    driver.post((0xff, 0), synchronise)
    #expect(driver.smmu.completedCommands == 0)
    driver.put(SMMUPlace.commands, 0x30)
    driver.write(0x64, 1)
    #expect(driver.read(0x9c) == 2 && driver.smmu.completedCommands == 2)
    #expect(driver.smmu.faults.isEmpty)
  }

  @Test("A queue where nothing answers stops with CERROR_ABT")
  func abort() {
    let driver = SmallSMMUDriver()
    driver.smmu.holes = [SMMUPlace.commands..<SMMUPlace.commands + 0x1000]
    driver.post(synchronise)
    #expect(driver.read(0x9c) == 2 << 24)
  }

  @Test("CMD_SYNC signals as it says: not at all, by a write, by a wire, by an event")
  func signals() {
    let driver = SmallSMMUDriver()
    driver.smmu.recordsAccesses = true
    driver.post(synchronise)
    #expect(driver.smmu.interrupts.isEmpty)
    driver.post((0x46 | 1 << 12 | 0x1234 << 32, SMMUPlace.message))
    #expect(driver.smmu.interrupts == [.message(address: SMMUPlace.message, data: 0x1234)])
    #expect(driver.word(SMMUPlace.message) == 0x1234)
    let write = SMMUAccess(.message, SMMUPlace.message, size: 4, isWritten: true)
    #expect(driver.smmu.accesses.filter(\.isWritten) == [write])
    driver.post((0x46 | 1 << 12, 0), (0x46 | 2 << 12, 0))
    #expect(driver.smmu.interrupts.suffix(2) == [.synchronised, .event])
  }

  @Test("A write of CMD_SYNC that is aborted is a global error, and the queue goes on")
  func abortedMessage() {
    let driver = SmallSMMUDriver()
    driver.smmu.holes = [SMMUPlace.message..<SMMUPlace.message + 4]
    driver.post((0x46 | 1 << 12, SMMUPlace.message), synchronise)
    #expect(driver.smmu.activeErrors == .commandMSIAborted)
    #expect(driver.read(0x9c) == 2)
  }

  @Test("Slow hardware does so many steps before each access")
  func slow() {
    let driver = SmallSMMUDriver()
    driver.smmu.pace = .steps(1)
    driver.post((0x30, 0), (0x30, 0), synchronise)
    #expect((0..<4).map { _ in driver.read(0x9c) } == [1, 2, 3, 3])
  }

  @Test("Hardware that hangs ends no command until it goes on")
  func hang() {
    let driver = SmallSMMUDriver()
    driver.smmu.hang(after: 1)
    driver.post((0x30, 0), synchronise)
    #expect(driver.read(0x9c) == 1 && !driver.smmu.step())
    driver.smmu.hang(after: nil)
    driver.smmu.run()
    #expect(driver.read(0x9c) == 2)
  }

  @Test("An error may be injected")
  func injected() {
    let driver = SmallSMMUDriver()
    driver.smmu.failCommand(after: 1, .abort)
    driver.post((0x30, 0), (0x30, 0), synchronise)
    #expect(driver.read(0x9c) == 2 << 24 | 1)
    driver.write(0x64, 1)
    #expect(driver.read(0x9c) == 3)
  }

  @Test("A published command is left alone; one that was fetched ahead is not read again")
  func fetchedAhead() {
    var configuration = SMMUConfiguration()
    configuration.commandsFetchedAhead = 1
    let driver = SmallSMMUDriver(configuration)
    driver.smmu.pace = .manual
    driver.post((0x30, 0), (0x30, 0), (0x30, 0))
    driver.smmu.step()
    driver.put(SMMUPlace.commands + 16, 0xff)
    driver.put(SMMUPlace.commands + 32, 0xff)
    driver.smmu.run()
    #expect(driver.read(0x9c) == 1 << 24 | 2)
    #expect(
      driver.smmu.faults == [.unreadCommandChanged(index: 1), .unreadCommandChanged(index: 2)])
  }

  @Test("A queue that is not coherent sees what was cleaned")
  func notCoherent() {
    var configuration = SMMUConfiguration()
    configuration.isCoherent = false
    let driver = SmallSMMUDriver(configuration)
    driver.smmu.memory.store(.double, 0x30, at: SMMUPlace.commands)
    driver.write(0x98, 1)
    #expect(driver.read(0x9c) == 1 << 24)
    driver.smmu.memory.clean(SMMUPlace.commands, size: 16)
    driver.write(0x64, 1)
    #expect(driver.read(0x9c) == 1)
  }

  @Test("A coherent SMMU told not to look into caches doesn't either")
  func notCacheable() {
    let driver = SmallSMMUDriver(control1: 0xd40)
    driver.smmu.memory.store(.double, 0x30, at: SMMUPlace.commands)
    driver.write(0x98, 1)
    #expect(driver.read(0x9c) == 1 << 24)
  }

  @Test("A device that doesn't answer CMD_ATC_INV fails the CMD_SYNC behind it")
  func lostInvalidation() {
    var configuration = SMMUConfiguration()
    configuration.hasATS = true
    configuration.losesDeviceInvalidations = true
    let driver = SmallSMMUDriver(configuration)
    driver.post((0x40 | 3 << 32, 0), synchronise)
    #expect(driver.read(0x9c) == 3 << 24 | 1)
    driver.write(0x64, 1)
    #expect(driver.read(0x9c) == 2)
  }

  @Test("A range of one granule at no level is reserved")
  func reservedRange() {
    let driver = SmallSMMUDriver()
    driver.post((0x2a | 5 << 32, SMMUPlace.pages | 1 << 10))
    #expect(driver.read(0x9c) == 1 << 24)
  }
}
