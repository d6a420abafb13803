// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GITS_CTLR: the control register of an ITS (IHI 0069, 12.19.5).
public struct GITSControl: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// Enabled, bit [0].
  public var isEnabled: Bool { rawValue & 1 != 0 }
  /// Quiescent, bit [31], read only: no operation is under way and all caches are written back.
  public var isQuiescent: Bool { rawValue & 1 << 31 != 0 }
}
