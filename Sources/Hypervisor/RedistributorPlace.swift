// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Redistributor

/// Where the mediation of all Redistributors is kept, in memory that the machine sets aside.
///
///     0          lock, mediation
///     0x1000     the pins, which the mediation finds by the address that it is given
///     behind     what is kept of each Redistributor
///
/// A leaf: it gives names to parts of that memory.
@safe public struct RedistributorPlace: @unchecked Sendable {
  private struct State: ~Copyable {
    let lock = SpinLock(.redistributor)
    var mediation: MediatedRedistributors
  }

  /// How far the pins lie behind the beginning.
  public static var pinsOffset: UInt64 { PageFrameNumber.size }
  /// The bytes of all.
  public static var size: UInt64 {
    pinsOffset + MediatedRedistributors.pinsSize + RedistributorSlots.size
  }
  /// Whether the first part is large enough; looked at before it is used.
  public static var fits: Bool { MemoryLayout<State>.size <= Int(pinsOffset) }

  // What changes lies behind a lock: hence Sendable.
  private let memory: UnsafeMutableRawPointer

  /// Takes ``size`` bytes, aligned to 16, which nothing else uses as long as this value lives.
  @inline(__always)
  @unsafe public init(_ memory: UnsafeMutableRawPointer) { unsafe self.memory = memory }

  @inline(__always)
  private var state: UnsafeMutablePointer<State> {
    unsafe memory.assumingMemoryBound(to: State.self)
  }

  /// The places of single Redistributors.
  var slots: RedistributorSlots {
    unsafe RedistributorSlots(memory + Int(Self.pinsOffset + MediatedRedistributors.pinsSize))
  }

  /// Fills the pins' part with zeros, and the first part with a mediation.
  func begin(_ make: (RedistributorSlots) -> MediatedRedistributors) {
    let pins = unsafe memory + Int(Self.pinsOffset)
    unsafe pins.initializeMemory(
      as: UInt64.self, repeating: 0, count: Int(MediatedRedistributors.pinsSize / 8))
    unsafe state.initialize(to: State(mediation: make(slots)))
  }

  /// Runs `body` with the mediation, which has begun, and its lock held.
  @inline(__always)
  func withLock<Result: ~Copyable, Failure: Error>(
    on cpu: some LockHolder, _ body: (inout MediatedRedistributors) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe state.pointee.lock.withLock(on: cpu) { () throws(Failure) -> Result in
      try unsafe body(&state.pointee.mediation)
    }
  }
}
