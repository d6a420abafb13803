// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import Ownership

/// Memory outside the image that EL2 maps for a while at boot.
enum MappedMemory {
  /// Maps all pages that `range` touches.
  static func map(
    _ range: AddressRange, _ attributes: EL2Attributes, _ stage1: inout ImageMap.Stage1,
    _ pool: inout ImageMap.Pool
  ) throws(StartupError) {
    guard let pages = PageRange(covering: range) else { throw .memory }
    do throws(OwnershipError) {
      try stage1.map(
        pages, at: VirtualLayout.linear(pages.first.address), attributes, pool: &pool)
    } catch {
      throw .memory
    }
  }

  /// Unmaps what `map` has mapped.
  static func unmap(
    _ range: AddressRange, _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) {
    guard let pages = PageRange(covering: range) else { return }
    stage1.unmap(pages, at: VirtualLayout.linear(pages.first.address), &pool)
  }

  /// Makes stores to mapped memory visible to a host whose MMU and caches are off.
  static func publish(_ range: AddressRange) {
    let line = pc_data_cache_line()
    let first = VirtualLayout.linear(range.base).rawValue & ~(line &- 1)
    for address in stride(
      from: first, to: VirtualLayout.linear(range.base).rawValue &+ range.size, by: Int(line))
    {
      pc_clean_line(address)
    }
    pc_dsb_sy()
    pc_invalidate_instructions()
  }
}
