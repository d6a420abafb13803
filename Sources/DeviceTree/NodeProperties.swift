// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// Where the values of one node's properties are, by name.
struct NodeProperties {
  private var values = InlineArray<23, BlobBytes?>(repeating: nil)

  /// Keeps a value; the first of a name wins, as with libfdt.
  mutating func set(_ name: PropertyName, _ value: BlobBytes) {
    let index = Int(name.rawValue)
    if values[index] == nil { values[index] = value }
  }

  subscript(name: PropertyName) -> BlobBytes? { values[Int(name.rawValue)] }
}
