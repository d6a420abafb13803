// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Ownership

/// What devices may do to pages, and what stands behind them.
public struct DMAAccess: Hashable, Sendable {
  /// Whether devices may read.
  public let isReadable: Bool
  /// Whether devices may write.
  public let isWritable: Bool
  /// What stands behind the pages.
  public let kind: PageKind

  /// Makes it from its parts.
  public init(isReadable: Bool, isWritable: Bool, kind: PageKind) {
    self.isReadable = isReadable
    self.isWritable = isWritable
    self.kind = kind
  }

  /// Reads and writes.
  public static func full(_ kind: PageKind) -> Self {
    Self(isReadable: true, isWritable: true, kind: kind)
  }
  /// Writes alone: a doorbell.
  public static var doorbell: Self { Self(isReadable: false, isWritable: true, kind: .mmio) }

  /// Whether devices may do anything at all.
  public var isAny: Bool { isReadable || isWritable }
}
