// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import Hypervisor
internal import SMMUDriver
internal import VirtualSMMU

/// Puts a virtual SMMU between the host and every SMMU.
enum VirtualSMMUMediation {
  /// Makes as many as there are SMMUs, which EL2 drives by now, before the host runs.
  static func begin(_ count: Int) throws(StartupError) {
    let image = unsafe StateMemory.shared.pointee.image.base
    let memory = MetalTables(imageBase: image)
    let first = PhysicalAddress(
      image.rawValue + (el2_virtual_smmus_here() - el2_image_start_here()))
    for number in 0..<UInt8(truncatingIfNeeded: count) {
      guard
        let hardware = VirtualSMMUTrapMachine(number: number).identification
      else { throw .virtualSMMU }
      let ledger = PhysicalAddress(
        first.rawValue + UInt64(number) * el2_virtual_smmu_size + el2_virtual_smmu_size / 2)
      for offset in stride(from: 0, to: MediatedSMMU.ledgerSize, by: 8) {
        memory.store(0, at: PhysicalAddress(ledger.rawValue + offset))
      }
      unsafe StateMemory.virtualSMMU(number).initialize(
        to: VirtualSMMUState(MediatedSMMU(OfferedIdentification(hardware), ledger: ledger)))
    }
    unsafe StateMemory.shared.pointee.virtualSMMUs = UInt8(truncatingIfNeeded: count)
  }

  /// A count of all of them; one is locked at a time.
  static func sum(_ read: (borrowing MediatedSMMU) -> UInt64) -> UInt64 {
    var sum: UInt64 = 0
    let count = unsafe StateMemory.shared.pointee.virtualSMMUs
    for number in 0..<count {
      var held = HeldLocks()
      sum &+= unsafe StateMemory.virtualSMMU(number).pointee.lock.withLock(&held) { _ in
        unsafe read(StateMemory.virtualSMMU(number).pointee.smmu)
      }
    }
    return sum
  }
}
