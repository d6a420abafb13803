// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The number by which a device's transactions arrive at an SMMU (IHI 0070, 3.2).
///
/// It is not the DeviceID that an ITS sees, although boards often give both the same value.
public struct StreamID: Comparable, Hashable, Sendable {
  /// The number; an implementation has 0 to 32 bits of it.
  public let rawValue: UInt32
  /// Makes a StreamID from its number.
  @inlinable
  public init(_ rawValue: UInt32) { self.rawValue = rawValue }
  /// Orders streams by their number.
  @inlinable
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// One of the address spaces of a stream: PCI's PASID, 20 bits (IHI 0070, 3.2).
public struct SubstreamID: Hashable, Sendable {
  /// The number, without the bits above [19:0].
  public let rawValue: UInt32
  /// Makes a SubstreamID from the low 20 bits of a number.
  @inlinable
  public init(_ rawValue: UInt32) { self.rawValue = rawValue & 0xf_ffff }
}
