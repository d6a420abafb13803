// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS
internal import Ownership

/// What the mediation of one ITS needs, on the CPU that runs this.
struct MediationMachine: HandoverMachine {
  let memory = MetalBusMemory()
  let registers = MetalDeviceMemory()
  let cpu: UInt64
  /// The number of the ITS.
  let number: UInt8

  init(number: UInt8) {
    self.number = number
    cpu = pc_read_tpidr_el2()
  }

  func count(_ command: ITSCommand) {
    EL2Statistics.counts.countCommand(number, command.number)
  }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    guard unsafe !StateMemory.shared.pointee.reserved.overlaps(pages) else {
      throw .refusedByHypervisor(pages.first)
    }
    var held = HeldLocks(holding: .its)
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    return try unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) {
      (_) throws(OwnershipError) -> Pin<1> in
      try unsafe StateMemory.shared.pointee.ownership.shareAndPin(list)
    }
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) {
    var held = HeldLocks(holding: .its)
    var pin: Pin<1>? = consume pin
    unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) { _ in
      guard let pin = pin.take() else { return }
      // Pages that somebody else has pinned stay shared, which is safe.
      unsafe StateMemory.shared.pointee.ownership.unpinAndUnshare(pin)
    }
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try LockedOwnership(holding: .its).hold(pages, in: &table)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    LockedOwnership(holding: .its).release(slot, of: &table)
  }

  func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    var held = HeldLocks(holding: .its)
    try unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) {
      (_) throws(OwnershipError) in
      try unsafe StateMemory.shared.pointee.ownership.donate(pages, into: &set)
    }
  }

  func giveBackUntouched(_ set: inout ClaimSet) {
    var held = HeldLocks(holding: .its)
    unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) { _ in
      do throws(OwnershipError) {
        try unsafe StateMemory.shared.pointee.ownership.giveBackUntouched(&set)
      } catch {
        HostCPU.log(.error, LogLine("handover: pages could not be given back"))
      }
    }
  }
}
