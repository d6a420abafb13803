// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A descriptor of a stream table's first level (IHI 0070, 5.1).
public struct StreamTableDescriptor: RawRepresentable, Hashable, Sendable {
  /// The bytes of a descriptor.
  public static var size: UInt64 { 8 }
  /// The doubleword.
  public let rawValue: UInt64
  /// Makes it from the doubleword.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// No stream behind this descriptor has an entry.
  public static var invalid: Self { Self(rawValue: 0) }

  /// Points to a table of 2^`log2` entries, which is aligned to its size; `log2` is at most 10.
  public init(table: UInt64, log2 size: UInt64) {
    rawValue = table.masked(51, 6) | (size &+ 1).bits(4, 0)
  }

  /// Span, bits [4:0]: one more than log2 of the entries; 0 is invalid and above 11 is reserved.
  public var span: UInt64 { rawValue.bits(4, 0) }
  /// log2 of the entries of the table; nil where there is no table.
  public var log2: UInt64? { (1...11).contains(span) ? span &- 1 : nil }
  /// L2Ptr, bits [51:6], as an address.
  public var table: UInt64 { rawValue.masked(51, 6) }
}
