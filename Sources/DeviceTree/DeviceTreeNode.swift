// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A node of a device tree: its offset in the structure block of one blob.
public struct DeviceTreeNode: Hashable, Sendable {
  /// The offset, in bytes from the start of the structure block.
  public let offset: Int32

  /// Makes a node of an offset that libfdt gave.
  init(offset: Int32) { self.offset = offset }

  /// The root node.
  public static let root = DeviceTreeNode(offset: 0)
}

/// Bytes of a blob, a property's value or a node's name, by their position.
public struct BlobBytes: Hashable, Sendable {
  /// Where they begin, in bytes from the start of the blob.
  public let offset: Int
  /// How many they are.
  public let count: Int
}
