// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership

// Memory outside the image that EL2 maps for a while at boot.
extension EarlyState {
  /// Maps all pages that `range` touches.
  mutating func map(
    _ range: AddressRange, _ attributes: EL2Attributes
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
  mutating func unmap(_ range: AddressRange) {
    guard let pages = PageRange(covering: range) else { return }
    stage1.unmap(pages, at: VirtualLayout.linear(pages.first.address), &pool)
  }
}
