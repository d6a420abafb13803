// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("The event queue of the simulated SMMU")
struct EventTests {
  @Test("The queue holds 128 records; the next is lost, and told once until it is acknowledged")
  func overflow() {
    let driver = SmallSMMUDriver()
    for stream in 0..<130 as Range<UInt32> { _ = driver.smmu.read(stream, 0) }
    #expect(driver.read(0x100a8) == 1 << 31 | 0x80)
    #expect(driver.events().map(\.stream.rawValue) == Array(0..<128))
    #expect(driver.read(0x100ac) == 0x80)
    _ = driver.smmu.read(131, 0)
    #expect(driver.read(0x100a8) == 1 << 31 | 0x81)
    driver.write(0x100ac, 1 << 31 | 0x80)
    for stream in 0..<130 as Range<UInt32> { _ = driver.smmu.read(stream, 0) }
    #expect(driver.read(0x100a8) >> 31 == 0)
  }

  @Test("The interrupt comes with the first record in an empty queue")
  func interrupt() {
    let driver = SmallSMMUDriver()
    _ = driver.smmu.read(1, 0)
    _ = driver.smmu.read(2, 0)
    #expect(driver.smmu.interrupts == [.events])
    #expect(driver.events().count == 2)
    _ = driver.smmu.read(3, 0)
    #expect(driver.smmu.interrupts == [.events, .events])
  }

  @Test("An interrupt is a write where it has an address, and none where it is off")
  func message() {
    let driver = SmallSMMUDriver()
    driver.write(0x50, 0)
    driver.write64(0xb0, SMMUPlace.message)
    driver.write(0xb8, 0x77)
    _ = driver.smmu.read(1, 0)
    #expect(driver.smmu.interrupts.isEmpty && driver.events().count == 1)
    driver.write(0x50, 0b100)
    driver.smmu.recordsAccesses = true
    _ = driver.smmu.read(2, 0)
    #expect(driver.smmu.interrupts == [.message(address: SMMUPlace.message, data: 0x77)])
    #expect(driver.word(SMMUPlace.message) == 0x77)
    let record = (0..<4).map {
      SMMUAccess(.eventQueue, SMMUPlace.events + 0x20 + $0 * 8, isWritten: true)
    }
    let signal = SMMUAccess(.message, SMMUPlace.message, size: 4, isWritten: true)
    #expect(driver.smmu.accesses.filter(\.isWritten) == record + [signal])
  }

  @Test("Events are lost while the queue is off")
  func off() {
    let driver = SmallSMMUDriver()
    driver.write(0x20, 0b1001)
    #expect(driver.smmu.read(1, 0) == .aborted)
    driver.write(0x20, everything)
    #expect(driver.events().isEmpty)
  }

  @Test("A queue where nothing answers, and a message that does not arrive, are global errors")
  func aborts() {
    let driver = SmallSMMUDriver()
    driver.smmu.holes = [SMMUPlace.events..<SMMUPlace.events + 0x1000]
    _ = driver.smmu.read(1, 0)
    #expect(driver.smmu.activeErrors == .eventQueueAborted)
    #expect(driver.read(0x100a8) == 0)
    let other = SmallSMMUDriver()
    other.write(0x50, 0)
    other.write64(0xb0, SMMUPlace.message)
    other.write(0x50, 0b100)
    other.smmu.holes = [SMMUPlace.message..<SMMUPlace.message + 4]
    _ = other.smmu.read(1, 0)
    #expect(other.smmu.activeErrors == .eventMSIAborted)
    #expect(other.events().count == 1)
  }

  @Test("What no SMMU supports is F_UUT")
  func unsupported() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    let transaction = DeviceTransaction(3, 0x1230, type: .unsupported)
    #expect(driver.smmu.process(transaction) == .aborted)
    #expect(driver.events() == [SMMUEvent(0x01 | 3 << 32, 1 << 33 | 1 << 35, 0x1230)])
  }
}
