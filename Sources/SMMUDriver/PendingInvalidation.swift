// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

/// What was taken from the table since all SMMUs have confirmed the last time.
struct PendingInvalidation: Sendable {
  /// A range of more pages is everything: one command says it.
  private static var largestRange: UInt64 { 1 << 30 }

  // None yet: a list needs a range to be made.
  private var ranges: FixedList<8, PageRange>?
  private var isEverything = false

  /// Nothing was taken.
  var isEmpty: Bool { !isEverything && ranges == nil }

  /// Remembers pages.
  mutating func add(_ pages: PageRange) {
    guard !isEverything else { return }
    guard pages.count <= Self.largestRange else {
      isEverything = true
      return
    }
    var ranges = ranges ?? FixedList(filler: pages)
    defer { self.ranges = ranges }
    if !ranges.isEmpty {
      let last = ranges[ranges.count - 1]
      if last.contains(pages.first) && last.contains(pages.last) { return }
      if last.last.rawValue + 1 == pages.first.rawValue,
        let joined = PageRange(first: last.first, count: last.count + pages.count),
        joined.count <= Self.largestRange
      {
        ranges[ranges.count - 1] = joined
        return
      }
    }
    if !ranges.append(pages) { isEverything = true }
  }

  /// Forgets everything: it is confirmed.
  mutating func clear() { self = PendingInvalidation() }

  /// Has `issue` get the commands for all that was taken: `limit` of them at most, or the one for everything.
  ///
  /// What was taken was entries of the last level: tables are never freed, and so what SMMUs have cached of
  /// the levels above stays true.
  ///
  /// CMD_TLBI_S2_IPA does not reach what is combined with a stage 1 of the host (IHI 0070, 4.4.3.2).
  func commands(
    _ vmid: VMID, byRange: Bool, limit: UInt64, _ issue: (SMMUCommand) -> Void
  ) {
    guard let ranges, !isEverything else { return issue(.invalidateBothStages(vmid)) }
    var count: UInt64 = 0
    for index in ranges.indices {
      // Page by page, there are as many as pages.
      guard byRange || ranges[index].count <= limit else {
        return issue(.invalidateBothStages(vmid))
      }
      Self.commands(ranges[index], vmid, byRange) { _ in count &+= 1 }
    }
    guard count <= limit else { return issue(.invalidateBothStages(vmid)) }
    for index in ranges.indices { Self.commands(ranges[index], vmid, byRange, issue) }
  }

  private static func commands(
    _ pages: PageRange, _ vmid: VMID, _ byRange: Bool, _ issue: (SMMUCommand) -> Void
  ) {
    var address = pages.first.address.rawValue
    var left = pages.count
    while left > 0 {
      // The lowest five bits that are set: as many pages as NUM and SCALE can say.
      let scale = byRange ? UInt64(left.trailingZeroBitCount) : 0
      let digit = byRange ? left >> scale & 31 : 1
      let piece = digit << scale
      if piece == 1 {
        // A range of NUM 0 and SCALE 0 is reserved.
        issue(.invalidateStage2(vmid, address: address, leaf: true))
      } else {
        issue(
          .invalidateStage2(vmid, address: address, count: digit - 1, scale: scale, leaf: true))
      }
      address += piece << PageFrameNumber.shift
      left -= piece
    }
  }
}
