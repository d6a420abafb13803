// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A doubleword of the host's memory, outside of its queue, by which EL2 has decided.
public struct TracedLook: Hashable, Sendable {
  /// Its address.
  public var address: UInt64
  /// What it held.
  public var value: UInt64

  /// Describes a doubleword.
  public init(address: UInt64, value: UInt64) {
    self.address = address
    self.value = value
  }
}
