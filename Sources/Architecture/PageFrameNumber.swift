// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The number of a 4 KiB page frame of physical memory (PFN).
///
/// Ownership is kept in these units whatever the granule of an embedder: a 64 KiB page is sixteen.
public struct PageFrameNumber: Comparable, Hashable, Sendable {
  /// The number: the physical address divided by 4096.
  public let rawValue: UInt64

  /// log2 of the size of a frame in bytes.
  public static let shift: UInt64 = 12
  /// The size of a frame in bytes.
  public static let size: UInt64 = 1 << shift

  /// Makes a PFN from its number.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// The frame that holds `address`.
  @inlinable
  public init(containing address: PhysicalAddress) { rawValue = address.rawValue >> Self.shift }

  /// The first address of the frame.
  @inlinable
  public var address: PhysicalAddress { PhysicalAddress(rawValue << Self.shift) }

  /// Orders frames by their number.
  @inlinable
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Consecutive page frames; never empty, and never past the 52 bits that a PA can have.
public struct PageRange: Hashable, Sendable {
  /// The first frame.
  public let first: PageFrameNumber
  /// How many frames; at least one.
  public let count: UInt64

  /// One more than the largest PFN of a 52-bit physical address.
  public static let limit: UInt64 = 1 << 40

  /// Makes a range; nil where it is empty or leaves the 52-bit physical address space.
  @inlinable
  public init?(first: PageFrameNumber, count: UInt64) {
    guard count > 0, first.rawValue < Self.limit, count <= Self.limit - first.rawValue else {
      return nil
    }
    self.first = first
    self.count = count
  }

  /// The frames that `range` touches, rounded out to whole frames.
  @inlinable
  public init?(covering range: AddressRange) {
    let first = PageFrameNumber(containing: range.base)
    let last = PageFrameNumber(containing: range.last)
    self.init(first: first, count: last.rawValue - first.rawValue + 1)
  }

  /// The last frame, which is inside the range.
  @inlinable
  public var last: PageFrameNumber { PageFrameNumber(first.rawValue + (count - 1)) }

  /// Whether `frame` lies in the range.
  @inlinable
  public func contains(_ frame: PageFrameNumber) -> Bool { first <= frame && frame <= last }

  /// Whether all of `other` lies in the range.
  @inlinable
  public func contains(_ other: PageRange) -> Bool { first <= other.first && other.last <= last }

  /// Whether the two ranges share a frame.
  @inlinable
  public func overlaps(_ other: PageRange) -> Bool { first <= other.last && other.first <= last }
}

extension PageRange {
  /// The pages below `end`, which is beyond the first.
  public func upTo(_ end: UInt64) -> PageRange {
    PageRange(first: first, count: end - first.rawValue) ?? self
  }

  /// The pages from `start` on; nil where there are none.
  public func from(_ start: UInt64) -> PageRange? {
    let end = first.rawValue + count
    guard start < end else { return nil }
    return PageRange(first: PageFrameNumber(start), count: end - start)
  }

  /// The pages below `limit`; nil where there are none.
  public func below(_ limit: UInt64) -> PageRange? {
    guard first.rawValue < limit else { return nil }
    return upTo(min(limit, first.rawValue + count))
  }
}
