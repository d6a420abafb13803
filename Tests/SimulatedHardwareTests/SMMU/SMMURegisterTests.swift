// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("Registers of the simulated SMMU")
struct SMMURegisterTests {
  @Test("The registers of identification say what is configured")
  func identification() {
    let plain = SmallSMMUDriver(enables: false)
    // S2P, S1P, TTF of AArch64, COHACC, ASID16, MSI, SEV, VMID16, CD2L, little-endian, two levels.
    #expect(plain.read(0x00) == 0x084c_701b)
    #expect(plain.read(0x04) == 8 << 21 | 7 << 16 | 16)
    #expect(plain.read(0x0c) == 1 << 10)
    #expect(plain.read(0x14) == 16 << 16 | 1 << 4 | 5)
    #expect(plain.read(0x1c) == 2)
    var other = SMMUConfiguration()
    other.isCoherent = false
    other.hasStage2 = false
    other.breakBeforeMake = .level2
    other.hasRangeInvalidation = false
    other.outputSize = .bits40
    other.stallModel = .terminateOnly
    let driver = SmallSMMUDriver(other, enables: false)
    #expect(driver.read(0x00) == 0x094c_700a)
    #expect(driver.read(0x0c) == 2 << 11)
    #expect(driver.read(0x14) & 7 == 2)
  }

  @Test("A register has its width; a register of 64 bits may be accessed by halves")
  func widths() {
    let driver = SmallSMMUDriver(enables: false)
    driver.write64(0x80, 0)
    driver.write(0x84, 0x1)
    driver.write(0x80, 0x4002_0000)
    #expect(driver.read64(0x80) == 0x1_4002_0000)
    #expect(driver.read(0x84) == 1)
    #expect(driver.smmu.faults.isEmpty)
    #expect(driver.read64(0x20) == 0)
    #expect(driver.smmu.read(.byte, at: 0x20) == nil)
    #expect(!driver.smmu.write(.half, 0, at: 0x20))
    #expect(driver.smmu.read(.double, at: 0x84) == nil)
    #expect(
      driver.smmu.faults == [
        .accessNotPermitted(offset: 0x20, .double), .accessNotPermitted(offset: 0x20, .byte),
        .accessNotPermitted(offset: 0x20, .half), .accessNotPermitted(offset: 0x84, .double),
      ])
  }

  @Test("What is reserved reads as zero, and the pointers of page 1 are not in page 0")
  func reserved() {
    let driver = SmallSMMUDriver()
    #expect(driver.read(0x30) == 0 && driver.smmu.faults.isEmpty)
    #expect(driver.read(0xa8) == 0)
    #expect(driver.smmu.faults == [.accessNotPermitted(offset: 0xa8, .word)])
    #expect(driver.smmu.read(.word, at: 0x2_0000) == nil)
  }

  @Test("A register that may only be read keeps its value", arguments: [0x00, 0x24, 0x54, 0x60])
  func readOnly(offset: UInt64) {
    let driver = SmallSMMUDriver()
    let before = driver.read(offset)
    driver.write(offset, ~before)
    #expect(driver.read(offset) == before)
    #expect(driver.smmu.faults == SMMURegister(rawValue: offset).map { [.readOnly($0)] })
  }

  @Test("CR0 is acknowledged after so many steps, and not changed twice in between")
  func acknowledgement() {
    var configuration = SMMUConfiguration()
    configuration.stepsToAcknowledge = 3
    let driver = SmallSMMUDriver(configuration, enables: false)
    driver.smmu.pace = .manual
    driver.write(0x20, everything)
    #expect(driver.read(0x20) == everything && driver.read(0x24) == 0)
    driver.smmu.step()
    driver.smmu.step()
    #expect(driver.read(0x24) == 0)
    driver.write(0x20, 0b1100)
    #expect(driver.smmu.faults == [.changedBeforeAcknowledged(.control0)])
    driver.smmu.run()
    #expect(driver.read(0x24) == 0b1100)
    #expect(driver.smmu.isIdle)
  }

  @Test("CR0 has no bits of what the SMMU has not")
  func controlBits() {
    let plain = SmallSMMUDriver(enables: false)
    plain.write(0x20, 0xffff_fff0)
    #expect(plain.read(0x20) == 0)
    var configuration = SMMUConfiguration()
    configuration.hasATS = true
    configuration.hasPRI = true
    configuration.hasVMIDWildcards = true
    let full = SmallSMMUDriver(configuration, enables: false)
    full.write(0x20, 0xffff_fff2)
    #expect(full.read(0x20) == 0x1d2)
  }

  @Test("GBPA is written with Update, which stands until it has been done")
  func bypass() {
    var configuration = SMMUConfiguration()
    configuration.stepsToAcknowledge = 2
    let driver = SmallSMMUDriver(configuration, enables: false)
    driver.smmu.pace = .manual
    driver.write(0x44, 1 << 20)
    #expect(driver.read(0x44) == 0 && driver.smmu.faults == [.bypassNotUpdated])
    driver.write(0x44, 1 << 31 | 1 << 20)
    #expect(driver.read(0x44) == 1 << 31)
    driver.write(0x44, 1 << 31)
    #expect(driver.smmu.faults == [.bypassNotUpdated, .bypassNotUpdated])
    driver.smmu.run()
    #expect(driver.read(0x44) == 1 << 20)
  }

  @Test("While SMMUEN is clear GBPA decides: pass, or abort without an event")
  func disabled() {
    let driver = SmallSMMUDriver(enables: false)
    driver.write(0x20, 0b1100)
    driver.put(0x6000_0000, 42)
    #expect(driver.smmu.read(3, 0x6000_0000) == .completed(42))
    driver.write(0x44, 1 << 31 | 1 << 20)
    #expect(driver.smmu.read(3, 0x6000_0000) == .aborted)
    #expect(driver.events().isEmpty)
  }

  @Test(
    "A base is not moved while what it belongs to is on",
    arguments: [0x2c, 0x80, 0x88, 0x90, 0x9c, 0xa0, 0x100a8, 0x68, 0x70, 0xb0, 0xb8])
  func guarded(offset: UInt64) {
    let driver = SmallSMMUDriver()
    let before = driver.read(offset)
    driver.write(offset, 0x4100_0000)
    #expect(driver.read(offset) == before)
    #expect(driver.smmu.faults == SMMURegister(rawValue: offset).map { [.changedWhileEnabled($0)] })
  }

  @Test("CR1 is fixed by halves: TABLE with SMMUEN, QUEUE with a queue")
  func control1() {
    let driver = SmallSMMUDriver(enables: false)
    driver.write(0x20, 1)
    driver.write(0x28, 0xd40)
    #expect(driver.read(0x28) == 0xd40 && driver.smmu.faults.isEmpty)
    driver.write(0x28, 0)
    #expect(driver.read(0x28) == 0xd40)
    #expect(driver.smmu.faults == [.changedWhileEnabled(.control1)])
  }

  @Test("A base is as aligned as its queue is large, and no queue is larger than IDR1 says")
  func bases() {
    let driver = SmallSMMUDriver(enables: false)
    driver.write64(0x90, 0x4000_0800 | 8)
    #expect(driver.read64(0x90) == 0x4000_0000 | 8)
    driver.write64(0xa0, 0x4001_0000 | 9)
    #expect(driver.read64(0xa0) == 0x4001_0000 | 7)
    driver.write(0x88, 17)
    #expect(
      driver.smmu.faults == [
        .misaligned(.commandQueueBase), .tooLarge(.eventQueueBase),
        .tooLarge(.streamTableBaseConfiguration),
      ])
  }

  @Test("Preset bases stay")
  func presets() {
    var configuration = SMMUConfiguration()
    configuration.presetQueues = (0x4000_0008, 0x4001_0007)
    configuration.presetTable = (0x4002_0000, 8)
    let driver = SmallSMMUDriver(configuration)
    #expect(driver.read(0x04) >> 29 == 0b011)
    #expect(driver.read64(0x90) == 0x4000_0008 && driver.read(0x88) == 8)
    #expect(
      driver.smmu.faults == [
        .readOnly(.streamTableBase), .readOnly(.streamTableBaseConfiguration),
        .readOnly(.commandQueueBase), .readOnly(.eventQueueBase),
      ])
  }

  @Test("Without MSIs there are no addresses to write to")
  func messages() {
    var configuration = SMMUConfiguration()
    configuration.hasMSI = false
    let driver = SmallSMMUDriver(configuration, enables: false)
    driver.write(0x50, 0)
    driver.write64(0xb0, 0x5000_0000)
    driver.write(0xb8, 7)
    #expect(driver.read64(0xb0) == 0 && driver.read(0xb8) == 0)
  }

  @Test("GERRORN acknowledges what is active, and nothing else")
  func errors() {
    let driver = SmallSMMUDriver()
    driver.post((0xff, 0))
    #expect(driver.read(0x60) == 1 && driver.read(0x64) == 0)
    #expect(driver.smmu.interrupts == [.globalError])
    driver.write(0x64, 0b101)
    #expect(driver.read(0x64) == 0b001)
    #expect(driver.smmu.faults == [.acknowledgedNoError(0b100)])
  }

  @Test("A frozen SMMU acknowledges nothing")
  func frozen() {
    let driver = SmallSMMUDriver(enables: false)
    driver.smmu.isFrozen = true
    driver.write(0x20, everything)
    driver.write(0x44, 1 << 31 | 1 << 20)
    driver.write(0x50, 0)
    #expect(driver.read(0x24) == 0 && driver.read(0x44) == 1 << 31 && driver.read(0x54) == 0b101)
    driver.smmu.isFrozen = false
    driver.smmu.run()
    #expect(driver.read(0x24) == everything && driver.read(0x44) == 1 << 20)
    #expect(driver.read(0x54) == 0)
  }
}
