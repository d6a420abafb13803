// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The number of a general-purpose register in an instruction: 0 to 30 are X0 to X30, 31 is XZR.
///
/// No other value can be made, so that a register file never checks a bound.
public struct RegisterNumber: Hashable, Sendable {
  /// The number, 0 to 31.
  public let rawValue: UInt8

  /// Takes the low five bits of `field`.
  @inline(__always)
  public init(_ field: UInt64) { rawValue = UInt8(truncatingIfNeeded: field) & 31 }

  /// Whether this is XZR, which reads as zero and forgets what is written.
  @inline(__always)
  public var isZeroRegister: Bool { rawValue == 31 }
}
