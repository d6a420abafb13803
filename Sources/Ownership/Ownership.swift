// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The one place where the owner or the sharer of a page changes.
///
/// Every operation takes a set of ranges and changes all of them or nothing:
///
/// 1. *Plan.* State, kind and pins of every page are checked; both translations prepare; the exact
///    number of table pages is reserved; the observer prepares. Last, where the host loses the pages,
///    the observer takes them from its devices. Whatever fails here is undone and reported.
/// 2. *Commit.* Whoever loses a page loses it first, everywhere: translation, cached translations on
///    all CPUs. Then the ledger changes. Then whoever gains the page is given it, and the observer is
///    told. Nothing in this part can fail.
///
/// The value has no lock of its own: it is for whoever keeps it to hold the lock of rank
/// `LockRank.ownership` around every call. The work of a call grows with the pages it names, so that
/// a caller bounds what it takes from the host.
public struct Ownership<
  Memory: TableMemory & ~Copyable, Host: HostTranslation & ~Copyable,
  Hypervisor: HypervisorTranslation & ~Copyable, Observer: OwnershipObserver & ~Copyable
>: ~Copyable {
  var pool: PagePool<Memory>
  var ledger: PageLedger
  /// How many pages are away from where they were at the start.
  var counts = PageCounts()
  /// Which pages are memory.
  public let memoryMap: MemoryMap
  /// The host's translation.
  public internal(set) var host: Host
  /// EL2's own translation.
  public internal(set) var hypervisor: Hypervisor
  /// Who follows every change.
  public internal(set) var observer: Observer

  /// Takes over what was built at boot.
  ///
  /// The host's translation must leave out the pages that `ledger` records as the hypervisor's, and the observer must
  /// not let the host's devices reach them; EL2's translation is as the boot code has made it.
  public init(
    _ ledger: PageLedger, memoryMap: consuming MemoryMap, pool: consuming PagePool<Memory>,
    host: consuming Host, hypervisor: consuming Hypervisor, observer: consuming Observer
  ) {
    self.pool = pool
    self.ledger = ledger
    self.memoryMap = memoryMap
    self.host = host
    self.hypervisor = hypervisor
    self.observer = observer
  }

  /// How many pages of the pool are free.
  public var freeTablePages: UInt64 { pool.freeCount }
  /// How many pages of the pool are tables.
  public var usedTablePages: UInt64 { pool.usedCount }

  /// How much of what the hypervisor has set aside is in use.
  public var usage: OwnershipUsage {
    OwnershipUsage(
      tables: pool.usedCount, freeTables: pool.freeCount, claimed: counts.claimed,
      shared: counts.shared, pins: counts.pins)
  }

  /// Gives access to the observer, with what it needs to read the host's translation from end to end
  /// and to keep tables of its own; no page changes its state meanwhile.
  ///
  /// - Throws: what `body` does.
  public mutating func updateObserver<Result, Failure: Error>(
    _ body: (
      _ observer: inout Observer, _ host: borrowing Host, _ memoryMap: borrowing MemoryMap,
      _ pool: inout PagePool<Memory>
    ) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(&observer, host, memoryMap, &pool)
  }

  /// Gives access to the pool, for another record of pages whose tables come from it.
  ///
  /// - Throws: what `body` does.
  public mutating func updatePool<Failure: Error>(
    _ body: (inout PagePool<Memory>) throws(Failure) -> Void
  ) throws(Failure) {
    try body(&pool)
  }

  /// What the ledger says about `frame`.
  public func pageRecord(of frame: PageFrameNumber) -> PageRecord {
    ledger.record(of: frame, in: pool)
  }

  /// Takes all of `ranges` from the host and maps them at EL2; all are of `kind`.
  ///
  /// When this returns, neither the host nor, with the observer, its devices reach the pages. Memory
  /// still holds what the host has written there: whoever uses it clears it first.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  public mutating func donate<let capacity: Int>(
    _ ranges: FixedList<capacity, PageRange>, expecting kind: PageKind
  ) throws(OwnershipError) -> Claim<capacity> {
    guard !ranges.isEmpty else { throw .empty }
    var reservation = try plan(.donate, ranges.span, kind)
    commit(.donate, ranges.span, kind, &reservation)
    var mapped = FixedList<capacity, MappedPages>(
      filler: MappedPages(pages: ranges[0], address: VirtualAddress(0)))
    for index in ranges.indices {
      let address = hypervisor.commitMap(ranges[index], kind, &pool, &reservation)
      _ = mapped.append(MappedPages(pages: ranges[index], address: address))
    }
    pool.release(reservation)
    return Claim(mapped, kind)
  }

  /// Gives the pages of a claim back to the host: memory is zeroed first, and cleaned from the caches.
  ///
  /// The claim is nil afterwards; where this throws it is untouched and still held.
  ///
  /// - Throws: `nothingHeld`, `wrongState` for a page that is still lent, or a refusal.
  public mutating func giveBack<let capacity: Int>(
    _ claim: inout Claim<capacity>?
  ) throws(OwnershipError) {
    guard var held = claim.take() else { throw .nothingHeld }
    let kind = held.kind
    let ranges = pages(of: held.mapped)
    do throws(OwnershipError) {
      var reservation = try plan(.giveBack, ranges.span, kind)
      if kind == .memory { scrub(ranges.span) }
      for index in held.mapped.indices {
        hypervisor.unmap(ranges[index], at: held.mapped[index].address, &pool)
      }
      commit(.giveBack, ranges.span, kind, &reservation)
      pool.release(reservation)
    } catch {
      claim = consume held
      throw error
    }
    held.isOpen = false
  }

  /// Lets the hypervisor access pages of memory that the host keeps.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  public mutating func share(_ ranges: Span<PageRange>) throws(OwnershipError) {
    var reservation = try plan(.share, ranges, .memory)
    commit(.share, ranges, .memory, &reservation)
    for index in ranges.indices {
      _ = hypervisor.commitMap(ranges[index], .memory, &pool, &reservation)
    }
    pool.release(reservation)
  }

  /// Ends the sharing of pages that no pin holds.
  ///
  /// - Throws: `pinned`, or any other `OwnershipError`; nothing has changed then.
  public mutating func unshare(_ ranges: Span<PageRange>) throws(OwnershipError) {
    var reservation = try plan(.unshare, ranges, .memory)
    for index in ranges.indices {
      if let address = hypervisor.linearAddress(of: ranges[index]) {
        hypervisor.unmap(ranges[index], at: address, &pool)
      }
    }
    commit(.unshare, ranges, .memory, &reservation)
    pool.release(reservation)
  }

  /// Lets the host access claimed pages of memory, such as a log that it drains, as EL2 has written them.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  public mutating func lend<let capacity: Int>(
    _ claim: borrowing Claim<capacity>
  ) throws(OwnershipError) {
    try moveHostAccess(.lend, of: claim)
  }

  /// Ends the host's access to pages that were lent.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  public mutating func recall<let capacity: Int>(
    _ claim: borrowing Claim<capacity>
  ) throws(OwnershipError) {
    try moveHostAccess(.recall, of: claim)
  }

  /// Holds shared pages in their state, so that EL2 can rely on reaching them.
  ///
  /// - Throws: `wrongState` for a page that is not shared, `tooManyPins`, or any other
  ///   `OwnershipError`; nothing has changed then.
  public mutating func pin<let capacity: Int>(
    _ ranges: FixedList<capacity, PageRange>
  ) throws(OwnershipError) -> Pin<capacity> {
    try checkRequest(ranges.span, .memory)
    for index in ranges.indices {
      let other = ledger.first(in: ranges[index], of: pool) {
        $0.state != .sharedOwned || $0.pins == UInt32.max
      }
      guard let other else { continue }
      throw other.record.state != .sharedOwned
        ? .wrongState(other.frame, other.record.state) : .tooManyPins(other.frame)
    }
    let mapped = try linear(ranges)
    countPins(ranges.span, by: 1)
    return Pin(mapped)
  }

  /// Releases what a pin holds.
  public mutating func unpin<let capacity: Int>(_ pin: consuming Pin<capacity>) {
    countPins(pages(of: pin.mapped).span, by: -1)
    pin.isOpen = false
  }
}
