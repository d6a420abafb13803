// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A 64-bit address of one address space.
///
/// Each address space has a type of its own, so that an address of one can't be used in another
/// without a translation that is visible in the source.
public protocol Address: Comparable, Hashable, Sendable {
  /// The address in bytes.
  var rawValue: UInt64 { get }
  /// Makes an address from its value in bytes.
  init(_ rawValue: UInt64)
}

extension Address {
  /// Orders addresses by their value.
  @inlinable
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }

  /// The address `bytes` above, or nil where that leaves the 64-bit space.
  @inlinable
  public func advanced(by bytes: UInt64) -> Self? {
    let (sum, overflow) = rawValue.addingReportingOverflow(bytes)
    return overflow ? nil : Self(sum)
  }

  /// Whether the address is a multiple of `alignment`, a power of two.
  @inlinable
  public func isAligned(to alignment: UInt64) -> Bool { rawValue & (alignment &- 1) == 0 }
}

/// A physical address (PA): what the bus and every DMA-capable device see.
public struct PhysicalAddress: Address {
  /// The address in bytes.
  public let rawValue: UInt64
  /// Makes an address from its value in bytes.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}

extension PhysicalAddress {
  /// Whether as many pages from here on end at `limit` or before.
  public func isBelow(_ limit: UInt64, with pages: PageRange) -> Bool {
    advanced(by: pages.count << PageFrameNumber.shift).map { $0.rawValue <= limit } ?? false
  }
}

/// An intermediate physical address (IPA): what the host takes for physical.
///
/// The image's stage 2 is an identity map, so that an IPA which the host may reach has the value of its PA. An embedder's
/// may be another: `HostMemory` translates. One is a claim of the host, the other a fact.
public struct IntermediatePhysicalAddress: Address {
  /// The address in bytes.
  public let rawValue: UInt64
  /// Makes an address from its value in bytes.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }

  /// The physical address that the identity map gives this IPA.
  @inlinable
  public var identityMapped: PhysicalAddress { PhysicalAddress(rawValue) }
}

/// A virtual address (VA) of the EL2 translation regime.
public struct VirtualAddress: Address {
  /// The address in bytes.
  public let rawValue: UInt64
  /// Makes an address from its value in bytes.
  @inlinable
  public init(_ rawValue: UInt64) { self.rawValue = rawValue }
}
