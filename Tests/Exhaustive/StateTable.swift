// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld
import Synchronization

/// The fingerprints of states that were met: 16 bytes for each, in hash tables with open addressing.
///
/// Each of them has a part of the fingerprints and a lock, and grows by itself.
final class StateTable: Sendable {
  private struct Part {
    /// A power of two; the fingerprint of nothing is a free place.
    var places = [Fingerprint](repeating: Fingerprint(), count: 1 << 10)
    var count = 0

    mutating func insert(_ state: Fingerprint) -> Bool {
      if count * 4 >= places.count * 3 { grow() }
      let place = place(of: state)
      guard places[place] != state else { return false }
      places[place] = state
      count += 1
      return true
    }

    private func place(of state: Fingerprint) -> Int {
      let mask = places.count - 1
      var place = Int(truncatingIfNeeded: state.low) & mask
      while places[place] != state, places[place] != Fingerprint() { place = (place + 1) & mask }
      return place
    }

    private mutating func grow() {
      let old = places
      places = Array(repeating: Fingerprint(), count: old.count * 2)
      for state in old where state != Fingerprint() { places[place(of: state)] = state }
    }
  }

  private final class LockedPart: Sendable {
    let part = Mutex(Part())
  }

  private let parts = (0..<64).map { _ in LockedPart() }

  /// Adds a state; false where it was met before.
  func insert(_ state: Fingerprint) -> Bool {
    parts[Int(state.high >> 58)].part.withLock { $0.insert(state) }
  }

  /// How many states there are.
  var count: Int { parts.reduce(0) { $0 + $1.part.withLock(\.count) } }
  /// The bytes of the tables.
  var bytes: Int {
    parts.reduce(0) { sum, part in
      sum + part.part.withLock { $0.places.count } * MemoryLayout<Fingerprint>.stride
    }
  }
}
