// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Memory of EL2, as the comparison looks at it: by loads that nobody takes note of.
package protocol ComparedMemory {
  /// The doubleword at a physical address, which is a multiple of eight.
  func word(at address: UInt64) -> UInt64
}
