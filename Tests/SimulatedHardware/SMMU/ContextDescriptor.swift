// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A Context Descriptor: stage 1 of one address space (IHI 0070, 5.4).
struct ContextDescriptor: Hashable, Sendable {
  static let size: UInt64 = 64

  var word0: UInt64 = 0
  var word1: UInt64 = 0
  var word2: UInt64 = 0
  var word3: UInt64 = 0

  var isValid: Bool { word0.bit(31) }
  /// T0SZ and T1SZ.
  func inputSize(upper: Bool) -> UInt64 { upper ? word0.field(21, 16) : word0.field(5, 0) }
  /// TG0 and TG1, whether it is 4 KiB: the two are encoded otherwise.
  func hasGranule4K(upper: Bool) -> Bool {
    upper ? word0.field(23, 22) == 2 : word0.field(7, 6) == 0
  }
  /// IR0, OR0, SH0, and those of the upper half.
  func walkAttributes(upper: Bool) -> UInt64 { upper ? word0.field(29, 24) : word0.field(13, 8) }
  /// EPD0 and EPD1.
  func isDisabled(upper: Bool) -> Bool { upper ? word0.bit(30) : word0.bit(14) }
  /// ENDI.
  var isBigEndian: Bool { word0.bit(15) }
  /// IPS.
  var outputSize: UInt64 { word0.field(34, 32) }
  /// AFFD.
  var ignoresAccessFlag: Bool { word0.bit(35) }
  /// TBI0 and TBI1.
  func ignoresTopByte(upper: Bool) -> Bool { word0.bit(upper ? 39 : 38) }
  /// AA64.
  var isAArch64: Bool { word0.bit(41) }
  /// HD.
  var updatesDirtyState: Bool { word0.bit(42) }
  /// HA.
  var updatesAccessFlag: Bool { word0.bit(43) }
  /// S: faults stall.
  var stalls: Bool { word0.bit(44) }
  /// R: faults that terminate are recorded.
  var records: Bool { word0.bit(45) }
  /// A: what terminates aborts, instead of reading zeroes.
  var aborts: Bool { word0.bit(46) }
  var asid: UInt16 { UInt16(truncatingIfNeeded: word0 >> 48) }
  /// HAD0 and HAD1: permissions of tables don't count.
  func ignoresHierarchy(upper: Bool) -> Bool { (upper ? word2 : word1).bit(1) }
  /// TTB0 and TTB1.
  func table(upper: Bool) -> UInt64 { (upper ? word2 : word1).masked(51, 4) }
}
