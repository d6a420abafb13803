// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What a GITS_BASER<n> of the hardware makes of what is written to it.
public struct TracedTable: Hashable, Sendable {
  /// The number of the register.
  public var index: UInt8
  /// The fields that never change, and Indirect where it can be set.
  public var fixed: UInt64
  /// What each value of the other fields becomes, packed as the mediation keeps it.
  public var fields: UInt64

  /// Describes a register.
  public init(index: UInt8, fixed: UInt64, fields: UInt64) {
    self.index = index
    self.fixed = fixed
    self.fields = fields
  }
}
