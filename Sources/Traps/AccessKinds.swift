// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The kinds of accesses that a region permits.
public struct AccessKinds: OptionSet, Sendable {
  /// One bit a kind.
  public let rawValue: UInt8
  /// Makes a set from its bits.
  public init(rawValue: UInt8) { self.rawValue = rawValue }

  /// Loads.
  public static var read: AccessKinds { AccessKinds(rawValue: 1 << 0) }
  /// Stores.
  public static var write: AccessKinds { AccessKinds(rawValue: 1 << 1) }
  /// Loads and stores.
  public static var readWrite: AccessKinds { AccessKinds(rawValue: 3) }
}
