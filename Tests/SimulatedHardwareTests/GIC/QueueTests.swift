// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Testing

@Suite("The command queue of the simulated ITS")
struct QueueTests {
  @Test("The queue wraps: 300 commands pass through 128 slots")
  func wrap() {
    let driver = SmallITSDriver()
    driver.mapDevice()
    for _ in 0..<100 { driver.post(.event(.int, 3, 0), .event(.inv, 3, 0), .sync(target: 0)) }
    #expect(driver.gic.delivered.count == 100)
    #expect(driver.its.readPointer.offset == 304 % 128 * 32)
    #expect(driver.gic.faults.isEmpty)
  }

  @Test("2047 commands fit a queue of 64 KiB at once; one slot stays empty")
  func full() {
    let driver = SmallITSDriver(queuePages: 16)
    driver.its.pace = .manual
    driver.post(Array(repeating: ITSCommand.mapc(0, target: 0), count: 2047))
    #expect(driver.its.unreadSlots.map(\.size).reduce(0, +) == 2047 * 32)
    #expect(driver.its.run() == 2047)
    #expect(driver.its.isIdle && driver.its.readPointer.offset == 2047 * 32)
  }

  @Test("A stall keeps GITS_CREADR at the command; Retry runs it again, as it then is")
  func retry() {
    let driver = SmallITSDriver()
    driver.post(.mapc(0, target: 9), .mapc(1, target: 1))
    #expect(driver.read(0x90) == 1)
    #expect(driver.word(ITSPlace.collections + 8) == 0)
    driver.put(.mapc(0, target: 0), at: 0)
    // The same offset without Retry changes nothing.
    driver.write(0x88, 64)
    #expect(driver.read(0x90) == 1)
    driver.write(0x88, 64 | 1)
    #expect(driver.read(0x90) == 64)
    #expect(driver.read(0x88) == 64)
    #expect(driver.word(ITSPlace.collections) == valid)
    #expect(driver.word(ITSPlace.collections + 8) == valid | 1 << 16)
    #expect(driver.gic.faults.isEmpty)
  }

  @Test("An ITS that ignores errors goes on with the next command")
  func ignore() {
    var configuration = ITSConfiguration()
    configuration.errorResponse = .ignore
    let driver = SmallITSDriver(configuration)
    driver.post(.mapc(0, target: 9), .mapc(1, target: 1))
    #expect(driver.read(0x90) == 64)
    #expect(driver.its.failedCommands == 1 && driver.its.completedCommands == 1)
  }

  @Test("A stall that is asked for comes at its command, once")
  func injectedStall() {
    let driver = SmallITSDriver()
    driver.its.stall(after: 2)
    driver.post(.mapc(0, target: 0), .mapc(1, target: 1), .mapc(2, target: 0), .mapc(3, target: 0))
    #expect(driver.its.readPointer == GITSQueuePointer(offset: 64, flag: true))
    #expect(driver.its.lastError == .injected)
    driver.write(0x88, 128 | 1)
    #expect(driver.its.readPointer == GITSQueuePointer(offset: 128))
  }

  @Test("Hardware that hangs never ends a command, and is never quiescent, until it goes on")
  func hang() {
    let driver = SmallITSDriver()
    driver.its.hang(after: 1)
    driver.post(.mapc(0, target: 0), .mapc(1, target: 1))
    #expect(driver.its.readPointer.offset == 32)
    #expect(!driver.its.step())
    _ = driver.its.write(.word, 0, at: 0)
    #expect(driver.its.read(.word, at: 0) == 0)
    _ = driver.its.write(.word, 1, at: 0)
    driver.its.hang(after: nil)
    driver.its.run()
    #expect(driver.its.readPointer.offset == 64)
  }

  @Test("Slow hardware does so many steps before each register access")
  func slow() {
    let driver = SmallITSDriver()
    driver.its.pace = .steps(1)
    driver.post(.mapc(0, target: 0), .mapc(1, target: 1), .mapc(2, target: 0))
    #expect((0..<4).map { _ in driver.read(0x90) } == [32, 64, 96, 96])
  }

  @Test("Writing GITS_CBASER resets GITS_CREADR and ends a stall")
  func newQueue() {
    let driver = SmallITSDriver()
    driver.post(.mapc(0, target: 0), .mapc(0, target: 9))
    #expect(driver.read(0x90) == 33)
    _ = driver.its.write(.word, 0, at: 0)
    driver.write(
      0x80,
      GITSCommandBase(base: 0x4000_4000, pages: 2, attributes: MemoryAttributes.coherent).rawValue)
    #expect(driver.read(0x90) == 0)
    #expect(driver.its.queueBase.size == 0x2000)
    #expect(driver.gic.faults.isEmpty)
  }

  @Test("A command that changes while it is fetched by doublewords is torn, and is reported")
  func torn() {
    var configuration = ITSConfiguration()
    configuration.fetchesByDoubleword = true
    let driver = SmallITSDriver(configuration)
    driver.its.pace = .manual
    driver.post(.mapd(3, table: 0x4008_0000, eventIDBits: 5))
    driver.its.step()
    driver.its.step()
    driver.put(.mapc(0, target: 0x4099), at: 0)
    driver.its.run()
    #expect(driver.word(ITSPlace.devices + 24) == valid | 0x4099_0000 | 4)
    #expect(driver.gic.faults.contains(.unreadSlotChanged(offset: 16)))
  }

  @Test("Commands that were fetched ahead don't see what is written to their slots later")
  func fetchedAhead() {
    var configuration = ITSConfiguration()
    configuration.commandsFetchedAhead = 2
    let driver = SmallITSDriver(configuration)
    driver.its.pace = .manual
    driver.post(.mapc(0, target: 0), .mapc(1, target: 0), .mapc(2, target: 0), .mapc(3, target: 0))
    driver.its.step()
    for slot in 1..<4 { driver.put(.mapc(UInt16(slot), target: 1), at: UInt64(slot) * 32) }
    driver.its.run()
    let targets = (0..<4).map { driver.word(ITSPlace.collections + $0 * 8) >> 16 & 1 }
    #expect(targets == [0, 0, 0, 1])
  }

  @Test("A command published past the end, or with no queue, is a fault of software")
  func faults() {
    let driver = SmallITSDriver()
    driver.its.pace = .manual
    driver.write(0x88, 0x1000)
    #expect(driver.gic.faults == [.writePointerPastEnd(0x1000)])
    driver.gic.faults = []
    _ = driver.its.write(.word, 0, at: 0)
    driver.write(0x80, 0)
    driver.write(0x88, 32)
    #expect(driver.gic.faults == [.queueNotValid])
  }

  @Test("A disabled ITS fetches nothing; enabled again it goes on where it was")
  func disabled() {
    let driver = SmallITSDriver()
    _ = driver.its.write(.word, 0, at: 0)
    driver.post(.mapc(0, target: 1))
    #expect(driver.read(0x90) == 0)
    _ = driver.its.write(.word, 1, at: 0)
    #expect(driver.read(0x90) == 32)
  }
}
