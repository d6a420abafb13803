// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A range of physical addresses in bytes that does not wrap.
public struct AddressRange: Hashable, Sendable {
  /// The first address.
  public let base: PhysicalAddress
  /// The size in bytes; never zero.
  public let size: UInt64

  /// Makes a range; nil where `size` is zero or the range would pass the end of the 64-bit space.
  @inlinable
  public init?(base: PhysicalAddress, size: UInt64) {
    guard size > 0, base.rawValue <= UInt64.max - (size - 1) else { return nil }
    self.base = base
    self.size = size
  }

  /// The last address, which is inside the range.
  @inlinable
  public var last: PhysicalAddress { PhysicalAddress(base.rawValue + (size - 1)) }

  /// Whether the two ranges share an address.
  @inlinable
  public func overlaps(_ other: AddressRange) -> Bool { base <= other.last && other.base <= last }

  /// Whether `address` lies in the range.
  @inlinable
  public func contains(_ address: PhysicalAddress) -> Bool { base <= address && address <= last }

  /// Whether the whole of `other` lies in the range.
  @inlinable
  public func contains(_ other: AddressRange) -> Bool { base <= other.base && other.last <= last }

  /// What is left of the range without `hole`: the part below it and the part above it.
  public func split(by hole: AddressRange) -> (below: AddressRange?, above: AddressRange?) {
    guard overlaps(hole) else { return (self, nil) }
    var below: AddressRange?
    var above: AddressRange?
    if base < hole.base {
      below = AddressRange(base: base, size: hole.base.rawValue - base.rawValue)
    }
    if hole.last < last {
      above = AddressRange(
        base: PhysicalAddress(hole.last.rawValue + 1), size: last.rawValue - hole.last.rawValue)
    }
    return (below, above)
  }

  /// What is left of the range without two holes at most, from the lowest address on.
  public func pieces(
    without holes: borrowing FixedList<2, AddressRange>
  ) -> FixedList<3, AddressRange> {
    var pieces = FixedList<3, AddressRange>(filler: self)
    _ = pieces.append(self)
    for hole in holes.indices {
      let whole = pieces
      pieces = FixedList(filler: self)
      for index in whole.indices {
        let (below, above) = whole[index].split(by: holes[hole])
        // Each hole makes at most one piece more.
        if let below { _ = pieces.append(below) }
        if let above { _ = pieces.append(above) }
      }
    }
    return pieces
  }
}
