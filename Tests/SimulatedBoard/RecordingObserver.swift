// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

package struct RecordingObserver: OwnershipObserver {
  package let machine: SimulatedMachine

  package init(machine: SimulatedMachine) { self.machine = machine }

  package mutating func prepare(_ transition: PageTransition) -> Bool {
    if transition.frame == machine.refusedFrame { return false }
    machine.preparedCount += 1
    machine.events.append(.prepared(transition.frame))
    return true
  }

  package mutating func commit(_ transition: PageTransition) {
    machine.preparedCount -= 1
    let reach = machine.onCommit?(transition.frame) ?? (host: true, hypervisor: true)
    machine.events.append(
      .committed(transition.frame, hostReaches: reach.host, hypervisorReaches: reach.hypervisor))
  }

  package mutating func abort(_ transition: PageTransition) {
    machine.preparedCount -= 1
    machine.events.append(.aborted(transition.frame))
  }
}
