// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import Ownership
internal import Redistributor

/// What the mediation of the Redistributors needs, on the CPU that runs this.
package struct BoardRedistributorMachine<Board: BoardPlatform>: RedistributorMachine {
  private let platform: Board
  /// Aff3 to Aff0 of this CPU.
  package let affinity: UInt32

  init(_ platform: Board) {
    self.platform = platform
    affinity = Self.affinity(ofMPIDR: platform.multiprocessorAffinity)
  }

  /// The registers of the hardware.
  package var registers: Board.Registers { platform.registers }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try LockedOwnership(of: platform, holding: .redistributor).hold(pages, in: &table)
  }

  package func release(_ slot: UInt64, of table: inout PinTable) {
    LockedOwnership(of: platform, holding: .redistributor).release(slot, of: &table)
  }
}
