// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor
internal import IOMMU
internal import Ownership
internal import SMMU
internal import SMMUDriver

/// What the SMMUs have recorded of devices that reached for what they may not.
///
/// EL2 has no interrupt of its own that would tell: the events are read when the host is here for something that
/// has to do with SMMUs.
enum DMAFaults {
  /// The most events of each SMMU that one trap reads.
  private static var limit: UInt64 { 16 }

  /// Reads, counts and logs events; no lock is held.
  ///
  /// With the ownership lock events are read, and faults taken one by one; they are logged without it.
  @inline(never)
  static func drain() {
    guard unsafe StateMemory.shared.pointee.ownsSMMUs else { return }
    read()
    for _ in 0..<limit {
      guard let fault = take() else { return }
      log(fault)
    }
  }

  private static func read() {
    var held = HeldLocks()
    unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) { _ in
      unsafe StateMemory.shared.pointee.ownership.updateObserver { (protection, _, _, _) in
        _ = protection.mirror?.driver.drainEvents(atMost: limit)
      }
    }
  }

  private static func take() -> SMMUFault? {
    var held = HeldLocks()
    var fault: SMMUFault?
    unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) { _ in
      unsafe StateMemory.shared.pointee.ownership.updateObserver { (protection, _, _, _) in
        fault = protection.mirror?.driver.takeFault()
        if fault != nil { protection.lastFault = fault }
      }
    }
    return fault
  }

  private static func log(_ fault: SMMUFault) {
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
    HostCPU.log(.warning, line)
  }

  /// The count of the SMMUs with this number, once what they have recorded is read; 0 where none is EL2's own.
  static func value(_ kind: StatisticNumber.DMA) -> UInt64 {
    value { (mirror, lastFault) in
      if let value = kind.value(events: mirror.driver.events, usage: mirror.driver.usage) {
        return value
      }
      return switch kind {
      case .units: UInt64(mirror.driver.count)
      case .refusals: mirror.refusals
      case .lastStream: UInt64(lastFault?.stream.rawValue ?? 0)
      case .lastAddress: lastFault?.address ?? 0
      case .lastNumber: UInt64(lastFault?.event.number ?? 0)
      default: 0
      }
    }
  }

  /// How many events of a type there were.
  static func value(_ type: SMMUEventType) -> UInt64 {
    value { (mirror, _) in mirror.driver.events.count(of: type) }
  }

  private static func value(
    _ read: (borrowing DMAProtection.Mirror, SMMUFault?) -> UInt64
  ) -> UInt64 {
    drain()
    var held = HeldLocks()
    return unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) { _ in
      switch unsafe StateMemory.shared.pointee.ownership.observer.mirror {
      case .some(let mirror):
        unsafe read(mirror, StateMemory.shared.pointee.ownership.observer.lastFault)
      case .none: 0
      }
    }
  }
}
