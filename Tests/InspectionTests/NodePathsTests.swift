// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import DeviceTree
import Foundation
import Testing

@testable import Inspection

@Suite("Paths of nodes")
struct NodePathsTests {
  @Test(
    "F-52: after one walk each node has the path that the blob finds by one of its own",
    arguments: Sample.all)
  func same(sample: Sample) throws {
    let bytes = [UInt8](try Data(contentsOf: sample.blob))
    let blob = try DeviceTreeBlob(checking: bytes.span)
    let paths = NodePaths(blob)
    var current: (node: BoardNode, depth: Int)?
    var count = 0
    while let next = blob.node(after: current) {
      var sink = ByteSink()
      blob.writePath(of: next.node, into: &sink)
      #expect(paths.path(of: next.node, in: blob) == sink.text)
      current = next
      count += 1
    }
    #expect(count > 3)
  }
}
