// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// Where the values of one node's properties are, by name.
struct DMAProperties {
  private var values = InlineArray<22, BlobBytes?>(repeating: nil)

  /// Looks up the properties of `node`, in one pass; the first of a name wins, as with libfdt.
  init(of node: BoardNode, in blob: DeviceTreeBlob) {
    var current = blob.property(of: node, after: nil)
    while let property = current {
      for index in DMAPropertyName.inTrees {
        guard let known = DMAPropertyName(rawValue: index) else { break }
        if blob.equal(property.name, known.text) {
          if values[Int(index)] == nil { values[Int(index)] = property.value }
          break
        }
      }
      current = blob.property(of: node, after: property.place)
    }
  }

  subscript(name: DMAPropertyName) -> BlobBytes? { values[Int(name.rawValue)] }
}
