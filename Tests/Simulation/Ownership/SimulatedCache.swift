// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

package struct SimulatedCache: TranslationCache {
  package let machine: SimulatedMachine

  package init(machine: SimulatedMachine) { self.machine = machine }

  package func invalidateStage2(_ pages: PageRange) {
    forget()
    machine.events.append(.invalidateStage2(pages))
  }

  package func invalidateStage2All() { forget() }

  private func forget() {
    machine.cached = []
    machine.unlinked = []
  }

  package func invalidateEL2(_ address: VirtualAddress, count: UInt64) {
    forget()
    machine.events.append(.invalidateEL2(address, count))
  }
}
