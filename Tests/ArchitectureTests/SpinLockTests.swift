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

/// A CPU that writes down what it is told, and whether the order forbids it.
private final class RecordingCPU: LockHolder {
  private var held = HeldLocks()
  private(set) var told: [String] = []

  func willTake(_ rank: LockRank) { told.append("\(rank)" + (held.take(rank) ? "" : "!")) }
  func willRelease(_ rank: LockRank) { told.append("-\(rank)" + (held.release(rank) ? "" : "!")) }
}

@Suite("Locks")
struct SpinLockTests {
  static let ranks: [LockRank] = [.psci, .its, .redistributor, .smmu, .ownership, .log, .trace]

  @Test("What a lock protects is changed by one thread at a time")
  func exclusion() {
    let counter = Counter()
    DispatchQueue.concurrentPerform(iterations: 4) { _ in
      for _ in 0..<500 { counter.lock.withLock(on: RecordingCPU()) { counter.value += 1 } }
    }
    #expect(counter.value == 2000)
  }

  @Test("A later rank is permitted, an earlier one or the same is not", arguments: ranks, ranks)
  func order(first: LockRank, second: LockRank) {
    let cpu = RecordingCPU()
    cpu.willTake(first)
    cpu.willTake(second)
    let isPermitted = second.rawValue > first.rawValue
    #expect(cpu.told == ["\(first)", "\(second)" + (isPermitted ? "" : "!")])
  }

  @Test("With two locks held, only ranks after both are permitted", arguments: ranks)
  func nested(third: LockRank) {
    let cpu = RecordingCPU()
    for rank in [.psci, .ownership, third] { cpu.willTake(rank) }
    let isPermitted = [.log, .trace].contains(third)
    #expect(cpu.told == ["psci", "ownership", "\(third)" + (isPermitted ? "" : "!")])
  }

  @Test("A lock that was released is forgotten, and one that was not taken can't be released")
  func release() {
    let cpu = RecordingCPU()
    cpu.willTake(.log)
    for rank in [.its, .log, .log] as [LockRank] { cpu.willRelease(rank) }
    cpu.willTake(.psci)
    #expect(cpu.told == ["log", "-its!", "-log", "-log!", "psci"])
  }

  @Test("The last lock taken is released first, and what is held is told")
  func last() {
    var held = HeldLocks()
    let isTaken = [held.take(.ownership), held.take(.log)]
    let isReleased = held.release(.ownership)
    #expect(isTaken == [true, true] && !isReleased)
    #expect(Self.ranks.filter(held.contains) == [.log])
  }

  @Test("A CPU is told of each lock, before it waits and before it releases it")
  func told() {
    let cpu = RecordingCPU()
    SpinLock(.psci).withLock(on: cpu) {
      SpinLock(.ownership).withLock(on: cpu) { SpinLock(.its).withLock(on: cpu) {} }
    }
    #expect(cpu.told == ["psci", "ownership", "its!", "-its!", "-ownership", "-psci"])
  }

  @Test("A lock is free again, and forgotten, after an error")
  func failure() {
    struct Failure: Error {}
    let lock = SpinLock(.ownership)
    let cpu = RecordingCPU()
    for _ in 0..<2 {
      #expect(throws: Failure.self) {
        try lock.withLock(on: cpu) { () throws(Failure) in throw Failure() }
      }
    }
    #expect(cpu.told == ["ownership", "-ownership", "ownership", "-ownership"])
  }
}
