// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMUDriver

/// How often streams came to go by each kind of rule.
package struct StreamRuleCounts: Sendable {
  /// No entry that is valid.
  package private(set) var invalid: UInt64 = 0
  /// Aborts.
  package private(set) var abort: UInt64 = 0
  /// Stage 2 alone.
  package private(set) var pass: UInt64 = 0
  /// The host's stage 1.
  package private(set) var stage1: UInt64 = 0

  mutating func count(_ rule: StreamRule) {
    switch rule {
    case .invalid: invalid += 1
    case .abort: abort += 1
    case .pass: pass += 1
    case .stage1: stage1 += 1
    }
  }
}
