// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GITS_CWRITER and GITS_CREADR: a place in the command queue and a flag (IHI 0069, 12.19.4, 12.19.3).
public struct GITSQueuePointer: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
  /// Makes it from an offset in bytes, a multiple of 32 below 1 MiB, and the flag.
  public init(offset: UInt64, flag: Bool = false) {
    rawValue = offset & 0xf_ffe0 | (flag ? 1 : 0)
  }

  /// The offset in bytes from the start of the queue, bits [19:5].
  public var offset: UInt64 { rawValue & 0xf_ffe0 }
  /// GITS_CWRITER.Retry, bit [0]: go on after a stall.
  public var isRetry: Bool { rawValue & 1 != 0 }
  /// GITS_CREADR.Stalled, bit [0]: an error has stopped the queue.
  public var isStalled: Bool { rawValue & 1 != 0 }
}
