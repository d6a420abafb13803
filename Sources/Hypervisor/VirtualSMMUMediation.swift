// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMUDriver
package import VirtualSMMU

// A virtual SMMU between the host and every SMMU.
extension Monitor where Machine: BoardPlatform {
  /// Makes as many as there are SMMUs, which EL2 drives by now, before the host runs.
  func beginVirtualSMMUs(_ count: Int) throws(StartupError) {
    for number in 0..<UInt8(truncatingIfNeeded: count) {
      guard let hardware = VirtualSMMUTrapMachine(number, platform).identification else {
        throw .virtualSMMU
      }
      let ledger = PhysicalAddress(
        state.shared.layout.virtualSMMUs.rawValue + UInt64(number) * VirtualSMMUPlaces.stride
          + VirtualSMMUPlaces.ledgerOffset)
      let memory = tables
      for offset in stride(from: 0, to: MediatedSMMU.ledgerSize, by: 8) {
        memory.store(0, at: PhysicalAddress(ledger.rawValue + offset))
      }
      platform.virtualSMMUs.put(
        number, MediatedSMMU(OfferedIdentification(hardware), ledger: ledger))
    }
    state.shared.virtualSMMUs = UInt8(truncatingIfNeeded: count)
  }

  /// A count of all of them; one is locked at a time.
  package func sumOfVirtualSMMUs(_ read: (borrowing MediatedSMMU) -> UInt64) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<state.shared.virtualSMMUs {
      sum &+= platform.virtualSMMUs.withLock(number) { read($0) }
    }
    return sum
  }
}
