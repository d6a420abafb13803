// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import DeviceTree

/// Where the nodes of a tree are, after one walk over it.
///
/// A blob finds each path by a walk of its own, and a report has one for each master and more.
struct NodePaths {
  /// The nodes, in the order of the tree.
  private var nodes: [BoardNode] = []
  /// The place of the node above each; the root's is its own.
  private var parents: [Int] = []

  /// Walks over `blob`.
  init(_ blob: borrowing DeviceTreeBlob) {
    var above: [Int] = []
    var current: (node: BoardNode, depth: Int)?
    while let next = blob.node(after: current) {
      above.removeLast(max(above.count - next.depth, 0))
      parents.append(above.last ?? 0)
      above.append(nodes.count)
      nodes.append(next.node)
      current = next
    }
  }

  /// The path of `node` of the blob that was walked over; `/` for the root.
  func path(of node: BoardNode, in blob: borrowing DeviceTreeBlob) -> String {
    var place = nodes.startIndex
    var end = nodes.endIndex
    while end - place > 1 {
      let middle = place + (end - place) / 2
      if nodes[middle].offset <= node.offset { place = middle } else { end = middle }
    }
    var levels: [BoardNode] = []
    while place > 0 {
      levels.append(nodes[place])
      place = parents[place]
    }
    guard !levels.isEmpty else { return "/" }
    var sink = ByteSink()
    for node in levels.reversed() {
      sink.append("/")
      blob.writeName(of: node, into: &sink)
    }
    return sink.text
  }
}
