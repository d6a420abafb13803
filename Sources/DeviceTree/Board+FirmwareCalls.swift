// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

extension Board {
  /// The calls that the tree names, and which of them may be relayed; those behind the fourth are not.
  ///
  /// With `keepsPower` none may.
  public func firmwareCalls(in blob: DeviceTreeBlob, keepsPower: Bool) -> FirmwareCalls {
    var calls = Self.noFirmwareCalls
    var current = blob.node(after: nil)
    while let place = current, !calls.isFull {
      if blob.list(blob.property("compatible", of: place.node), contains: "arm,scmi-smc"),
        isEnabled(place.node, blob)
      {
        let number = word("arm,smc-id", of: place.node, blob) ?? 0
        var refusal = refusal(number, place, blob)
        if refusal == nil, keepsPower { refusal = .power }
        _ = calls.append(FirmwareCall(node: place.node, number: number, refusal: refusal))
      }
      current = blob.node(after: place)
    }
    return calls
  }

  private func isEnabled(_ node: BoardNode, _ blob: DeviceTreeBlob) -> Bool {
    guard let value = blob.property("status", of: node) else { return true }
    let status = blob.string(value)
    return blob.equal(status, "okay") || blob.equal(status, "ok")
  }

  private func word(
    _ name: StaticString, of node: BoardNode, _ blob: DeviceTreeBlob
  ) -> UInt32? {
    guard let value = blob.property(name, of: node), value.count == 4 else { return nil }
    return blob.word(value)
  }

  private func refusal(
    _ number: UInt32, _ place: (node: BoardNode, depth: Int), _ blob: DeviceTreeBlob
  ) -> FirmwareCall.Refusal? {
    // A fast call has bit 31 set; bits [29:24] are the owner, and [23:16] zero.
    let owner = number >> 24 & 0x3f
    guard number >> 31 == 1, owner == 2 || owner == 3, number >> 16 & 0xff == 0 else {
      return .number
    }
    var below = blob.node(after: place)
    while let child = below, child.depth > place.depth {
      if blob.property("shmem", of: child.node) != nil { return .unknownMemory }
      below = blob.node(after: child)
    }
    guard let phandle = word("shmem", of: place.node, blob),
      let shared = registers(of: phandle, blob), let pages = wholePages(shared)
    else { return .unknownMemory }
    for index in memory.indices where memory[index].overlaps(pages) { return .hostMemory }
    return overlapsProtected(pages) ? .protectedRegisters : nil
  }

  /// The only registers of the node with this phandle.
  private func registers(of phandle: UInt32, _ blob: DeviceTreeBlob) -> AddressRange? {
    var walk = RegisterWalk()
    var found: AddressRange?
    while let entry = walk.next(in: blob) {
      guard word("phandle", of: entry.node, blob) == phandle else { continue }
      guard found == nil, let range = entry.range else { return nil }
      found = range
    }
    return found
  }

  private func wholePages(_ range: AddressRange) -> AddressRange? {
    let first = range.base.rawValue & ~(granule.bytes - 1)
    let last = range.last.rawValue | (granule.bytes - 1)
    return AddressRange(base: PhysicalAddress(first), size: last - first + 1)
  }

  private func overlapsProtected(_ range: AddressRange) -> Bool {
    for index in itses.indices where itses[index].region.overlaps(range) { return true }
    for index in redistributors.indices where redistributors[index].range.overlaps(range) {
      return true
    }
    for index in iommus.indices where iommus[index].range.overlaps(range) { return true }
    for index in monitors.indices where monitors[index].range.overlaps(range) { return true }
    for index in companions.indices where companions[index].range.overlaps(range) { return true }
    for index in unused.indices where unused[index].range.overlaps(range) { return true }
    return false
  }
}
