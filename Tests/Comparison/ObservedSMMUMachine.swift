// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Observing
import Ownership
import SMMU
import SMMUDriver
import VirtualSMMU

/// The machine of a virtual SMMU with somebody who looks on.
package struct ObservedSMMUMachine<Base: VirtualSMMUMachine, Observer: SMMUWitness>:
  VirtualSMMUMachine
{
  private let base: Base
  private let witness: Observer

  /// Looks at the use of `base` by a virtual SMMU.
  package init(_ base: Base, _ witness: Observer) {
    self.base = base
    self.witness = witness
  }

  package var memory: ObservedMemory<Base.Memory, SMMUMemoryWitness<Observer>> {
    ObservedMemory(base: base.memory, witness: SMMUMemoryWitness(witness: witness))
  }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    do throws(OwnershipError) {
      let slot = try base.hold(pages, in: &table)
      witness.note(.held(pages, isGranted: true))
      return slot
    } catch {
      witness.note(.held(pages, isGranted: false))
      throw error
    }
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    if let pages = table.pages(in: slot, memory: base.memory) { witness.note(.released(pages)) }
    base.release(slot, of: &table)
  }

  package func activate(_ mode: StreamMode) -> Bool { base.activate(mode) }

  package func set(_ stream: StreamID, _ rule: StreamRule) -> StreamUpdate {
    let update = base.set(stream, rule)
    witness.note(.ruled(stream, hasMemory: update != .outOfMemory))
    return update
  }

  package func nextStream(from stream: UInt64, upTo end: UInt64) -> UInt64? {
    let found = base.nextStream(from: stream, upTo: end)
    witness.note(.searched(from: stream, end: end, found: found))
    return found
  }

  package func invalidate(_ list: borrowing FixedList<32, Stage1Invalidation>) -> Bool {
    base.invalidate(list)
  }
  package func signalEvents(_ isOn: Bool) -> Bool { base.signalEvents(isOn) }

  package func drainEvents(atMost limit: UInt64) -> UInt64 {
    let losses = base.drainEvents(atMost: limit)
    if losses > 0 { witness.note(.lost(losses)) }
    return losses
  }

  package func takeEvent() -> SMMUEvent? {
    let event = base.takeEvent()
    if let event { witness.note(.took(event)) }
    return event
  }
}

/// Takes note of accesses to the host's memory for an SMMU.
package struct SMMUMemoryWitness<Observer: SMMUWitness>: Witness {
  fileprivate let witness: Observer

  package func note(_ observation: Observation) {
    if case .loaded(let address, let value) = observation {
      witness.note(.loaded(address, value: value))
    }
  }
  package func noteStore(_ value: UInt64, at address: UInt64, isDone: Bool) {
    witness.note(.stored(address, value, isDone: isDone))
  }
}
