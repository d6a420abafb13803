// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
internal import DeviceTree
package import GIC
internal import ITS
package import Ownership

/// What the mediation of one ITS needs, on the CPU that runs this.
package struct BoardITSMachine<Board: BoardPlatform>: HandoverMachine {
  private let platform: Board
  /// The number of the ITS.
  let number: UInt8
  /// The number of the CPU.
  package let cpu: UInt64

  @inline(__always)
  init(_ number: UInt8, _ platform: Board) {
    self.platform = platform
    self.number = number
    cpu = platform.cpu
  }

  /// Memory that EL2 has mapped.
  @inline(__always)
  package var memory: Board.Memory { platform.memory }
  /// The registers of the hardware.
  @inline(__always)
  package var registers: Board.Registers { platform.registers }

  private var state: StatePlace<Board> { platform.state }

  package func count(_ command: ITSCommand) {
    platform.counts.countCommand(number, command.number)
  }

  package func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    guard !state.shared.reserved.overlaps(pages) else {
      throw .refusedByHypervisor(pages.first)
    }
    var held = HeldLocks(holding: .its)
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    return try state.shared.ownershipLock.withLock(&held) {
      (_) throws(OwnershipError) -> Pin<1> in
      try state.shared.ownership.shareAndPin(list)
    }
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) {
    var held = HeldLocks(holding: .its)
    var pin: Pin<1>? = consume pin
    state.shared.ownershipLock.withLock(&held) { _ in
      guard let pin = pin.take() else { return }
      // Pages that somebody else has pinned stay shared, which is safe.
      state.shared.ownership.unpinAndUnshare(pin)
    }
  }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try LockedOwnership(of: platform, holding: .its).hold(pages, in: &table)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    LockedOwnership(of: platform, holding: .its).release(slot, of: &table)
  }

  package func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    var held = HeldLocks(holding: .its)
    try state.shared.ownershipLock.withLock(&held) {
      (_) throws(OwnershipError) in
      try state.shared.ownership.donate(pages, into: &set)
    }
  }

  package func giveBackUntouched(_ set: inout ClaimSet) {
    var held = HeldLocks(holding: .its)
    state.shared.ownershipLock.withLock(&held) { _ in
      do throws(OwnershipError) {
        try state.shared.ownership.giveBackUntouched(&set)
      } catch {
        platform.log(.error, LogLine("handover: pages could not be given back"))
      }
    }
  }
}
