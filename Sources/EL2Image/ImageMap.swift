// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Hypervisor
internal import Ownership

/// The image's own translation, built before the MMU is on.
///
/// Everything here runs at the load address: it may use no address that the linker wrote into data.
enum ImageMap {
  typealias Pool = EarlyState<MetalPlatform>.Pool
  typealias Stage1 = EarlyState<MetalPlatform>.Stage1

  /// The pages between two places of the image, as the MMU-off code sees them.
  private static func pages(_ start: UInt64, _ end: UInt64) -> PageRange? {
    guard start < end else { return nil }
    return PageRange(
      first: PageFrameNumber(containing: PhysicalAddress(start)),
      count: (end - start) >> PageFrameNumber.shift)
  }

  /// The pages of the pool.
  static func poolPages() -> PageRange? {
    pages(el2_pool_here(), el2_pool_here() + el2_pool_pages * PageFrameNumber.size)
  }

  /// Maps the parts of the image, each with the least rights, and the page that turns the MMU on.
  static func map(into stage1: inout Stage1, pool: inout Pool) -> Bool {
    let load = el2_image_start_here()
    let link = el2_image_start_link()
    guard load < VirtualLayout.identityLimit, load & (PageFrameNumber.size - 1) == 0 else {
      return false
    }

    func map(
      _ start: UInt64, _ end: UInt64, _ attributes: EL2Attributes, at place: UInt64? = nil,
      stage1: inout Stage1, pool: inout Pool
    ) -> Bool {
      // Between two parts that are aligned there may be nothing.
      if start == end { return true }
      guard let pages = pages(start, end) else { return false }
      do throws(OwnershipError) {
        try stage1.map(
          pages, at: VirtualAddress(place ?? start - load + link), attributes, pool: &pool)
        return true
      } catch {
        return false
      }
    }

    // The canary, which EL2 writes, lies between the entry and the code.
    let canaryEnd = el2_canary_here() + el2_canary_size
    guard
      map(load, el2_canary_here(), .code, stage1: &stage1, pool: &pool),
      map(el2_canary_here(), canaryEnd, .data, stage1: &stage1, pool: &pool),
      map(canaryEnd, el2_text_end_here(), .code, stage1: &stage1, pool: &pool),
      map(el2_text_end_here(), el2_rodata_end_here(), .readOnlyData, stage1: &stage1, pool: &pool),
      map(el2_rodata_end_here(), el2_data_end_here(), .data, stage1: &stage1, pool: &pool),
      map(
        el2_boot_stack_here(), el2_boot_stack_here() + el2_boot_stack_size, .data,
        at: el2_boot_stack_place, stage1: &stage1, pool: &pool),
      // Once more by physical address, as all other memory that devices read.
      map(
        el2_rodata_end_here(), el2_data_end_here(), .data,
        at: VirtualLayout.linear(PhysicalAddress(el2_rodata_end_here())).rawValue,
        stage1: &stage1, pool: &pool)
    else { return false }

    let identity = PageFrameNumber(containing: PhysicalAddress(el2_idmap_here()))
    guard let page = PageRange(first: identity, count: 1) else { return false }
    do throws(OwnershipError) {
      try stage1.map(
        page, at: VirtualAddress(identity.address.rawValue), .code, pool: &pool)
    } catch {
      return false
    }
    return true
  }
}
