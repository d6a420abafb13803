// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import Ownership
internal import Redistributor

/// What the mediation of the Redistributors needs, on the CPU that runs this.
struct MetalRedistributorMachine: RedistributorMachine {
  let registers = MetalDeviceMemory()
  let affinity: UInt32

  init() {
    // MPIDR_EL1: Aff3 in bits [39:32], Aff2 to Aff0 in bits [23:0].
    let value = pc_read_mpidr_el1()
    affinity =
      UInt32(truncatingIfNeeded: value >> 32 & 0xff) << 24
      | UInt32(truncatingIfNeeded: value & 0xff_ffff)
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try LockedOwnership(holding: .redistributor).hold(pages, in: &table)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    LockedOwnership(holding: .redistributor).release(slot, of: &table)
  }
}
