// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Boards
internal import Hypervisor
internal import Ownership

/// What a benchmark wants to know and only the image can tell (`portcullis.bench`).
enum Figures {
  private static var monitor: MetalMonitor { MetalMonitor(MetalPlatform()) }

  /// Logs all; `spare` is memory that nobody uses, 2 MiB of it.
  static func log(_ spare: PageRange?) {
    logTablePages()
    logDonations(spare)
  }

  /// Logs how many table pages the host's stage 2 takes on boards of several sizes: RAM from 1 GiB on,
  /// this image in it, an ITS below it, and neither of the two mapped.
  private static func logTablePages() {
    let size = el2_image_end_here() - el2_image_start_here()
    guard
      let image = AddressRange(base: PhysicalAddress(1 << 30 + 1 << 21), size: size),
      let control = AddressRange(base: PhysicalAddress(0x808_0000), size: 0x1_0000),
      let imagePages = PageRange(covering: image), let controlPages = PageRange(covering: control)
    else { return }
    var unmapped = FixedList<2, PageRange>(filler: imagePages)
    _ = unmapped.append(imagePages)
    _ = unmapped.append(controlPages)
    logTablePages("bench: table-pages-1g ", memory: 1 << 30, bits: 40, unmapped.span)
    logTablePages("bench: table-pages-64g ", memory: 64 << 30, bits: 40, unmapped.span)
    logTablePages("bench: table-pages-1t ", memory: 1 << 40, bits: 42, unmapped.span)
  }

  /// Logs what it takes to claim a page, and 512 pages of a block, and to give them back.
  ///
  /// It is read in nanoseconds: on a board whose clock counts instructions that is how many there are. Beside it
  /// stands what the SMMUs were asked for. Blocks are split before, and each is done so often that the clock's step is of no account.
  private static func logDonations(_ spare: PageRange?) {
    guard let spare, spare.count == 512, let page = PageRange(first: spare.first, count: 1) else {
      return MetalPlatform().log(.error, LogLine("bench: no memory to spare"))
    }
    do throws(OwnershipError) {
      try logDonation(spare)
      try logDonation(page)
    } catch {
      MetalPlatform().log(.error, LogLine("bench: no donation"))
    }
  }

  private static func logDonation(
    _ pages: PageRange
  ) throws(OwnershipError) {
    _ = try measure(pages, rounds: 1)
    let figures = try measure(pages, rounds: rounds)
    logFigure("donate-", pages.count, "-el2-instructions ", figures.donation)
    logFigure("give-back-", pages.count, "-el2-instructions ", figures.giveBack)
    logFigure("donate-", pages.count, "-invalidations ", figures.invalidations)
    logFigure("donate-", pages.count, "-syncs ", figures.syncs)
  }

  private static var rounds: UInt64 { 64 }

  /// What one round takes.
  private struct DonationFigures {
    var donation: UInt64 = 0
    var giveBack: UInt64 = 0
    var invalidations: UInt64 = 0
    var syncs: UInt64 = 0
  }

  private static func measure(
    _ pages: PageRange, rounds: UInt64
  ) throws(OwnershipError) -> DonationFigures {
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    var figures = DonationFigures()
    let invalidations = count(.invalidations)
    let syncs = count(.syncs)
    for _ in 0..<rounds {
      let start = pc_read_cntpct_el0()
      var claim: Claim<1>? = try monitor.state.shared.ownership.donate(
        list, expecting: .memory)
      let middle = pc_read_cntpct_el0()
      try monitor.state.shared.ownership.giveBack(&claim)
      figures.donation &+= middle &- start
      figures.giveBack &+= pc_read_cntpct_el0() &- middle
    }
    let tick = 1_000_000_000 / pc_read_cntfrq_el0()
    figures.donation = figures.donation &* tick / rounds
    figures.giveBack = figures.giveBack &* tick / rounds
    figures.invalidations = (count(.invalidations) &- invalidations) / rounds
    figures.syncs = (count(.syncs) &- syncs) / rounds
    return figures
  }

  private static func count(_ statistic: Statistic) -> UInt64 {
    monitor.dmaCount(StatisticNumber(statistic))
  }

  private static func logFigure(
    _ before: StaticString, _ count: UInt64, _ behind: StaticString, _ value: UInt64,

  ) {
    var line = LogLine("bench: ")
    line.append(before)
    line.append(decimal: count)
    line.append(behind)
    line.append(decimal: value)
    MetalPlatform().log(.error, line)
  }

  private static func logTablePages(
    _ name: StaticString, memory: UInt64, bits: UInt64, _ unmapped: Span<PageRange>,

  ) {
    var map = MemoryMap()
    do throws(OwnershipError) {
      guard let geometry = TranslationGeometry(bits: bits),
        let range = AddressRange(base: PhysicalAddress(1 << 30), size: memory),
        let pages = PageRange(covering: range)
      else { return }
      try map.add(pages)
      let plan = try Stage2Plan(geometry, memoryMap: map, excluded: unmapped)
      var line = LogLine(name)
      line.append(decimal: plan.tables)
      MetalPlatform().log(.error, line)
    } catch {
      MetalPlatform().log(.error, LogLine("bench: no plan"))
    }
  }
}
