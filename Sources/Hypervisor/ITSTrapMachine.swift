// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
internal import Boards
package import GIC
internal import ITS
package import Ownership

/// What the mediation of one ITS needs, on the CPU that runs this.
package struct ITSTrapMachine<Machine: Platform>: HandoverMachine {
  private let platform: Machine
  /// The number of the ITS.
  let number: UInt8

  @inline(__always)
  init(_ number: UInt8, _ platform: Machine) {
    self.platform = platform
    self.number = number
  }

  /// Memory that EL2 has mapped.
  @inline(__always)
  package var memory: Machine.Memory { platform.memory }
  /// The registers of the hardware.
  @inline(__always)
  package var registers: Machine.Registers { platform.registers }
  /// The number of the CPU: asked for where it is used alone, for it may be a call of somebody else.
  @inline(__always)
  package var cpu: UInt64 { platform.cpu }

  private var pages: Machine.Pages { platform.pages(holding: .its) }

  @inline(__always)
  package func count(_ command: ITSCommand) { platform.counts.countCommand(number, command.number) }

  package func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try self.pages.shareAndPin(pages)
  }

  package func unpinAndUnshare(_ pin: consuming Pin<1>) { pages.unpinAndUnshare(pin) }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try self.pages.hold(pages, in: &table)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    pages.release(slot, of: &table)
  }

  package func claim(_ pages: PageRange, into set: inout ClaimSet) throws(OwnershipError) {
    try self.pages.claim(pages, into: &set)
  }

  package func giveBackUntouched(_ set: inout ClaimSet) {
    guard !pages.giveBackUntouched(&set) else { return }
    platform.log(.error, LogLine("handover: pages could not be given back"))
  }
}
