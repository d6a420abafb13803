// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Why an exception was taken: ESR_ELx.EC (Arm ARM DDI 0487, ESR_EL2).
///
/// Any six-bit value can be held, since the architecture grows and an unknown class is no reason to
/// stop.
public struct ExceptionClass: RawRepresentable, Hashable, Sendable {
  /// The six bits of EC.
  public let rawValue: UInt8
  /// Makes a class from its encoding.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// An instruction abort from a lower Exception level.
  public static let instructionAbortLower = ExceptionClass(rawValue: 0x20)
  /// An instruction abort without a change of Exception level.
  public static let instructionAbortSame = ExceptionClass(rawValue: 0x21)
  /// A data abort from a lower Exception level.
  public static let dataAbortLower = ExceptionClass(rawValue: 0x24)
  /// A data abort without a change of Exception level.
  public static let dataAbortSame = ExceptionClass(rawValue: 0x25)
}
