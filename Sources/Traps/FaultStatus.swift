// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What went wrong with an access: DFSC or IFSC, the low six bits of the ISS of an abort.
///
/// Source: Arm ARM DDI 0487, ESR_EL2, "ISS encoding for an exception from a Data Abort", DFSC.
public struct FaultStatus: RawRepresentable, Hashable, Sendable {
  /// The six bits of the field.
  public let rawValue: UInt8
  /// Makes a status from its encoding.
  @inline(__always)
  public init(rawValue: UInt8) { self.rawValue = rawValue & 0x3f }

  /// The kinds of faults that are told apart here.
  public enum Kind: Hashable, Sendable {
    /// An address is larger than the translation permits.
    case addressSize
    /// No valid descriptor maps the address.
    case translation
    /// The descriptor's access flag is clear.
    case accessFlag
    /// The descriptor doesn't permit the access.
    case permission
    /// The memory system answered the access with an error.
    case externalAbort
    /// The memory system answered the read of a descriptor with an error.
    case externalAbortOnWalk
    /// Everything else: alignment, tag check, TLB conflict, unsupported atomic, and what is to come.
    case other
  }

  /// A synchronous external abort that isn't on a translation table walk.
  public static let externalAbort = FaultStatus(rawValue: 0x10)

  /// A synchronous external abort on the walk's look-up at `level`, -1 to 3.
  public static func externalAbortOnWalk(level: Int) -> FaultStatus {
    // 0b0101LL for levels 0 to 3; level -1 is 0b010011, which is the same sum.
    FaultStatus(rawValue: UInt8(truncatingIfNeeded: 0x14 &+ min(max(level, -1), 3)))
  }

  /// The kind of fault.
  public var kind: Kind {
    switch rawValue {
    case 0x00...0x03, 0x29, 0x2c: .addressSize
    case 0x04...0x07, 0x2a, 0x2b: .translation
    case 0x08...0x0b: .accessFlag
    case 0x0c...0x0f: .permission
    case 0x10, 0x18: .externalAbort
    case 0x12...0x17, 0x1b...0x1f: .externalAbortOnWalk
    default: .other
    }
  }

  /// The look-up level of the table walk that faulted, -1 to 3; nil where the status tells none.
  public var level: Int? {
    switch rawValue {
    case 0x00...0x0f, 0x14...0x17, 0x1c...0x1f: Int(rawValue & 3)
    case 0x13, 0x1b, 0x29, 0x2b: -1
    case 0x12, 0x2a, 0x2c: -2
    default: nil
    }
  }
}
