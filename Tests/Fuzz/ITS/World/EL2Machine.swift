// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import ITS
import Ownership
import SimulatedHardware
import Trace

/// One CPU in one trap, as the mediation of one ITS sees it.
struct EL2Machine: ITSMachine {
  unowned(unsafe) let service: MediatedService
  let cpu: UInt64

  var memory: EL2Memory { EL2Memory(service: service) }
  var registers: EL2Registers { EL2Registers(service: service) }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try service.shareAndPin(pages)
  }
  func unpinAndUnshare(_ pin: consuming Pin<1>) { service.unpinAndUnshare(pin) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try service.hold(pages, in: &table)
  }
  func release(_ slot: UInt64, of table: inout PinTable) { service.release(slot, of: &table) }

  @inline(__always)
  func record(_ event: TraceEvent) {
    switch event {
    case .command(let command): service.count(command)
    case .look(let look): service.look(look)
    default: break
    }
  }
}

/// Memory as EL2 loads and stores it while it mediates one ITS.
struct EL2Memory: HostMemory {
  unowned(unsafe) let service: MediatedService

  func load(_ address: PhysicalAddress) -> UInt64 { service.load(address.rawValue) }
  func tryLoad(_ address: PhysicalAddress) -> UInt64? { service.tryLoad(address.rawValue) }
  func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    guard service.memory.answers(address.rawValue) else { return false }
    store(value, at: address)
    return true
  }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    service.store(value, at: address.rawValue)
  }
  func publishTables() { service.memory.publish() }
  func publishToDevices() { service.memory.publish() }
  func clean(_ address: PhysicalAddress, size: UInt64) {
    service.memory.clean(address.rawValue, size: size)
  }
}

/// The registers of the hardware, at their physical addresses.
struct EL2Registers: DeviceMemory {
  unowned(unsafe) let service: MediatedService

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    service.read(width, address.rawValue)
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    service.write(width, value, address.rawValue)
  }
  func orderAccesses() { service.memory.publish() }
}
