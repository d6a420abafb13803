// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedHardware

/// Memory as EL2 loads and stores it: tables and queues.
package struct SMMUWorldMemory: WatchedMemory {
  package let memory: PhysicalMemory
  let seams: SMMUSeams

  package func store(_ value: UInt64, at address: PhysicalAddress) {
    // Of a page that is scrubbed most words are zero already; where no cache is told, a store takes long.
    if value == 0, !memory.hasCache, SMMULayout.host.contains(PageFrameNumber(containing: address)),
      load(address) == 0
    {
      return
    }
    memory.storeAsHypervisor(
      seams.losesInvalidations ? lost(value, at: address) : value, at: address.rawValue)
  }

  /// CMD_SYNC instead of CMD_TLBI_S12_VMALL and CMD_TLBI_S2_IPA.
  private func lost(_ value: UInt64, at address: PhysicalAddress) -> UInt64 {
    let isCommand =
      SMMULayout.arenas.contains(PageFrameNumber(containing: address))
      && address.rawValue.isMultiple(of: 16)
    return isCommand && [0x28, 0x2a].contains(value & 0xff) ? 0x46 : value
  }
}
