// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Pages of the host that EL2 was to share and to pin.
public struct TracedPin: Hashable, Sendable {
  /// The first address.
  public var base: UInt64
  /// How many pages.
  public var pages: UInt64
  /// Whether they are the host's memory, and are pinned now.
  public var isGranted: Bool

  /// Describes pages.
  public init(base: UInt64, pages: UInt64, isGranted: Bool) {
    self.base = base
    self.pages = pages
    self.isGranted = isGranted
  }
}
