// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware

/// TLB maintenance for the host's VMID, which is the only one there is, and for EL2.
struct MetalTranslationCache: TranslationCache {
  /// Above this many frames one invalidation of everything is cheaper than one for each, which does not spare the
  /// host's combined entries either.
  private static let singleFrames: UInt64 = 8

  func invalidateStage2(_ pages: PageRange) {
    guard pages.count <= Self.singleFrames else { return invalidateStage2All() }
    twice {
      for frame in pages.first.rawValue..<(pages.first.rawValue + pages.count) {
        pc_tlbi_ipas2e1is(frame)
      }
      pc_dsb_ish()
      // Entries that combine both stages are tagged with the VA and not found by IPA.
      pc_tlbi_vmalle1is()
    }
  }

  func invalidateStage2All() {
    twice { pc_tlbi_vmalls12e1is() }
  }

  func invalidateEL2(_ address: VirtualAddress, count: UInt64) {
    let first = address.rawValue >> PageFrameNumber.shift
    twice {
      for page in first..<(first + count) { pc_tlbi_vae2is(page) }
    }
  }

  /// Performs an invalidation with the barriers round it, and once more: on cores with
  /// CVE-2025-10263 the first DSB may complete before stores through the old translation are seen.
  @inline(always)
  private func twice(_ invalidate: () -> Void) {
    pc_dsb_ishst()
    invalidate()
    pc_dsb_ish()
    invalidate()
    pc_dsb_ish()
    pc_isb()
  }
}
