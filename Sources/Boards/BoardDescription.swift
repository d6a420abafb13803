// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What describes a board: it can write where a place of it is, and lends bytes of it.
public protocol BoardDescription: ~Escapable {
  /// What it is, as a line of a log begins.
  static var title: StaticString { get }

  /// Writes where `node` is, such as a path.
  func writePath(of node: BoardNode, into sink: inout some TextSink & ~Copyable)

  /// The bytes of `value`; none where it would end beyond the description.
  @_lifetime(copy self)
  func span(_ value: BlobBytes) -> Span<UInt8>
}
