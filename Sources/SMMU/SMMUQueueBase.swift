// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_CMDQ_BASE, SMMU_EVENTQ_BASE or SMMU_PRIQ_BASE: where a queue is (IHI 0070, 6.3).
public struct SMMUQueueBase: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// Makes it from its parts; `base` is aligned to the size of the queue, of 2^`log2` entries.
  public init(base: UInt64, log2 size: UInt64, allocates: Bool) {
    rawValue = base.masked(51, 5) | size.bits(4, 0) | (allocates ? 1 << 62 : 0)
  }

  /// LOG2SIZE, bits [4:0]: log2 of the entries.
  public var log2: UInt64 { rawValue.bits(4, 0) }
  /// ADDR, bits [51:5], as an address.
  public var base: UInt64 { rawValue.masked(51, 5) }
  /// RA of the command queue, WA of the others, bit [62]: accesses allocate in caches.
  public var allocates: Bool { rawValue.bit(62) }
}
