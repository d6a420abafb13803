// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU

extension SMMUIIDR {
  /// Whether a revision is known not to keep what its ID registers promise: of Arm's (JEP106 0x43B) MMU-600
  /// before r2 (erratum 1209401), and of its MMU-700 before r1p1 (2268618 and 2812531).
  var isUnsound: Bool {
    guard implementer == 0x43b else { return false }
    switch product {
    case 0x483: return variant < 2
    case 0x487: return variant < 1 || (variant == 1 && revision < 1)
    default: return false
    }
  }
}
