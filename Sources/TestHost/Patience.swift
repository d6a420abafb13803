// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// How long tests wait, on a board that may be slow.
enum Patience {
  /// By how many powers of two limits are longer: zero at first, for the host has no initialised data.
  // Written once, before another CPU is on.
  nonisolated(unsafe) private static var shift: UInt64 = 0

  /// Reads from the boot arguments how many times longer tests wait: `testhost.pace` is 2, 4 or 8.
  static func begin(_ tree: FlatTree) {
    if tree.bootArgumentsHold("testhost.pace=2") { unsafe shift = 1 }
    if tree.bootArgumentsHold("testhost.pace=4") { unsafe shift = 2 }
    if tree.bootArgumentsHold("testhost.pace=8") { unsafe shift = 3 }
  }

  /// A hundredth of a second, at that pace, in ticks of the counter.
  static var hundredth: UInt64 { unsafe el1_read_counter_frequency() / 100 << shift }

  /// Does `meanwhile` until a condition holds; false where it doesn't after so many hundredths of a
  /// second, at that pace.
  static func wait(
    hundredths: UInt64 = 100, meanwhile: () -> Void = {}, until condition: () -> Bool
  ) -> Bool {
    let end = el1_read_counter() &+ hundredths &* hundredth
    while !condition() {
      guard el1_read_counter() < end else { return false }
      meanwhile()
    }
    return true
  }
}
