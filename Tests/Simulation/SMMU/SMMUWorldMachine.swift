// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SMMUDriver
import SimulatedHardware

/// Memory as EL2 loads and stores it: tables and queues.
package struct SMMUWorldMemory: BusMemory {
  package let memory: PhysicalMemory
  let seams: SMMUSeams

  package func load(_ address: PhysicalAddress) -> UInt64 {
    memory.load(.double, at: address.rawValue)
  }

  package func store(_ value: UInt64, at address: PhysicalAddress) {
    // Of a page that is scrubbed most words are zero already; where no cache is told, a store takes long.
    if value == 0, !memory.hasCache, SMMULayout.host.contains(PageFrameNumber(containing: address)),
      load(address) == 0
    {
      return
    }
    memory.store(
      .double, seams.losesInvalidations ? lost(value, at: address) : value, at: address.rawValue)
  }

  /// CMD_SYNC instead of CMD_TLBI_S12_VMALL and CMD_TLBI_S2_IPA.
  private func lost(_ value: UInt64, at address: PhysicalAddress) -> UInt64 {
    let isCommand =
      SMMULayout.arenas.contains(PageFrameNumber(containing: address))
      && address.rawValue.isMultiple(of: 16)
    return isCommand && [0x28, 0x2a].contains(value & 0xff) ? 0x46 : value
  }

  package func publishTables() { memory.publish() }
  package func publishToDevices() { memory.publish() }
  package func clean(_ address: PhysicalAddress, size: UInt64) {
    memory.clean(address.rawValue, size: size)
  }
}

/// The registers of the SMMUs, which may be told to answer with aborts.
package struct SMMUWorldRegisters: DeviceMemory {
  let units: [SimulatedSMMU]
  let seams: SMMUSeams

  private func find(_ address: VirtualAddress) -> (Int, UInt64)? {
    for index in units.indices where address.rawValue &- units[index].base < 0x2_0000 {
      return (index, address.rawValue &- units[index].base)
    }
    return nil
  }

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard let (index, offset) = find(address), !seams.isAborted() else { return nil }
    seams.onAccess?(index, offset, nil)
    return units[index].read(width, at: offset)
  }

  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    guard let (index, offset) = find(address), !seams.isAborted() else { return false }
    seams.onAccess?(index, offset, value)
    return units[index].write(width, value, at: offset)
  }

  package func orderAccesses() { for unit in units { unit.memory.publish() } }
}

/// The machine of the driver.
package struct SMMUWorldMachine: SMMUMachine {
  package let memory: SMMUWorldMemory
  package let registers: SMMUWorldRegisters
  let patience: UInt64

  package func mayLookAgain(after looks: UInt64) -> Bool {
    registers.seams.onWait?()
    return looks < patience
  }
}
