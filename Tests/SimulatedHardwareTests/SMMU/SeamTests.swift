// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("What drivers reach simulated SMMUs by")
struct SeamTests {
  @Test("Each SMMU answers at its own address, and nothing between them")
  func registers() {
    let memory = PhysicalMemory()
    var small = SMMUConfiguration()
    small.streamIDBits = 4
    let first = SimulatedSMMU(base: 0x905_0000, memory: memory)
    let second = SimulatedSMMU(small, base: 0x908_0000, memory: memory)
    let devices = SMMUDeviceMemory([first, second])
    func read(_ address: UInt64) -> UInt64? { devices.read(.word, at: VirtualAddress(address)) }
    #expect(read(0x905_0004).map { $0 & 0x3f } == 16)
    #expect(read(0x908_0004).map { $0 & 0x3f } == 4)
    #expect(read(0x907_0000) == nil && read(0x904_fffc) == nil && read(0x90a_0000) == nil)
    #expect(devices.write(.word, 0b1000, at: VirtualAddress(0x908_0020)))
    #expect(!devices.write(.word, 0b1000, at: VirtualAddress(0x90a_0020)))
    #expect(first.control.rawValue == 0 && second.control.rawValue == 0b1000)
  }

  @Test("Stores of a CPU reach an SMMU when they are cleaned, or published where it is coherent")
  func memory() {
    let memory = PhysicalMemory(hasStoreBuffer: true)
    let bus = ProcessorMemory(memory)
    let address = PhysicalAddress(0x4000_0000)
    func seen(_ observer: PhysicalMemory.Observer) -> UInt64 {
      memory.load(.double, at: 0x4000_0000, by: observer)
    }
    bus.store(7, at: address)
    #expect(bus.load(address) == 7 && seen(.coherentDevice) == 0)
    bus.publishToDevices()
    #expect(seen(.coherentDevice) == 7 && seen(.nonCoherentDevice) == 0)
    bus.clean(address, size: 8)
    #expect(seen(.nonCoherentDevice) == 7)
  }

  @Test("Two SMMUs at one memory both notice what is stored to their queues")
  func shared() {
    let memory = PhysicalMemory()
    let units = [SimulatedSMMU(memory: memory), SimulatedSMMU(memory: memory)]
    for (index, unit) in units.enumerated() {
      unit.pace = .manual
      let base = 0x4000_0000 + UInt64(index) * 0x1000
      _ = unit.write(.double, base | 8, at: 0x90)
      _ = unit.write(.word, 0b1000, at: 0x20)
      _ = unit.write(.word, 2, at: 0x98)
      memory.store(.double, 0, at: base + 16)
    }
    #expect(
      units.map(\.faults) == [[.unreadCommandChanged(index: 1)], [.unreadCommandChanged(index: 1)]])
  }
}
