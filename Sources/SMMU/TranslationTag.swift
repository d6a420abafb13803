// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What TLB entries of one stage 2 carry: a VMID, 8 bits or with IDR0.VMID16 16 (IHI 0070, 3.17).
public struct VMID: Hashable, Sendable {
  /// The number.
  public let rawValue: UInt16
  /// Makes a VMID from its number.
  @inlinable
  public init(_ rawValue: UInt16) { self.rawValue = rawValue }
}

/// What TLB entries of one stage 1 carry: an ASID, 8 bits or with IDR0.ASID16 16 (IHI 0070, 3.17).
public struct ASID: Hashable, Sendable {
  /// The number.
  public let rawValue: UInt16
  /// Makes an ASID from its number.
  @inlinable
  public init(_ rawValue: UInt16) { self.rawValue = rawValue }
}
