// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Ownership

/// A defect that a workload must find: that comparing can fail is shown by these.
package enum WorkloadDefect: CaseIterable, Sendable {
  case donatedMemoryForgotten
  case donatedMMIOForgotten
  case recalledMemoryForgotten
  case returnedMemoryForgotten
  case returnedMMIOForgotten
  case lentMemoryForgotten
  case invalidationsLost

  /// What the mirror is not told of.
  var forgotten: PageTransition? {
    switch self {
    case .donatedMemoryForgotten: PageTransition(kind: .memory, old: .owned, new: .none)
    case .donatedMMIOForgotten: PageTransition(kind: .mmio, old: .owned, new: .none)
    case .recalledMemoryForgotten: PageTransition(kind: .memory, old: .sharedBorrowed, new: .none)
    case .returnedMemoryForgotten: PageTransition(kind: .memory, old: .none, new: .owned)
    case .returnedMMIOForgotten: PageTransition(kind: .mmio, old: .none, new: .owned)
    case .lentMemoryForgotten: PageTransition(kind: .memory, old: .none, new: .sharedBorrowed)
    case .invalidationsLost: nil
    }
  }

  /// In words.
  package var name: String {
    switch self {
    case .donatedMemoryForgotten: "the mirror forgets memory that is donated"
    case .donatedMMIOForgotten: "the mirror forgets MMIO that is donated"
    case .recalledMemoryForgotten: "the mirror forgets memory that is recalled"
    case .returnedMemoryForgotten: "the mirror forgets memory that is given back"
    case .returnedMMIOForgotten: "the mirror forgets MMIO that is given back"
    case .lentMemoryForgotten: "the mirror forgets memory that is lent"
    case .invalidationsLost: "the driver's invalidations are lost"
    }
  }
}
