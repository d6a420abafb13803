// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_*_PROD or SMMU_*_CONS: an index into a queue of 2^`log2` entries with a bit that tells laps apart
/// (IHI 0070, 3.5 and 6.3).
public struct SMMUQueuePointer: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// WR or RD, bits [19:0]: the index and above it the bit of the lap.
  public var position: UInt32 { rawValue & 0xf_ffff }
  /// OVFLG of EVENTQ_PROD and PRIQ_PROD, OVACKFLG of their CONS, bit [31]: entries were lost where the
  /// two differ.
  public var hasOverflowFlag: Bool { rawValue >> 31 != 0 }
  /// ERR of CMDQ_CONS, bits [30:24]: why the queue has stopped; nil for a reserved value.
  public var error: SMMUCommandError? {
    SMMUCommandError(rawValue: UInt8(truncatingIfNeeded: rawValue >> 24 & 0x7f))
  }

  /// The index of the entry in a queue of 2^`log2` entries.
  public func index(log2 size: UInt64) -> UInt32 { position & Self.mask(size) }

  /// One entry further, flag and error clear.
  public func advanced(log2 size: UInt64) -> Self {
    Self(rawValue: (position &+ 1) & (Self.mask(size) << 1 | 1))
  }

  /// Whether a queue with this PROD and that CONS holds nothing.
  public func isEmpty(consumed: Self, log2 size: UInt64) -> Bool {
    (position ^ consumed.position) & (Self.mask(size) << 1 | 1) == 0
  }

  /// Whether a queue with this PROD and that CONS has no room: the same index, a lap ahead.
  public func isFull(consumed: Self, log2 size: UInt64) -> Bool {
    (position ^ consumed.position) & (Self.mask(size) << 1 | 1) == Self.mask(size) &+ 1
  }

  private static func mask(_ size: UInt64) -> UInt32 { (1 << UInt32(min(size, 19))) &- 1 }
}

/// Why a command queue has stopped: CMDQ_CONS.ERR (IHI 0070, 7.1).
public enum SMMUCommandError: UInt8, Hashable, Sendable {
  /// CERROR_NONE.
  case none = 0
  /// CERROR_ILL: the command is illegal.
  case illegal = 1
  /// CERROR_ABT: reading the command was aborted.
  case abort = 2
  /// CERROR_ATC_INV_SYNC: an ATC invalidation before a CMD_SYNC failed.
  case invalidation = 3
}
