// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMUDriver
import SimulatedHardware

/// How long EL2 waits for the SMMU of a world.
package final class Patience {
  weak var world: NestedWorld?
}

/// The hardware as the driver reaches it.
package struct NestedWorldHardware: SMMUMachine {
  package let memory: SMMUBusMemory
  package let registers: SMMUDeviceMemory
  let looks: Patience

  package func mayLookAgain(after looks: UInt64) -> Bool {
    looks < self.looks.world?.patience ?? 200
  }
}
