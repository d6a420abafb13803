// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import Ownership

typealias EmbedderOwnership = Ownership<
  EmbedderTables, EmbedderHostTranslation, EmbedderHypervisorTranslation, NoObserver
>

/// What the library itself knows of pages: the ledger that a claim changes, and which pages of memory the embedder
/// has given to somebody else, and which it has donated for a handover.
///
/// A leaf: it lies in memory of the state. A claim, beside which nothing runs, takes no lock.
@safe struct EmbedderPages: @unchecked Sendable {
  struct State: ~Copyable {
    let lock = SpinLock(.ownership)
    var ownership: EmbedderOwnership
    var away: PageSet
    var donated: PageSet
  }

  // What changes once the host runs lies behind the lock: hence Sendable.
  private let state: UnsafeMutablePointer<State>

  /// Takes the place of the state, for this value and its copies alone.
  @unsafe init(_ place: UnsafeMutableRawPointer) {
    unsafe state = place.assumingMemoryBound(to: State.self)
  }

  /// Fills the place.
  ///
  /// - Throws: `poolExhausted`, or any other error of ``PageSet``.
  func begin(
    _ ownership: consuming EmbedderOwnership, reaching last: PageFrameNumber
  ) throws(OwnershipError) {
    var ownership = ownership
    var away: PageSet?
    var donated: PageSet?
    try ownership.updatePool { (pool) throws(OwnershipError) in
      away = try PageSet(reaching: last, pool: &pool)
      donated = try PageSet(reaching: last, pool: &pool)
    }
    guard let away, let donated else { return }
    unsafe state.initialize(to: State(ownership: ownership, away: away, donated: donated))
  }

  /// The ledger, of which a claim is the only user.
  var ownership: EmbedderOwnership {
    unsafeAddress { unsafe UnsafePointer(ledger) }
    nonmutating unsafeMutableAddress { unsafe ledger }
  }
  private var ledger: UnsafeMutablePointer<EmbedderOwnership> {
    // The place lives as long as the state.
    unsafe withUnsafeMutablePointer(to: &state.pointee.ownership) { unsafe $0 }
  }

  /// How much of the memory for tables is in use.
  var usage: OwnershipUsage {
    whileLocked { ownership.usage }
  }

  /// Runs `body` with the lock, behind which stands whatever follows the owners of pages.
  func whileLocked<Result>(_ body: () -> Result) -> Result {
    unsafe state.pointee.lock.withLock(on: ThreadLocks(), body)
  }

  /// Whether none of `pages` has been given to somebody else.
  func areHere(_ pages: PageRange) -> Bool {
    var found: PageFrameNumber?
    withLock { state, pool in found = state.away.first(in: pages, pool) }
    return found == nil
  }

  /// Takes note that memory is no longer the host's.
  ///
  /// - Throws: `wrongKind` for what is no memory, `wrongState` for pages that are away already or donated,
  ///   `poolExhausted`; nothing has changed then.
  func give(_ pages: PageRange) throws(OwnershipError) {
    if let page = ownership.memoryMap.firstMismatch(in: pages, .memory) {
      throw .wrongKind(page, .mmio)
    }
    try withLock { (state, pool) throws(OwnershipError) in
      if let page = state.donated.first(in: pages, pool) { throw .wrongState(page, .none) }
      try state.away.insert(pages, &pool)
    }
  }

  /// Whether all of `pages` have been given to somebody else.
  func areAway(_ pages: PageRange) -> Bool {
    var missing: PageFrameNumber?
    withLock { state, pool in missing = state.away.firstMissing(in: pages, pool) }
    return missing == nil
  }

  /// Takes note that memory is the host's again, once `grant` has let its devices reach it.
  ///
  /// - Throws: `wrongState` for pages that are not away, or what `grant` does; nothing has changed then.
  func take(
    _ pages: PageRange, granting grant: () throws(OwnershipError) -> Void = {}
  ) throws(OwnershipError) {
    try withLock { (state, pool) throws(OwnershipError) in
      if let page = state.away.firstMissing(in: pages, pool) { throw .wrongState(page, .owned) }
      try grant()
      try state.away.remove(pages, &pool)
    }
  }

  /// Takes note that pages are about to be donated: from here on nobody gives them away.
  ///
  /// - Throws: `wrongState` for pages that are away or donated already, `outOfRange`, `poolExhausted`; nothing has
  ///   changed then.
  func beginDonation(_ pages: PageRange) throws(OwnershipError) {
    try withLock { (state, pool) throws(OwnershipError) in
      if let page = state.away.first(in: pages, pool) { throw .wrongState(page, .none) }
      try state.donated.insert(pages, &pool)
    }
  }

  /// Takes note that pages are donated no longer.
  func endDonation(_ pages: PageRange) {
    withLock { state, pool in
      do throws(OwnershipError) {
        try state.donated.remove(pages, &pool)
      } catch {
        // Nobody gives back what was not donated.
      }
    }
  }

  private func withLock<Failure: Error>(
    _ body: (inout State, inout PagePool<EmbedderTables>) throws(Failure) -> Void
  ) throws(Failure) {
    try unsafe state.pointee.lock.withLock(on: ThreadLocks()) { () throws(Failure) in
      try ownership.updatePool { (pool) throws(Failure) in
        try body(&(unsafe state.pointee), &pool)
      }
    }
  }
}
