// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// A table, or a queue, whose entries hardware reads by itself.
package enum LoggedTable: String, CaseIterable, Hashable, Sendable {
  /// The host's stage 2, which CPUs walk.
  case stage2 = "s2"
  /// EL2's stage 1.
  case hypervisor = "el2"
  /// The stage 2 of devices, which SMMUs walk.
  case deviceStage2 = "smmu-s2"
  /// The first level of a stream table.
  case streamDescriptor = "strtab1"
  /// Stream table entries.
  case streamEntry = "ste"
  /// The command queue of an SMMU.
  case smmuQueue = "smmu-queue"
  /// The first level of a table of an ITS.
  case itsFirstLevel = "its-l1"
  /// A table of an ITS that it writes itself: of one level, or a page of the second.
  case itsTable = "its-table"
  /// The command queue of an ITS.
  case itsQueue = "its-queue"

  /// Whether its entries are translation descriptors.
  package var isTranslation: Bool {
    switch self {
    case .stage2, .hypervisor, .deviceStage2: true
    default: false
    }
  }

  /// Whether an ITS reads it.
  package var isOfITS: Bool {
    switch self {
    case .itsFirstLevel, .itsTable, .itsQueue: true
    default: false
    }
  }

  /// The lock that a CPU holds while it stores to one, by the lock order of CONTRIBUTING.md.
  package var lock: LockRank { isOfITS ? .its : .ownership }
}
