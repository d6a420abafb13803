// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership
internal import SMMU
internal import SMMUDriver

// CR0, GBPA and IRQ_CTRL: what switches the hardware's streams and takes hold of queues.

extension MediatedSMMU {
  /// SMMUEN, EVENTQEN and CMDQEN; PRIQEN, ATSCHK and VMW belong to what is not offered.
  private static var writable: SMMUCR0 { .translates.union(.eventQueue).union(.commandQueue) }

  mutating func setControl<Machine: VirtualSMMUMachine & ~Copyable>(
    _ value: SMMUCR0, _ machine: borrowing Machine
  ) {
    let new = SMMUCR0(rawValue: value.rawValue & Self.writable.rawValue)
    let old = control
    control = new
    if new.contains(.commandQueue) != old.contains(.commandQueue) {
      if new.contains(.commandQueue) {
        commands.slot = hold(commands, machine)
      } else {
        // A command that is under way may be given anew.
        if scan?.purpose == .command { scan = nil }
        if let slot = commands.slot.take() { machine.release(slot, of: &pins) }
      }
      acknowledge(.commandQueue, new)
    }
    if new.contains(.eventQueue) != old.contains(.eventQueue) {
      if new.contains(.eventQueue) {
        events.slot = hold(events, machine)
      } else if let slot = events.slot.take() {
        machine.release(slot, of: &pins)
      }
      acknowledge(.eventQueue, new)
    }
    if new.contains(.translates) != old.contains(.translates) {
      if new.contains(.translates) {
        if !isBroken {
          scan = StreamScan(next: 0, end: 1 << offered.streamLog2, purpose: .enabling)
        }
      } else {
        scan = nil
        if !isBroken, !machine.activate(idleMode) { breakDown() }
        acknowledge(.translates, new)
      }
    }
    proceed(machine)
  }

  /// SMMU_CR0ACK says of a bit what CR0 does.
  mutating func acknowledge(_ bit: SMMUCR0, _ value: SMMUCR0) {
    acknowledged = value.contains(bit) ? acknowledged.union(bit) : acknowledged.subtracting(bit)
  }

  /// What streams go by while the SMMU is off.
  private var idleMode: StreamMode { bypassAborts ? .abort : .pass }

  private mutating func hold<Machine: VirtualSMMUMachine & ~Copyable>(
    _ queue: borrowing HostQueue, _ machine: borrowing Machine
  ) -> UInt64? {
    guard let page = queue.page else { return nil }
    do throws(OwnershipError) {
      return try machine.hold(page, in: &pins)
    } catch {
      // Whoever uses the queue finds it not there, as an SMMU would: with an abort.
      return nil
    }
  }

  mutating func setBypass<Machine: VirtualSMMUMachine & ~Copyable>(
    _ value: SMMUGBPA, _ machine: borrowing Machine
  ) {
    guard value.update else {
      counters.ignored &+= 1
      return
    }
    guard value.aborts != bypassAborts else { return }
    bypassAborts = value.aborts
    guard !control.contains(.translates), !isBroken else { return }
    if !machine.activate(idleMode) { breakDown() }
  }

  mutating func setInterrupts<Machine: VirtualSMMUMachine & ~Copyable>(
    _ value: UInt32, _ machine: borrowing Machine
  ) {
    let offered = SMMUInterruptControl.globalError.union(.eventQueue)
    let new = value & offered.rawValue
    let signals = SMMUInterruptControl(rawValue: new).contains(.eventQueue)
    let signaled = SMMUInterruptControl(rawValue: interrupts).contains(.eventQueue)
    interrupts = new
    if signals != signaled, !isBroken, !machine.signalEvents(signals) { breakDown() }
  }
}
