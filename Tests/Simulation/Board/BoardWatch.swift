// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor
import Observing
import Redistributor
import Trace

/// Who looks on while the monitor of a board answers; ``Platform`` says when each is called.
package protocol BoardWatch: AnyObject {
  /// The monitor did something in a trap of the ITS with this number.
  func note(_ observation: Observation, of its: UInt8)

  func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool, on platform: SimulatedPlatform)
  func hasAnswered(
    _ access: TracedAccess, _ its: borrowing LockedITS, on platform: SimulatedPlatform)
  func hasPaused(_ its: borrowing LockedITS, on platform: SimulatedPlatform)
  func hasWoken(_ its: borrowing LockedITS, on platform: SimulatedPlatform)

  func willAnswer(
    _ redistributors: borrowing MediatedRedistributors, isWaking: Bool,
    on platform: SimulatedPlatform)
  func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors,
    on platform: SimulatedPlatform)
  func hasWoken(
    mayRun: Bool, _ redistributors: borrowing MediatedRedistributors,
    on platform: SimulatedPlatform)
}

/// Tells who looks on what the monitor does for one ITS.
package struct ITSWitness: Witness {
  let hardware: BoardHardware
  let its: UInt8

  package func note(_ observation: Observation) { hardware.watch?.note(observation, of: its) }
}
