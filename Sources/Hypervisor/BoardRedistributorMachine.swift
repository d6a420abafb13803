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
    affinity = Self.affinity(ofMPIDR: pc_read_mpidr_el1())
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try LockedOwnership(holding: .redistributor).hold(pages, in: &table)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    LockedOwnership(holding: .redistributor).release(slot, of: &table)
  }
}
