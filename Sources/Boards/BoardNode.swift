// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A place in what describes a board: an offset there, of which the description knows the unit.
///
/// In a device tree it is a node, in bytes from the start of the structure block.
public struct BoardNode: Hashable, Sendable {
  /// The offset.
  public let offset: Int32

  /// Makes a place of an offset that its description gave.
  package init(offset: Int32) { self.offset = offset }

  /// The place that stands for the whole description: the root node of a tree.
  public static let root = BoardNode(offset: 0)
}

/// Bytes of what describes a board, such as a property's value or a node's name, by their position.
public struct BlobBytes: Hashable, Sendable {
  /// Where they begin, in bytes from the start of the description.
  public let offset: Int
  /// How many they are.
  public let count: Int

  /// Makes a position.
  package init(offset: Int, count: Int) {
    self.offset = offset
    self.count = count
  }
}
