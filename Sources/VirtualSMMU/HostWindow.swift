// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership

/// One page of the host's memory that EL2 reads now: held for the length of a trap at most.
struct HostWindow {
  private var slot: UInt64?
  private var page = PageFrameNumber(0)

  /// Holds the page of `address`, if it is the host's memory.
  mutating func open<Machine: VirtualSMMUMachine & ~Copyable>(
    _ address: UInt64, _ pins: inout PinTable, _ machine: borrowing Machine
  ) -> Bool {
    let wanted = PageFrameNumber(containing: PhysicalAddress(address))
    if slot != nil, page == wanted { return true }
    close(&pins, machine)
    guard let pages = PageRange(first: wanted, count: 1) else { return false }
    do throws(OwnershipError) {
      slot = try machine.hold(pages, in: &pins)
      page = wanted
      return true
    } catch {
      return false
    }
  }

  /// Lets go of the page.
  mutating func close<Machine: VirtualSMMUMachine & ~Copyable>(
    _ pins: inout PinTable, _ machine: borrowing Machine
  ) {
    if let held = slot.take() { machine.release(held, of: &pins) }
  }
}
