// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import SimulatedHardware
import VirtualSMMU

/// One trap, as the virtual SMMU sees the world.
package struct NestedWorldMachine: VirtualSMMUMachine {
  let world: NestedWorld

  /// A trap in `world`.
  package init(world: NestedWorld) { self.world = world }

  package var memory: NestedWorldMemory { NestedWorldMemory(world: world) }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    if world.refusesHold?(pages) == true { throw .refusedByObserver(pages.first) }
    return try world.ownership.hold(pages, in: &table, noting: &world.heldPages)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    world.ownership.release(
      slot, of: &table, in: ProcessorMemory(world.smmu.memory), noting: &world.heldPages)
  }

  package func activate(_ mode: StreamMode) -> Bool {
    var isDone = false
    world.ownership.updateObserver { mirror, _, _, _ in
      isDone = mirror.driver.activate(mode, on: 0)
    }
    return isDone
  }

  package func set(_ stream: StreamID, _ rule: StreamRule) -> StreamUpdate {
    var update = StreamUpdate.notConfirmed
    world.ownership.updateObserver { mirror, _, _, _ in
      update = mirror.driver.set(stream, rule, on: 0)
    }
    if update == .done { world.rules.count(rule) }
    return update
  }

  package func nextStream(from stream: UInt64, upTo end: UInt64) -> UInt64? {
    world.ownership.observer.driver.nextStream(from: stream, upTo: end, on: 0)
  }

  package func invalidate(_ list: borrowing FixedList<32, Stage1Invalidation>) -> Bool {
    let list = copy list
    var isDone = false
    world.ownership.updateObserver { mirror, _, _, _ in
      isDone = mirror.driver.invalidate(list.span, on: 0)
    }
    return isDone
  }

  package func signalEvents(_ isOn: Bool) -> Bool {
    world.ownership.observer.driver.signalEvents(isOn, on: 0)
  }

  package func drainEvents(atMost limit: UInt64) -> UInt64 {
    var losses: UInt64 = 0
    world.ownership.updateObserver { mirror, _, _, _ in
      _ = mirror.driver.drainEvents(of: 0, atMost: limit)
      losses = mirror.driver.takeHostLosses(of: 0)
    }
    return losses
  }

  package func takeEvent() -> SMMUEvent? {
    var event: SMMUEvent?
    world.ownership.updateObserver { mirror, _, _, _ in
      event = mirror.driver.takeHostEvent(of: 0)
    }
    return event
  }
}

/// Memory as the virtual SMMU loads and stores it.
package struct NestedWorldMemory: WatchedMemory {
  let world: NestedWorld

  package var memory: PhysicalMemory { world.smmu.memory }

  package func willLoad(_ address: UInt64, isGuarded: Bool) {
    world.checkHypervisor(address, isGuarded: isGuarded)
  }

  package func didLoad(_ address: UInt64) { world.onHypervisorLoad?(address) }

  package func willStore(_ address: UInt64, isGuarded: Bool) {
    world.checkHypervisor(address, isGuarded: isGuarded)
  }
}
