// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import SMMUDriver
public import VirtualSMMU

// A virtual SMMU between the host and every SMMU.
extension Monitor {
  /// Makes as many as there are SMMUs, which EL2 drives by now, before the host runs; false where one of those does not
  /// answer.
  ///
  /// - Parameter place: the physical address of ``Platform/virtualSMMUs``.
  public func beginVirtualSMMUs(_ count: UInt8, at place: PhysicalAddress) -> Bool {
    for number in 0..<count {
      guard let hardware = VirtualSMMUTrapMachine(number, platform).identification else {
        return false
      }
      let ledger = PhysicalAddress(
        place.rawValue + UInt64(number) * VirtualSMMUPlaces.stride + VirtualSMMUPlaces.ledgerOffset)
      let memory = platform.memory
      for offset in stride(from: 0, to: MediatedSMMU.ledgerSize, by: 8) {
        memory.store(0, at: PhysicalAddress(ledger.rawValue + offset))
      }
      platform.virtualSMMUs.put(
        number, MediatedSMMU(OfferedIdentification(hardware), ledger: ledger))
    }
    return true
  }

  /// A count of all of them; one is locked at a time.
  public func sumOfVirtualSMMUs(_ read: (borrowing MediatedSMMU) -> UInt64) -> UInt64 {
    var sum: UInt64 = 0
    for number in 0..<platform.virtualSMMUCount {
      sum &+= platform.withVirtualSMMU(number) { read($0) }
    }
    return sum
  }
}
