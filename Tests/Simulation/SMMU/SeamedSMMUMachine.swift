// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMUDriver
import SimulatedHardware

/// The machine of the SMMUs' driver, with seams.
package struct SeamedSMMUMachine<Memory: BusMemory>: SMMUMachine {
  package let memory: Memory
  package let registers: SMMUDeviceMemory
  private let seams: SMMUSeams

  init(_ memory: Memory, _ units: [SimulatedSMMU], _ seams: SMMUSeams) {
    self.memory = memory
    registers = SMMUDeviceMemory(
      units, permits: seams.permits, answered: { seams.onAnswer?($0, $1, $2) })
    self.seams = seams
  }

  package func mayLookAgain(after looks: UInt64) -> Bool {
    seams.onWait?()
    guard looks >= seams.patience else { return true }
    seams.onGivingUp?()
    return false
  }
}
