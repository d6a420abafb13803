// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import Ownership
import SimulatedHardware

/// One CPU in one trap, as the mediation of one ITS sees the world.
package struct ITSWorldMachine: ITSMachine {
  let world: ITSWorld
  /// The ITS whose registers were accessed.
  let service: Int
  package let cpu: UInt64

  /// Makes it.
  package init(_ world: ITSWorld, _ service: Int, cpu: UInt64 = 0) {
    self.world = world
    self.service = service
    self.cpu = cpu
  }

  package var memory: ITSWorldMemory { ITSWorldMemory(world: world, service: service) }
  package var registers: ITSWorldRegisters { ITSWorldRegisters(world: world, service: service) }

  package func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    if world.refusesShare?() == true { throw .refusedByObserver(pages.first) }
    let pin = try world.ownership.shareAndPin(FixedList<1, PageRange>([pages]))
    world.pinned[service, default: []].append(pages)
    return pin
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) {
    let pages = pin[0].pages
    world.ownership.unpinAndUnshare(pin)
    world.pinned[service]?.removeLast(pages)
  }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    if world.refusesShare?() == true { throw .refusedByObserver(pages.first) }
    return try world.ownership.hold(
      pages, in: &table, noting: &world.held[service, default: []])
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    world.ownership.release(
      slot, of: &table, in: ProcessorMemory(world.gic.memory),
      noting: &world.held[service, default: []])
  }
}

/// Memory as the mediation of one ITS loads and stores it; what it must not touch is told to the
/// world.
package struct ITSWorldMemory: WatchedMemory {
  let world: ITSWorld
  let service: Int

  package var memory: PhysicalMemory { world.gic.memory }

  package func willLoad(_ address: UInt64, isGuarded: Bool) {
    world.checkHypervisor(load: address, service, isGuarded: isGuarded)
  }

  package func willStore(_ address: UInt64, isGuarded: Bool) {
    world.checkHypervisor(store: address, service, isGuarded: isGuarded)
  }
}

/// The registers of the hardware, which may be told to answer with aborts.
package struct ITSWorldRegisters: DeviceMemory {
  let world: ITSWorld
  let service: Int

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard world.mayAccess(address.rawValue, service, isWrite: false),
      let value = world.gic.read(width, at: address.rawValue)
    else { return nil }
    let offset = address.rawValue &- world.gic.services[service].base
    return world.registerReads?(service, offset, value) ?? value
  }

  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    let offset = address.rawValue &- world.gic.services[service].base
    world.onRegisterWrite?(service, offset, width, value)
    return world.mayAccess(address.rawValue, service, isWrite: true)
      && world.gic.write(width, value, at: address.rawValue)
  }

  package func orderAccesses() { world.gic.memory.publish() }
}
