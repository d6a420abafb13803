// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the steps of workloads came to.
package struct WorkloadTally {
  /// Steps.
  package var steps: UInt64 = 0
  /// Changes that were made.
  package var changes: UInt64 = 0
  /// Changes that were refused because of who owns the pages.
  package var refusals: UInt64 = 0
  /// Changes that were refused because an SMMU did not confirm them.
  package var unconfirmed: UInt64 = 0
  /// Pages of which both tables were walked.
  package var comparedPages: UInt64 = 0
  /// Walks of both tables from end to end.
  package var walks: UInt64 = 0
  /// Accesses of devices.
  package var accesses: UInt64 = 0
  /// What the SMMUs carried out.
  package var invalidations: UInt64 = 0
  /// Of that, what waited for the rest.
  package var syncs: UInt64 = 0

  /// Nothing yet.
  package init() {}

  /// Adds another one.
  package mutating func add(_ other: Self) {
    steps += other.steps
    changes += other.changes
    refusals += other.refusals
    unconfirmed += other.unconfirmed
    comparedPages += other.comparedPages
    walks += other.walks
    accesses += other.accesses
    invalidations += other.invalidations
    syncs += other.syncs
  }

  /// One line each.
  package var lines: [String] {
    [
      "\(changes) changes made, \(refusals) refused, \(unconfirmed) not confirmed",
      "\(comparedPages) pages compared after their step, \(walks) times everything",
      "\(accesses) accesses of devices, \(invalidations) invalidations, \(syncs) SYNCs",
    ]
  }
}
