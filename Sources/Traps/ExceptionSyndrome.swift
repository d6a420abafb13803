// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The syndrome of an exception: ESR_ELx (Arm ARM DDI 0487, ESR_EL2).
public struct ExceptionSyndrome: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes a syndrome from the register's value.
  @inline(__always)
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// EC, bits [31:26]: why the exception was taken.
  @inline(__always)
  public var exceptionClass: ExceptionClass {
    ExceptionClass(rawValue: UInt8(truncatingIfNeeded: rawValue >> 26) & 0x3f)
  }
  /// IL, bit [25]: the trapped instruction has 32 bits, not 16.
  @inline(__always)
  public var isLongInstruction: Bool { rawValue.bit(25) }
  /// ISS, bits [24:0]: what the class says of the instruction.
  @inline(__always)
  public var instructionSpecific: UInt32 { UInt32(truncatingIfNeeded: rawValue) & 0x1ff_ffff }
}

extension UInt64 {
  /// Whether bit `position`, 0 to 63, is set.
  @inline(__always)
  func bit(_ position: UInt64) -> Bool { (self >> position) & 1 == 1 }
}
