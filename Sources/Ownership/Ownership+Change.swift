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

  /// Checks everything, prepares everybody and takes what the host loses from its devices; after it
  /// nothing fails.
  mutating func plan(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind
  ) throws(OwnershipError) -> Reservation {
    try checkRequest(ranges, kind)
    for index in ranges.indices {
      let other = ledger.first(in: ranges[index], of: pool) {
        $0.state != operation.from || $0.pins != 0
      }
      guard let other else { continue }
      throw other.record.state != operation.from
        ? .wrongState(other.frame, other.record.state) : .pinned(other.frame)
    }

    let transition = operation.transition(kind)
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
      needed += try observer.prepare(transition, ranges, pool)
    } catch {
      abortTranslations(operation, ranges, kind)
      throw error
    }
    do throws(OwnershipError) {
      var reservation = try pool.reserve(needed)
      guard operation.hostLoses else { return reservation }
      do throws(OwnershipError) {
        try observer.revoke(transition, ranges, &pool, &reservation)
      } catch {
        pool.release(reservation)
        throw error
      }
      return reservation
    } catch {
      observer.abort(transition, ranges)
      abortTranslations(operation, ranges, kind)
      throw error
    }
  }

  /// Undoes the preparation of both translations.
  private mutating func abortTranslations(
    _ operation: PageOperation, _ ranges: Span<PageRange>, _ kind: PageKind
  ) {
    if operation.hypervisorGains { hypervisor.abortMap(ranges, kind) }
    if let change = operation.hostChange(kind) { host.abort(change, ranges) }
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
      self.record(ranges, record, &reservation)
    } else {
      self.record(ranges, record, &reservation)
      commitHost(operation, ranges, kind, &reservation)
      observer.commit(operation.transition(kind), ranges, &pool, &reservation)
    }
  }

  /// Writes the record of every page.
  mutating func record(
    _ ranges: Span<PageRange>, _ record: PageRecord, _ reservation: inout Reservation
  ) {
    for index in ranges.indices {
      ledger.setRecords(record, of: ranges[index], &pool, &reservation)
      if record == .untouched { ledger.prune(ranges[index], &pool) }
    }
  }

  /// Lends or recalls: EL2 keeps its mapping, the host gains or loses one.
  mutating func moveHostAccess<let capacity: Int>(
    _ operation: PageOperation, of claim: borrowing Claim<capacity>
  ) throws(OwnershipError) {
    let ranges = pages(of: claim.mapped)
    var reservation = try plan(operation, ranges.span, .memory)
    if operation.hostGains { clean(ranges.span) }
    commit(operation, ranges.span, .memory, &reservation)
    pool.release(reservation)
  }

  /// Adds one to, or takes one from, the pin count of every page; all of them have records.
  mutating func countPins(_ ranges: Span<PageRange>, by change: Int32) {
    for index in ranges.indices {
      var pins = counts.pins
      ledger.changeRecords(of: ranges[index], pool) { record in
        let old = record.pins
        record.pins = UInt32(clamping: Int64(old) + Int64(change))
        pins = pins &+ UInt64(record.pins) &- UInt64(old)
      }
      counts.pins = pins
    }
  }

  /// Zeroes pages of memory that EL2 still owns.
  func scrub(_ ranges: Span<PageRange>) {
    for index in ranges.indices {
      for frame in ranges[index].numbers { pool.zero(PageFrameNumber(frame).address) }
    }
    clean(ranges)
  }

  /// Has memory hold what EL2 has written to the pages, which it still maps.
  ///
  /// Whom the host has look past the caches would find there what they held before.
  func clean(_ ranges: Span<PageRange>) {
    for index in ranges.indices {
      pool.memory.clean(
        ranges[index].first.address, size: ranges[index].count << PageFrameNumber.shift)
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
}

extension PageOperation {
  func hostChange(_ kind: PageKind) -> HostChange? {
    hostLoses ? .revoke : hostGains ? .grant(kind) : nil
  }

  func transition(_ kind: PageKind) -> PageTransition {
    PageTransition(kind: kind, old: from, new: to)
  }
}
