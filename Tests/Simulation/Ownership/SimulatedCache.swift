// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedHardware

package struct SimulatedCache: TranslationCache {
  package let machine: SimulatedMachine

  package init(machine: SimulatedMachine) { self.machine = machine }

  package func invalidateStage2(_ pages: PageRange) {
    forget()
    machine.note { $0.append(.invalidateStage2(pages)) }
    machine.events.append(.invalidateStage2(pages))
  }

  package func invalidateStage2All() {
    forget()
    machine.note { $0.append(.invalidateStage2(nil)) }
  }

  private func forget() {
    machine.cached = []
    machine.unlinked = []
  }

  package func invalidateEL2(_ address: VirtualAddress, count: UInt64) {
    forget()
    machine.note {
      $0.append(.invalidateHypervisor(address: address.rawValue, count: count))
    }
    machine.events.append(.invalidateEL2(address, count))
  }
}
