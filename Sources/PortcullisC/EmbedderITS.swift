// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import ITS

/// One ITS of the board, mediated.
struct EmbedderITS: ~Copyable {
  let lock = SpinLock(.its)
  /// With `lock` held.
  var mediation: MediatedITS

  init(_ mediation: consuming MediatedITS) { self.mediation = mediation }
}

/// The places of the ITSes in the memory of the state, one for each number.
///
/// A leaf: it goes from a number to a place.
@safe struct EmbedderITSes {
  /// As many as a board has.
  static var capacity: Int { 8 }
  /// The bytes of all places.
  static var size: Int { capacity * MemoryLayout<EmbedderITS>.stride }

  private let first: UnsafeMutablePointer<EmbedderITS>

  /// Takes places that nothing else uses as long as this value lives.
  @unsafe init(_ first: UnsafeMutablePointer<EmbedderITS>) { unsafe self.first = first }

  /// The place of ITS `number`, below the capacity.
  @inline(__always)
  private func place(_ number: UInt8) -> UnsafeMutablePointer<EmbedderITS> {
    unsafe first + Int(min(number, UInt8(truncatingIfNeeded: Self.capacity - 1)))
  }

  /// Puts an ITS that was set up into its place.
  func put(_ its: consuming MediatedITS, _ number: UInt8) {
    unsafe place(number).initialize(to: EmbedderITS(its))
  }

  /// Empties a place that holds an ITS.
  func remove(_ number: UInt8) { unsafe place(number).deinitialize(count: 1) }

  /// Runs `body` with an ITS that is there, and its lock held.
  @inline(__always)
  func withLock<Result>(_ number: UInt8, _ body: (inout MediatedITS) -> Result) -> Result {
    let its = unsafe place(number)
    var held = HeldLocks()
    return unsafe its.pointee.lock.withLock(&held) { _ in unsafe body(&its.pointee.mediation) }
  }
}
