// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

// How a change of state is planned and committed; the operations themselves are in Ownership.swift.

/// Checks that the ranges lie in the address space and do not overlap each other.
func checkDisjoint(
  _ ranges: Span<PageRange>, _ geometry: TranslationGeometry
) throws(OwnershipError) {
  for index in ranges.indices {
    let range = ranges[index]
    guard range.last.rawValue < geometry.pageLimit else {
      throw .outOfRange(max(range.first, PageFrameNumber(geometry.pageLimit)))
    }
    for other in 0..<index where ranges[other].overlaps(range) {
      throw .overlap(max(ranges[other].first, range.first))
    }
  }
}

extension Ownership
where
  Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable,
  Observer: ~Copyable
{
  /// What does not depend on the state of a page.
  func checkRequest(_ ranges: Span<PageRange>, _ kind: PageKind) throws(OwnershipError) {
    guard !ranges.isEmpty else { throw .empty }
    try checkDisjoint(ranges, ledger.tree.geometry)
    for index in ranges.indices {
      if let frame = memoryMap.firstMismatch(in: ranges[index], kind) {
        throw .wrongKind(frame, kind == .memory ? .mmio : .memory)
      }
    }
  }

  /// Checks everything and prepares everybody; after it nothing fails.
  mutating func plan(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind
  ) throws(OwnershipError) -> Reservation {
    try checkRequest(ranges, kind)
    for index in ranges.indices {
      for frame in ranges[index].numbers {
        let record = ledger.record(of: PageFrameNumber(frame), in: pool)
        guard record.state == operation.from else {
          throw .wrongState(PageFrameNumber(frame), record.state)
        }
        guard record.pins == 0 else { throw .pinned(PageFrameNumber(frame)) }
      }
    }

    var needed = ledger.tablesNeeded(for: ranges, in: pool)
    let hostChange = operation.hostChange(kind)
    if let hostChange { needed += try host.prepare(hostChange, ranges, pool) }
    do throws(OwnershipError) {
      if operation.hypervisorGains { needed += try hypervisor.prepareMap(ranges, kind, pool) }
    } catch {
      if let hostChange { host.abort(hostChange, ranges) }
      throw error
    }
    do throws(OwnershipError) {
      // The pages come first, so that the observer has nothing to undo where there are none.
      let reservation = try pool.reserve(needed)
      do throws(OwnershipError) {
        try prepareObserver(operation, ranges, kind)
      } catch {
        pool.release(reservation)
        throw error
      }
      return reservation
    } catch {
      if operation.hypervisorGains { hypervisor.abortMap(ranges, kind) }
      if let hostChange { host.abort(hostChange, ranges) }
      throw error
    }
  }

  /// Changes the host's side and the ledger, in the order that the operation asks for.
  ///
  /// EL2's side is the caller's: unmapped before this, mapped after it.
  mutating func commit(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind,
    _ reservation: inout Reservation
  ) {
    let record = PageRecord(state: operation.to, pins: 0)
    for index in ranges.indices { counts.count(operation, ranges[index].count) }
    if operation.hostLoses {
      commitHost(operation, ranges, kind, &reservation)
      commitObserver(operation, ranges, kind)
      self.record(ranges, record, &reservation)
    } else {
      self.record(ranges, record, &reservation)
      commitHost(operation, ranges, kind, &reservation)
      commitObserver(operation, ranges, kind)
    }
  }

  /// Writes the record of every page.
  mutating func record(
    _ ranges: Span<PageRange>, _ record: PageRecord, _ reservation: inout Reservation
  ) {
    for index in ranges.indices {
      for frame in ranges[index].numbers {
        ledger.setRecord(record, of: PageFrameNumber(frame), &pool, &reservation)
      }
    }
  }

  /// Lends or recalls: EL2 keeps its mapping, the host gains or loses one.
  mutating func moveHostAccess<let capacity: Int>(
    _ operation: PageOperation, of claim: borrowing Claim<capacity>
  ) throws(OwnershipError) {
    let ranges = pages(of: claim.mapped)
    var reservation = try plan(operation, ranges.span, .memory)
    commit(operation, ranges.span, .memory, &reservation)
    pool.release(reservation)
  }

  /// Adds one to, or takes one from, the pin count of every page; all of them have records.
  mutating func countPins(_ ranges: Span<PageRange>, by change: Int32) {
    for index in ranges.indices {
      for frame in ranges[index].numbers {
        let old = ledger.record(of: PageFrameNumber(frame), in: pool)
        let pins = UInt32(clamping: Int64(old.pins) + Int64(change))
        ledger.replaceRecord(
          PageRecord(state: old.state, pins: pins), of: PageFrameNumber(frame), pool)
        counts.pins = counts.pins &+ UInt64(pins) &- UInt64(old.pins)
      }
    }
  }

  /// Zeroes pages of memory that EL2 still owns.
  func scrub(_ ranges: Span<PageRange>) {
    for index in ranges.indices {
      for frame in ranges[index].numbers { pool.zero(PageFrameNumber(frame).address) }
    }
  }

  func pages<let capacity: Int>(
    of mapped: FixedList<capacity, MappedPages>
  ) -> FixedList<capacity, PageRange> {
    var ranges = FixedList<capacity, PageRange>(filler: mapped[0].pages)
    for index in mapped.indices { _ = ranges.append(mapped[index].pages) }
    return ranges
  }

  private mutating func commitHost(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind,
    _ reservation: inout Reservation
  ) {
    guard let change = operation.hostChange(kind) else { return }
    for index in ranges.indices { host.commit(change, ranges[index], &pool, &reservation) }
  }

  private mutating func prepareObserver(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind
  ) throws(OwnershipError) {
    for index in ranges.indices {
      for frame in ranges[index].numbers {
        let transition = operation.transition(of: PageFrameNumber(frame), kind)
        if observer.prepare(transition) { continue }
        abortObserver(operation, ranges, kind, before: index, frame)
        throw .refusedByObserver(PageFrameNumber(frame))
      }
    }
  }

  /// Undoes the preparation of every page before `lastFrame` of range `lastIndex`.
  private mutating func abortObserver(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind,
    before lastIndex: Int, _ lastFrame: UInt64
  ) {
    for index in 0...lastIndex {
      let numbers = ranges[index].numbers
      for frame in numbers.lowerBound..<(index == lastIndex ? lastFrame : numbers.upperBound) {
        observer.abort(operation.transition(of: PageFrameNumber(frame), kind))
      }
    }
  }

  private mutating func commitObserver(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind
  ) {
    for index in ranges.indices {
      for frame in ranges[index].numbers {
        observer.commit(operation.transition(of: PageFrameNumber(frame), kind))
      }
    }
  }
}

extension PageOperation {
  func hostChange(_ kind: PageKind) -> HostChange? {
    hostLoses ? .revoke : hostGains ? .grant(kind) : nil
  }

  func transition(of frame: PageFrameNumber, _ kind: PageKind) -> PageTransition {
    PageTransition(frame: frame, kind: kind, old: from, new: to)
  }
}
