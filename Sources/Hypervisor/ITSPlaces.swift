// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import ITS

/// The path of an access to an ITS.
///
///     boot ──▶ mediated or recorded
///     boot, the host is trusted ──▶ forwarded ── handed over, or disabled when the trust ends ──▶ mediated
///                                             ╲─ live when the trust ends ──▶ closed
///
/// One look tells the usual one from all others, so that a record costs nothing while there is none.
public enum ITSPath: Sendable {
  /// To the hardware: the host is trusted to hand it over, and has not yet.
  case forwarded
  /// Through the mediation.
  case mediated
  /// Through the mediation, and recorded.
  case recorded
  /// Nowhere: the trust has ended, and there is no mediation.
  case closed
}

/// What stands beside the mediation of an ITS.
struct ITSState: ~Copyable {
  let lock = SpinLock(.its)
  let setup: ITSSetup
  let base: PhysicalAddress
  /// With `lock` held.
  var path = ITSPath.forwarded
}

/// The places of ITSes in memory that the machine sets aside, one for each number.
///
/// Not an array in a state: what lies in one is loaded byte by byte on a target that loads nothing misaligned, and
/// all of it would be built on the stack. A leaf: it goes from a number to a place.
@safe public struct ITSPlaces: @unchecked Sendable {
  /// The bytes of a place: the state, and the mediation behind it.
  public static var stride: Int { 0x1000 }
  fileprivate static var mediationOffset: Int { 0x200 }
  /// Whether a place is large enough; looked at before the first is used.
  public static var fit: Bool {
    MemoryLayout<ITSState>.size <= mediationOffset
      && MemoryLayout<MediatedITS>.size <= stride - mediationOffset
  }

  // What changes lies behind a lock: hence Sendable.
  private let first: UnsafeMutableRawPointer

  /// Takes ``stride`` bytes for each ITS, aligned to 16, which nothing else uses as long as this value lives.
  @inline(__always)
  @unsafe public init(_ first: UnsafeMutableRawPointer) { unsafe self.first = first }

  @inline(__always)
  private func state(_ number: UInt8) -> UnsafeMutablePointer<ITSState> {
    unsafe (first + Int(number) &* Self.stride).assumingMemoryBound(to: ITSState.self)
  }

  /// Fills the place of an ITS, whose registers the host sees at `base`: forwarded so far.
  public func put(_ number: UInt8, _ setup: ITSSetup, base: PhysicalAddress) {
    unsafe state(number).initialize(to: ITSState(setup: setup, base: base))
  }

  /// Waits for the lock of an ITS that was put into its place.
  @inline(__always)
  func lock(_ number: UInt8, on cpu: some LockHolder) -> LockedITS {
    unsafe LockedITS(number, state(number), on: cpu)
  }
}

/// An ITS whose lock is held until it is unlocked.
///
/// Beside a function that takes a closure, which would be one call more on the path of a trap.
@safe public struct LockedITS: ~Copyable {
  /// Its number.
  public let number: UInt8
  private let state: UnsafeMutablePointer<ITSState>
  private let ticket: UInt32

  @inline(__always)
  fileprivate init(
    _ number: UInt8, _ state: UnsafeMutablePointer<ITSState>, on cpu: some LockHolder
  ) {
    self.number = number
    unsafe self.state = state
    ticket = unsafe state.pointee.lock.acquire(on: cpu)
  }

  /// Releases the lock.
  @inline(__always)
  consuming func unlock(on cpu: some LockHolder) {
    unsafe state.pointee.lock.release(ticket, on: cpu)
  }

  @inline(__always)
  private var mediated: UnsafeMutablePointer<MediatedITS> {
    unsafe (UnsafeMutableRawPointer(state) + ITSPlaces.mediationOffset)
      .assumingMemoryBound(to: MediatedITS.self)
  }

  /// What the mediation starts from.
  public var setup: ITSSetup { unsafe state.pointee.setup }
  /// Where the host sees the control frame.
  public var base: PhysicalAddress { unsafe state.pointee.base }
  /// The path of its accesses.
  @inline(__always)
  public var path: ITSPath { unsafe state.pointee.path }
  /// Whether there is a mediation.
  public var isMediated: Bool { path == .mediated || path == .recorded }

  /// The mediation, where there is one.
  @inline(__always)
  public var mediation: MediatedITS {
    unsafeAddress { unsafe UnsafePointer(mediated) }
    nonmutating unsafeMutableAddress { unsafe mediated }
  }

  /// Has the accesses go through a mediation from now on.
  func begin(_ mediation: consuming MediatedITS, _ path: ITSPath) {
    unsafe mediated.initialize(to: mediation)
    unsafe state.pointee.path = path
  }

  /// Ends the trust in the host.
  func close() { unsafe state.pointee.path = .closed }
}
