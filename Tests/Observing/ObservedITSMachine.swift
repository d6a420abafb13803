// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import Ownership
import Trace

/// Takes note of what EL2 does in a trap of one ITS, whose lock is held.
package protocol Witness {
  /// Takes note of one thing.
  func note(_ observation: Observation)
  /// Takes note of a store that may abort.
  func noteStore(_ value: UInt64, at address: UInt64, isDone: Bool)
}

extension Witness {
  package func noteStore(_ value: UInt64, at address: UInt64, isDone: Bool) {}
}

/// The machine of an ITS with somebody who looks on.
package struct ObservedITSMachine<Base: ITSMachine, Observer: Witness>: ITSMachine {
  private let base: Base
  private let frame: VirtualAddress
  private let witness: Observer

  /// Looks at the use of `base` by the mediation of the ITS whose control frame is at `frame`.
  package init(_ base: Base, frame: VirtualAddress, _ witness: Observer) {
    self.base = base
    self.frame = frame
    self.witness = witness
  }

  package var memory: ObservedMemory<Base.Memory, Observer> {
    ObservedMemory(base: base.memory, witness: witness)
  }
  package var registers: ObservedRegisters<Base.Registers, Observer> {
    ObservedRegisters(base: base.registers, frame: frame, witness: witness)
  }
  package var cpu: UInt64 { base.cpu }

  package func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    do throws(OwnershipError) {
      let pin = try base.shareAndPin(pages)
      witness.note(.pinned(pages, isGranted: true))
      return pin
    } catch {
      witness.note(.pinned(pages, isGranted: false))
      throw error
    }
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) {
    witness.note(.unpinned(pin[0].pages))
    base.unpinAndUnshare(pin)
  }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try base.hold(pages, in: &table)
  }
  package func release(_ slot: UInt64, of table: inout PinTable) { base.release(slot, of: &table) }
  package func count(_ command: ITSCommand) { base.count(command) }
  package func record(_ event: TraceEvent) { base.record(event) }
}

/// Memory, with a note of each load that may abort: those alone are of what the host has written.
package struct ObservedMemory<Base: HostMemory, Observer: Witness>: HostMemory {
  private let base: Base
  private let witness: Observer

  /// Looks at loads from `base`.
  package init(base: Base, witness: Observer) {
    self.base = base
    self.witness = witness
  }

  package func tryLoad(_ address: PhysicalAddress) -> UInt64? {
    let value = base.tryLoad(address)
    witness.note(.loaded(address.rawValue, value: value))
    return value
  }
  package func tryLoad4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)? {
    guard let words = base.tryLoad4(address) else {
      witness.note(.loaded(address.rawValue, value: nil))
      return nil
    }
    witness.note(.loaded(address.rawValue, value: words.0))
    witness.note(.loaded(address.rawValue + 8, value: words.1))
    witness.note(.loaded(address.rawValue + 16, value: words.2))
    witness.note(.loaded(address.rawValue + 24, value: words.3))
    return words
  }

  package func load(_ address: PhysicalAddress) -> UInt64 { base.load(address) }
  package func store(_ value: UInt64, at address: PhysicalAddress) {
    base.store(value, at: address)
  }
  package func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    let isDone = base.tryStore(value, at: address)
    witness.noteStore(value, at: address.rawValue, isDone: isDone)
    return isDone
  }
  package func load4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64) {
    base.load4(address)
  }
  package func store4(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, at address: PhysicalAddress
  ) { base.store4(word0, word1, word2, word3, at: address) }
  package func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    base.output(of: address)
  }
  package func zero(_ address: PhysicalAddress, size: UInt64) { base.zero(address, size: size) }
  package func publishTables() { base.publishTables() }
  package func clean(_ address: PhysicalAddress, size: UInt64) { base.clean(address, size: size) }
  package func publishToDevices() { base.publishToDevices() }
}

/// Registers, with a note of each access.
package struct ObservedRegisters<Base: DeviceMemory, Observer: Witness>: DeviceMemory {
  fileprivate let base: Base
  fileprivate let frame: VirtualAddress
  fileprivate let witness: Observer

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    let value = base.read(width, at: address)
    witness.note(.read(offset: address.rawValue &- frame.rawValue, value: value))
    return value
  }
  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    let isDone = base.write(width, value, at: address)
    witness.note(
      .wrote(offset: address.rawValue &- frame.rawValue, value: value, isDone: isDone))
    return isDone
  }
  package func orderAccesses() { base.orderAccesses() }
}
