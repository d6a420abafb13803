// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import ITS

/// One ITS of the board.
struct EmbedderITS: ~Copyable {
  let lock = SpinLock(.its)
  /// What the mediation starts from.
  let setup: ITSSetup
  /// Where the host sees the control frame.
  let base: PhysicalAddress
  /// With `lock` held; nil until the host has handed the ITS over.
  var mediation: MediatedITS?
  /// With `lock` held: whether the hardware answers as long as there is no mediation, for the host is
  /// trusted.
  var isForwarded: Bool

  init(
    _ setup: ITSSetup, base: PhysicalAddress, _ mediation: consuming MediatedITS?,
    isForwarded: Bool
  ) {
    self.setup = setup
    self.base = base
    self.mediation = mediation
    self.isForwarded = isForwarded
  }
}

/// The places of the ITSes in the memory of the state, one for each number.
///
/// A leaf: it goes from a number to a place.
@safe struct EmbedderITSes {
  /// As many as a board has.
  static var capacity: Int { Board.ITSes.capacity }
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

  /// Puts an ITS into its place.
  func put(_ its: consuming EmbedderITS, _ number: UInt8) {
    unsafe place(number).initialize(to: its)
  }

  /// Empties a place that holds an ITS.
  func remove(_ number: UInt8) { unsafe place(number).deinitialize(count: 1) }

  /// Runs `body` with an ITS that is there, and its lock held.
  @inline(__always)
  func withLock<Result>(_ number: UInt8, _ body: (inout EmbedderITS) -> Result) -> Result {
    let its = unsafe place(number)
    var held = HeldLocks()
    return unsafe its.pointee.lock.withLock(&held) { _ in unsafe body(&its.pointee) }
  }
}
