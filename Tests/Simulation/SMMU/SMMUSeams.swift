// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Where EL2's accesses may be told to go wrong.
package final class SMMUSeams {
  /// Whether invalidations become SYNCs on their way into a command queue.
  package var losesInvalidations = false
  /// How many accesses EL2 has made to registers of SMMUs.
  package var registerAccesses: UInt64 = 0
  /// The accesses to registers that are answered with an abort, by their number.
  package var aborted: Range<UInt64> = 0..<0
  /// Called for each access to a register that is not aborted, with the SMMU, the offset, and what is
  /// written; nil for a read.
  package var onAccess: ((Int, UInt64, UInt64?) -> Void)?
  /// Called behind each read of a register, with the SMMU, the offset, and what was read.
  package var onAnswer: ((Int, UInt64, UInt64) -> Void)?
  /// How often EL2 may look at an SMMU that does not get on.
  package var patience: UInt64 = 200
  /// Called while EL2 waits for an SMMU.
  package var onWait: (() -> Void)?
  /// Called when it may not wait any longer.
  package var onGivingUp: (() -> Void)?

  /// Has the accesses from the `first`th from now on be aborted, `count` of them.
  package func abort(after first: UInt64, count: UInt64) {
    let start = registerAccesses &+ first
    aborted = start..<(count == .max ? .max : start &+ count)
  }

  /// Has all go well again.
  package func heal() { aborted = 0..<0 }

  /// Whether an access to a register is answered.
  func permits(_ unit: Int, _ offset: UInt64, _ value: UInt64?) -> Bool {
    defer { registerAccesses &+= 1 }
    guard !aborted.contains(registerAccesses) else { return false }
    onAccess?(unit, offset, value)
    return true
  }
}
