// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Dispatch
import Testing

/// A counter that only a lock protects.
private final class Counter: @unchecked Sendable {
  let lock = SpinLock(.log)
  var value = 0
}

@Suite("Locks")
struct SpinLockTests {
  static let ranks: [LockRank] = [.psci, .smmu, .ownership, .log]

  @Test("What a lock protects is changed by one thread at a time")
  func exclusion() {
    let counter = Counter()
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<500 {
        var held = HeldLocks()
        counter.lock.withLock(&held) { _ in counter.value += 1 }
      }
    }
    #expect(counter.value == 2000)
  }

  @Test("A later rank is permitted, an earlier one or the same is not", arguments: ranks, ranks)
  func order(first: LockRank, second: LockRank) {
    var held = HeldLocks()
    let isPermitted = SpinLock(first).withLock(&held) { held in held.permits(second) }
    #expect(isPermitted == (second.rawValue > first.rawValue))
    #expect(held.permits(.psci))
  }

  @Test("With two locks held, only ranks after both are permitted")
  func nested() {
    var held = HeldLocks()
    let permitted = SpinLock(.psci).withLock(&held) { held in
      let inside = SpinLock(.ownership).withLock(&held) { held in
        Self.ranks.map { held.permits($0) }
      }
      return inside + Self.ranks.map { held.permits($0) }
    }
    #expect(permitted == [false, false, false, true, false, true, true, true])
  }

  @Test("A lock is free again, and forgotten, after an error")
  func failure() {
    struct Failure: Error {}
    let lock = SpinLock(.ownership)
    var held = HeldLocks()
    for _ in 0..<2 {
      #expect(throws: Failure.self) {
        try lock.withLock(&held) { _ throws(Failure) in throw Failure() }
      }
      #expect(held.permits(.psci))
    }
  }

  @Test("A debug build stops at locks in the wrong order")
  func wrongOrder() async {
    await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var held = HeldLocks()
      SpinLock(.log).withLock(&held) { held in
        SpinLock(.ownership).withLock(&held) { _ in }
      }
    }
  }
}
