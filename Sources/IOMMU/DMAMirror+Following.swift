// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership

extension PageTransition {
  /// What a transition asks of the table of the devices.
  ///
  /// The states decide, and not how the host came by them, so that it is total: whatever leaves `none` for
  /// any state in which the host reaches the page is mapped, and whatever enters `none` is unmapped.
  enum Effect: Hashable { case map, unmap, nothing }

  var effect: Effect {
    if !new.isHostAccessible { return .unmap }
    return old.isHostAccessible ? .nothing : .map
  }
}

extension DMAMirror: OwnershipObserver where Driver: ~Copyable {
  /// Counts the tables that the change takes; the driver may refuse it.
  public mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    guard transition.effect != .nothing else { return 0 }
    switch phase {
    case .off: return 0
    case .failed:
      // What the host gains it may have, for its devices do not.
      guard transition.effect == .map else { throw .refusedByObserver(ranges[0].first) }
      return 0
    case .following: break
    }
    do throws(IOMMUError) {
      return try tablesNeeded(for: ranges, transition.kind, pool)
    } catch {
      refusals += 1
      throw Self.refusal(error, ranges)
    }
  }

  /// Takes the pages from the table and waits for every IOMMU: once, however many ranges there are.
  public mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {
    guard transition.effect == .unmap, phase == .following else { return }
    var tried = 0
    do throws(IOMMUError) {
      while tried < ranges.count {
        tried += 1
        var rest = ranges[tried - 1].below(driver.pageLimit)
        while let left = rest {
          let (part, isDoorbell) = doorbells.firstPart(of: left)
          if !isDoorbell { try driver.unmap(part, &pool, &reservation) }
          rest = left.from(part.last.rawValue + 1)
        }
      }
      try driver.sync()
    } catch {
      // The pages stay the host's; what an IOMMU still has cached says the same as what is restored.
      for index in 0..<tried {
        if let pages = ranges[index].below(driver.pageLimit) { driver.restore(pages, &pool) }
      }
      refusals += 1
      throw Self.refusal(error, ranges)
    }
  }

  /// Maps what the host has gained.
  public mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    guard transition.effect == .map, phase == .following else { return }
    for index in ranges.indices {
      var rest = ranges[index].below(driver.pageLimit)
      while let left = rest {
        let (part, isDoorbell) = doorbells.firstPart(of: left)
        if !isDoorbell { driver.map(part, .full(transition.kind), &pool, &reservation) }
        rest = left.from(part.last.rawValue + 1)
      }
    }
  }

  /// Nothing was changed by `prepare`.
  public mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {}

  private func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(IOMMUError) -> UInt64 {
    var isBelow = true
    for index in ranges.indices where ranges[index].last.rawValue >= driver.pageLimit {
      isBelow = false
    }
    if isBelow { return try driver.tablesNeeded(for: ranges, kind, pool) }
    // What devices can't address is cut off; a table that two ranges need is then counted twice.
    var needed: UInt64 = 0
    for index in ranges.indices {
      guard let pages = ranges[index].below(driver.pageLimit) else { continue }
      var part = FixedList<1, PageRange>(filler: pages)
      _ = part.append(pages)
      needed += try driver.tablesNeeded(for: part.span, kind, pool)
    }
    return needed
  }

  private static func refusal(_ error: IOMMUError, _ ranges: Span<PageRange>) -> OwnershipError {
    if case .refused(let frame) = error { return .refusedByObserver(frame) }
    return .refusedByObserver(ranges[0].first)
  }
}
