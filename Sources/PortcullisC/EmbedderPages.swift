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
/// has given to somebody else.
///
/// A leaf: it lies in memory of the state. A claim, beside which nothing runs, takes no lock.
@safe struct EmbedderPages: @unchecked Sendable {
  struct State: ~Copyable {
    let lock = SpinLock(.ownership)
    var ownership: EmbedderOwnership
    var away: PageSet
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
    try ownership.updatePool { (pool) throws(OwnershipError) in
      away = try PageSet(reaching: last, pool: &pool)
    }
    guard let away else { return }
    unsafe state.initialize(to: State(ownership: ownership, away: away))
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

  /// Whether none of `pages` has been given to somebody else.
  func areHere(_ pages: PageRange) -> Bool {
    var found: PageFrameNumber?
    withLock { away, pool in found = away.first(in: pages, pool) }
    return found == nil
  }

  /// Takes note that memory is no longer the host's.
  ///
  /// - Throws: `wrongKind` for what is no memory, `wrongState` for pages that are away already, `poolExhausted`;
  ///   nothing has changed then.
  func give(_ pages: PageRange) throws(OwnershipError) {
    if let page = ownership.memoryMap.firstMismatch(in: pages, .memory) {
      throw .wrongKind(page, .mmio)
    }
    try withLock { (away, pool) throws(OwnershipError) in try away.insert(pages, &pool) }
  }

  /// Takes note that memory is the host's again.
  ///
  /// - Throws: `wrongState` for pages that are not away; nothing has changed then.
  func take(_ pages: PageRange) throws(OwnershipError) {
    try withLock { (away, pool) throws(OwnershipError) in try away.remove(pages, &pool) }
  }

  private func withLock<Failure: Error>(
    _ body: (inout PageSet, inout PagePool<EmbedderTables>) throws(Failure) -> Void
  ) throws(Failure) {
    let ticket = unsafe state.pointee.lock.acquire()
    defer { unsafe state.pointee.lock.release(ticket) }
    try ownership.updatePool { (pool) throws(Failure) in
      try body(&(unsafe state.pointee.away), &pool)
    }
  }
}
