// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

// Whoever uses memory of the host holds it: the pages are shared, and pinned so that they stay it. What two
// hold may overlap in any way. So each page is decided by itself: it is shared with its first pin, and with
// its last one it is the host's alone again.

extension Ownership
where
  Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable, Observer: ~Copyable
{
  /// Shares pages of memory that are not shared yet, and pins all of them.
  ///
  /// - Throws: `wrongState` for a page that is neither the host's alone nor shared, `tooManyPins`, or any
  ///   other `OwnershipError`; nothing has changed then.
  public mutating func shareAndPin<let capacity: Int>(
    _ ranges: FixedList<capacity, PageRange>
  ) throws(OwnershipError) -> Pin<capacity> {
    guard !ranges.isEmpty else { throw .empty }
    let mapped = try linear(ranges)
    try hold(ranges.span)
    return Pin(mapped)
  }

  /// Ends what ``shareAndPin(_:)`` began; false where another pin holds a page, which stays shared.
  @discardableResult
  public mutating func unpinAndUnshare<let capacity: Int>(_ pin: consuming Pin<capacity>) -> Bool {
    let ranges = pages(of: pin.mapped)
    pin.isOpen = false
    return letGo(ranges.span)
  }

  /// Where EL2 sees ranges of memory.
  func linear<let capacity: Int>(
    _ ranges: FixedList<capacity, PageRange>
  ) throws(OwnershipError) -> FixedList<capacity, MappedPages> {
    var mapped = FixedList<capacity, MappedPages>(
      filler: MappedPages(pages: ranges[0], address: VirtualAddress(0)))
    for index in ranges.indices {
      guard let address = hypervisor.linearAddress(of: ranges[index]) else {
        throw .refusedByHypervisor(ranges[index].first)
      }
      _ = mapped.append(MappedPages(pages: ranges[index], address: address))
    }
    return mapped
  }

  /// Shares what of `ranges` is not shared yet, and adds a pin to every page.
  mutating func hold(_ ranges: Span<PageRange>) throws(OwnershipError) {
    try checkRequest(ranges, .memory)
    for index in ranges.indices {
      let other = ledger.first(in: ranges[index], of: pool) {
        ($0.state != .owned && $0.state != .sharedOwned) || $0.pins == UInt32.max
      }
      guard let other else { continue }
      throw other.record.pins == UInt32.max
        ? .tooManyPins(other.frame) : .wrongState(other.frame, other.record.state)
    }
    for index in ranges.indices {
      var next = ranges[index].first
      while let run = run(from: next, in: ranges[index], { $0.state }) {
        var list = FixedList<1, PageRange>(filler: run)
        _ = list.append(run)
        do throws(OwnershipError) {
          let isShared = ledger.record(of: next, in: pool).state == .sharedOwned
          if !isShared { try share(list.span) }
        } catch {
          for earlier in 0..<index { letGo(ranges[earlier]) }
          if let held = ranges[index].before(next) { letGo(held) }
          throw error
        }
        countPins(list.span, by: 1)
        next = PageFrameNumber(run.last.rawValue + 1)
      }
    }
  }

  /// Takes a pin from every page, and ends the sharing of those that have none left; whether all of them
  /// are the host's alone now.
  @discardableResult
  mutating func letGo(_ ranges: Span<PageRange>) -> Bool {
    var areAlone = true
    for index in ranges.indices where !letGo(ranges[index]) { areAlone = false }
    return areAlone
  }

  @discardableResult
  private mutating func letGo(_ pages: PageRange) -> Bool {
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    countPins(list.span, by: -1)
    var areAlone = true
    var next = pages.first
    while let run = run(from: next, in: pages, { $0.pins == 0 }) {
      _ = list.removeLast()
      _ = list.append(run)
      do throws(OwnershipError) {
        try unshare(list.span)
      } catch {
        // Another pin holds them.
        areAlone = false
      }
      next = PageFrameNumber(run.last.rawValue + 1)
    }
    return areAlone
  }

  /// The pages from `first` on, within `pages`, of which the ledger says the same in `aspect`; nil at the end.
  private func run<Aspect: Equatable>(
    from first: PageFrameNumber, in pages: PageRange, _ aspect: (PageRecord) -> Aspect
  ) -> PageRange? {
    guard first <= pages.last else { return nil }
    let common = aspect(ledger.record(of: first, in: pool))
    guard let rest = PageRange(first: first, count: pages.last.rawValue - first.rawValue + 1)
    else { return nil }
    let other = ledger.first(in: rest, of: pool) { aspect($0) != common }
    guard let other else { return rest }
    return PageRange(first: first, count: other.frame.rawValue - first.rawValue)
  }
}

extension PageRange {
  /// The pages in front of `frame`, which is one of them or the next; nil for none.
  fileprivate func before(_ frame: PageFrameNumber) -> PageRange? {
    PageRange(first: first, count: frame.rawValue - first.rawValue)
  }
}
