// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import Boards
public import ITS

/// Why the DeviceIDs of a board can't be listed.
public enum ListedDevicesError: Error, Hashable, Sendable {
  /// There is more DMA in the tree than a topology holds.
  case incompleteTopology
  /// The tree names the ITS for this node, and no DeviceID.
  case unknown(BoardNode)
  /// There are more ranges than a list holds; the node of the first that did not fit.
  case tooMany(BoardNode)
}

extension PermittedDevices {
  /// The DeviceIDs that devices and IOMMUs have at the ITS of node `its`, as the tree says.
  public init(
    listedFor its: BoardNode, in topology: borrowing DMATopology
  ) throws(ListedDevicesError) {
    guard topology.isComplete else { throw .incompleteTopology }
    self = .none
    for index in topology.doorbells.indices {
      let path = topology.doorbells[index]
      guard topology.msiControllers[path.its].node == its else { continue }
      let node = topology.masters[path.master].node
      guard let ids = path.deviceIDs else { throw .unknown(node) }
      guard add(ids.first...ids.last) else { throw .tooMany(node) }
    }
    for index in topology.iommuDoorbells.indices {
      let path = topology.iommuDoorbells[index]
      guard topology.msiControllers[path.its].node == its else { continue }
      let node = topology.iommus[path.iommu].node
      guard let id = path.deviceID else { throw .unknown(node) }
      guard add(id...id) else { throw .tooMany(node) }
    }
  }
}
