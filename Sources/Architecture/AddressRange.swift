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

  /// Hands what is left of the range without some holes to `body`, from the lowest address on.
  public func forEachPiece<Failure: Error>(
    without holes: Span<AddressRange>, _ body: (AddressRange) throws(Failure) -> Void
  ) throws(Failure) {
    var rest: AddressRange? = self
    while let range = rest {
      var first: AddressRange?
      for index in holes.indices where holes[index].overlaps(range) {
        if first.map({ holes[index].base < $0.base }) ?? true { first = holes[index] }
      }
      guard let first else { return try body(range) }
      let (below, above) = range.split(by: first)
      if let below { try body(below) }
      rest = above
    }
  }
}
