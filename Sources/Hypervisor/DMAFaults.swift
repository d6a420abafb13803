// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import IOMMU
internal import Ownership
internal import SMMU
internal import SMMUDriver

// What the SMMUs have recorded of devices that reached for what they may not.
//
// EL2 has no interrupt of its own that would tell: the events are read when the host is here for something that
// has to do with SMMUs.
extension Monitor {
  /// The most events of each SMMU that one trap reads.
  private static var eventsPerTrap: UInt64 { 16 }

  /// Reads, counts and logs events; no lock is held.
  ///
  /// With the ownership lock events are read, and faults taken one by one; they are logged without it.
  @inline(never)
  func drainFaults() {
    guard platform.ownsSMMUs else { return }
    platform.withDMA(else: ()) { protection in
      _ = protection.mirror?.driver.drainEvents(atMost: Self.eventsPerTrap)
    }
    for _ in 0..<Self.eventsPerTrap {
      guard let fault = takeFault() else { return }
      log(fault)
    }
  }

  private func takeFault() -> SMMUFault? {
    platform.withDMA(else: nil) { protection in
      let fault = protection.mirror?.driver.takeFault()
      if let fault { protection.lastFault = fault }
      return fault
    }
  }

  private func log(_ fault: SMMUFault) {
    var line = LogLine("DMA fault: SMMU ")
    line.append(decimal: UInt64(fault.unit))
    line.append(" stream ")
    line.append(hex: UInt64(fault.stream.rawValue))
    line.append(" ")
    line.append(fault.reason)
    if let address = fault.address {
      line.append(" at ")
      line.append(hex: address)
    }
    if fault.event.type?.hasAccess == true {
      line.append(fault.event.isRead ? ", a read" : ", a write")
    }
    platform.log(.warning, line)
  }

  /// The figure of the SMMUs with this number, once what they have recorded is read; 0 where none is EL2's own.
  public func dmaCount(_ number: StatisticNumber) -> UInt64 {
    drainFaults()
    return platform.withDMA(else: 0) { protection in
      let last = protection.lastFault
      return switch protection.mirror {
      case .some(let mirror):
        number.value(
          units: UInt64(mirror.driver.count), events: mirror.driver.events,
          usage: mirror.driver.usage, keptPages: mirror.refusals, last: last)
      case .none: 0
      }
    }
  }
}
