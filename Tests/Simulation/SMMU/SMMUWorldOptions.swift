// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SMMUDriver
import SimulatedHardware

/// What a board is made of, and what goes wrong on it.
package struct SMMUWorldOptions {
  /// The SMMUs.
  package var units = [SMMUConfiguration()]
  /// The streams that may reach anything, behind every SMMU.
  package var streams = PermittedStreams.all
  /// The pages of memory that queues and stream table of an SMMU have.
  package var arenaPages = SMMUSetup.recommendedArenaSize >> PageFrameNumber.shift
  /// The size of addresses that the host has.
  package var bits: UInt64 = 40
  /// What the SMMUs' TLBs know the table by.
  package var vmid: UInt16 = 0
  /// How often the driver looks at a register before it gives up.
  package var patience: UInt64 = 200
  /// Whether CPU stores stay in caches until they are cleaned.
  package var hasCache = false
  /// Whether CPU stores stay where no device sees them until a barrier.
  package var hasStoreBuffer = false
  /// Whether an ITS has a doorbell, which devices may write.
  package var hasDoorbell = true
  /// Whether the rules for tables are checked.
  package var hasTableLog = true

  /// A defect: the mirror is not told of this transition.
  package var forgotten: PageTransition?
  /// A defect: the driver has SMMUs invalidate nothing.
  package var losesInvalidations = false

  /// A plain board of one SMMU without a defect.
  package init() {}
}
