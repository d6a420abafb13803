// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder
internal import Hypervisor
internal import Synchronization

/// The words of the statistics, in the memory of the state.
///
/// A leaf: each word is an atomic, for who reads it takes no lock.
@safe struct EmbedderCounts: CountMemory {
  private let words: UnsafeMutablePointer<Atomic<UInt64>>

  /// How many bytes they take.
  static var size: Int {
    Int(Statistics<EmbedderCounts>.size(cpus: 0, services: UInt64(PORTCULLIS_ITS_LIMIT)))
  }

  /// Takes ``size`` bytes of the state.
  @inline(__always)
  @unsafe init(_ place: UnsafeMutableRawPointer) {
    unsafe words = place.assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  /// Fills the place with zeros.
  func begin() {
    for index in 0..<Self.size / 8 { unsafe (words + index).initialize(to: Atomic(0)) }
  }

  // In bounds: there are words for as many ITSes as a board may have, and one has the number of its place.
  @inline(__always)
  func load(_ index: UInt64) -> UInt64 {
    unsafe words[Int(truncatingIfNeeded: index)].load(ordering: .relaxed)
  }
  @inline(__always)
  func store(_ value: UInt64, at index: UInt64) {
    unsafe words[Int(truncatingIfNeeded: index)].store(value, ordering: .relaxed)
  }
}
