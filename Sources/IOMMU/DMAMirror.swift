// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership

/// What devices reach: always what the host reaches, and never more.
///
/// A snapshot of the host's translation is written into the IOMMUs' table, and in the same critical
/// section the mirror begins to follow every change of a page's state. A page that the host loses is
/// out of reach of its devices, confirmed by every IOMMU, before it has its new owner.
///
/// ```text
///             start, and the snapshot ends
///     off ────────────────────────────────────▶ following
///      ▲ │ start, and the snapshot fails
///      │ ▼
///     (undone) ──── undoing fails ────▶ failed
/// ```
///
/// Off, the mirror follows nothing: devices reach what they did before, or nothing once a driver has begun.
/// Failed, nobody knows what devices reach, and the host can lose no page.
public struct DMAMirror<Driver: IOMMUDriver & ~Copyable>: ~Copyable {
  /// How far the mirror has come.
  public enum Phase: Hashable, Sendable {
    /// It follows nothing yet.
    case off
    /// It follows every change.
    case following
    /// It knows nothing, and has the host lose nothing.
    case failed
  }

  /// How far the mirror has come.
  public private(set) var phase = Phase.off
  /// The IOMMUs.
  public var driver: Driver
  /// What devices may write, whoever owns it.
  public let doorbells: Doorbells
  /// How often pages could not be taken from devices, and so stayed the host's.
  public internal(set) var refusals: UInt64 = 0

  /// Makes a mirror that follows nothing yet.
  public init(_ driver: consuming Driver, doorbells: Doorbells = Doorbells()) {
    self.driver = driver
    self.doorbells = doorbells
  }

  /// Asks the IOMMUs, in their place.
  public mutating func withDriver<Result>(_ body: (inout Driver) -> Result) -> Result {
    body(&driver)
  }
}

// The snapshot.
extension DMAMirror where Driver: ~Copyable {
  /// Writes what the host reaches into the IOMMUs' table, and follows from then on.
  ///
  /// Pages of others are left out; what the host has mapped has the rights that the host has; what it has
  /// not mapped yet is memory or MMIO, each piece by the memory map, for an IOMMU can't wait for the host's
  /// first access. Comes with the ownership lock held.
  ///
  /// - Throws: any error; the mirror is off then, and devices reach nothing, or it has failed.
  public mutating func start<Host: HostLeaves & ~Copyable, Memory: TableMemory & ~Copyable>(
    _ host: borrowing Host, _ memoryMap: borrowing MemoryMap, _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    guard phase == .off else { throw .wrongPhase }
    try driver.begin(&pool)
    do throws(IOMMUError) {
      try snapshot(host, memoryMap, &pool)
    } catch {
      clear(&pool)
      throw error
    }
    phase = .following
  }

  private mutating func snapshot<Host: HostLeaves & ~Copyable, Memory: TableMemory & ~Copyable>(
    _ host: borrowing Host, _ memoryMap: borrowing MemoryMap, _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    for index in 0..<doorbells.count {
      guard let pages = doorbells.range(index)?.below(driver.pageLimit) else { continue }
      try mapNew(pages, .doorbell, &pool)
    }
    let limit = min(host.pageLimit, driver.pageLimit)
    var page: UInt64 = 0
    // Neighbours of one kind are mapped together, however the host's table has cut them.
    var run: (pages: PageRange, access: DMAAccess)?
    while page < limit {
      let leaf = host.leaf(from: PageFrameNumber(page), in: pool.memory)
      guard let pages = leaf.pages.below(limit) else { break }
      let piece = Self.firstPiece(pages, leaf.content, memoryMap)
      if let open = run, let joined = Self.join(open, piece) {
        run = joined
      } else {
        if let run { try mapAround(run.pages, run.access, &pool) }
        run = piece
      }
      page += piece.pages.count
    }
    if let run { try mapAround(run.pages, run.access, &pool) }
  }

  /// The first pages of a leaf that have one kind, and what devices may do to them.
  private static func firstPiece(
    _ pages: PageRange, _ content: HostLeaf.Content, _ memoryMap: borrowing MemoryMap
  ) -> (pages: PageRange, access: DMAAccess) {
    let run = memoryMap.run(from: pages.first)
    let piece = pages.upTo(min(run.end, pages.first.rawValue + pages.count))
    let access =
      switch content {
      case .mapped(let isReadable, let isWritable):
        DMAAccess(isReadable: isReadable, isWritable: isWritable, kind: run.kind)
      case .absent: DMAAccess.full(run.kind)
      case .claimed: DMAAccess(isReadable: false, isWritable: false, kind: run.kind)
      }
    return (piece, access)
  }

  private static func join(
    _ first: (pages: PageRange, access: DMAAccess), _ second: (pages: PageRange, access: DMAAccess)
  ) -> (pages: PageRange, access: DMAAccess)? {
    guard first.access == second.access,
      let pages = PageRange(
        first: first.pages.first, count: first.pages.count + second.pages.count)
    else { return nil }
    return (pages, first.access)
  }

  /// Maps pages but for the doorbells among them, which are mapped already.
  private mutating func mapAround<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ access: DMAAccess, _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    guard access.isAny else { return }
    var rest: PageRange? = pages
    while let left = rest {
      let (part, isDoorbell) = doorbells.firstPart(of: left)
      if !isDoorbell { try mapNew(part, access, &pool) }
      rest = left.from(part.last.rawValue + 1)
    }
  }

  private mutating func mapNew<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ access: DMAAccess, _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    var ranges = FixedList<1, PageRange>(filler: pages)
    _ = ranges.append(pages)
    var reservation = try reserve(driver.tablesNeeded(for: ranges.span, access.kind, pool), &pool)
    driver.map(pages, access, &pool, &reservation)
    pool.release(reservation)
  }

  /// Takes everything from devices, and follows no longer: before a host runs, where the start-up fails behind this.
  public mutating func stop<Memory: TableMemory & ~Copyable>(_ pool: inout PagePool<Memory>) {
    if phase == .following { clear(&pool) }
  }

  /// Takes everything from devices after a snapshot that did not end.
  private mutating func clear<Memory: TableMemory & ~Copyable>(_ pool: inout PagePool<Memory>) {
    phase = .failed
    guard let all = PageRange(first: PageFrameNumber(0), count: driver.pageLimit) else { return }
    do throws(IOMMUError) {
      // What is taken whole splits nothing.
      var reservation = try reserve(0, &pool)
      do throws(IOMMUError) {
        try driver.unmap(all, &pool, &reservation)
      } catch {
        pool.release(reservation)
        throw error
      }
      pool.release(reservation)
      try driver.sync()
      phase = .off
    } catch {
      // Nobody knows what devices reach: that is what `failed` says.
    }
  }

  private func reserve<Memory: TableMemory & ~Copyable>(
    _ count: UInt64, _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) -> Reservation {
    do throws(OwnershipError) {
      return try pool.reserve(count)
    } catch {
      throw .poolExhausted(needed: count, free: pool.freeCount)
    }
  }
}
