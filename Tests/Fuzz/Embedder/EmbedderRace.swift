// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEmbedder
import Comparison
import Glibc
import Hypervisor
import Ownership
@testable import PortcullisC
import SimulatedHardware
import Simulation
import Synchronization

/// A call of the embedder that comes between two traps, each on a CPU of its own.
///
///      CPU 0: LPIs                 CPU 1: may_give_away         CPU 2: the ITS
///      lock of the Redistributors
///        host_share waits          looks at the ITS
///                                  waits for the lock           lock of the ITS
///                                                                 is the page away? not yet
///        host_share refuses                                       host_share waits
///      unlock                      looks, and notes as away
///                                  looks at the ITS again         host_share agrees
///
/// How far CPU 1 has come nobody knows: it is given time. Whichever is first, one of CPU 1 and CPU 2 is refused.
final class EmbedderRace: @unchecked Sendable {
  /// What CPU 0 asks for.
  private let tables: PageRange
  /// What CPU 2 asks for.
  private let queue: PageRange
  private let isInside = Atomic(false)
  private let mayGoOn = Atomic(false)
  private let hasEnded = Atomic(false)
  private let hasBegun = Atomic(false)
  private let hasAnswered = Atomic(false)

  init(tables: PageRange, queue: PageRange) {
    self.tables = tables
    self.queue = queue
  }

  /// An operation of the embedder, on whatever CPU.
  func isAsked(for range: PageRange) {
    if range == tables {
      isInside.store(true, ordering: .releasing)
      Self.wait { mayGoOn.load(ordering: .acquiring) }
    } else if range == queue {
      goOn()
      // With it no other CPU uses hardware.
      Self.wait { hasEnded.load(ordering: .acquiring) }
      Self.wait(turns: 200) { hasAnswered.load(ordering: .acquiring) }
    }
  }

  /// CPU 0; `body` is its trap.
  func startTrap(_ body: @escaping () -> Void) -> pthread_t {
    let thread = Thread.start {
      body()
      self.hasEnded.store(true, ordering: .releasing)
    }
    Self.wait { isInside.load(ordering: .acquiring) || hasEnded.load(ordering: .acquiring) }
    return thread
  }

  /// CPU 1; `body` is its call.
  func startCall(_ body: @escaping () -> Void) -> pthread_t {
    let thread = Thread.start {
      self.hasBegun.store(true, ordering: .releasing)
      body()
      self.hasAnswered.store(true, ordering: .releasing)
    }
    Self.wait { hasBegun.load(ordering: .acquiring) }
    Self.wait(turns: 50) { hasAnswered.load(ordering: .acquiring) }
    return thread
  }

  /// CPU 0 is let go.
  func goOn() { mayGoOn.store(true, ordering: .releasing) }

  private static func wait(turns: Int = .max, until isOver: () -> Bool) {
    var left = turns
    while left > 0, !isOver() {
      sched_yield()
      left -= 1
    }
  }
}

/// What a CPU does.
private final class Thread {
  private let body: () -> Void
  private init(_ body: @escaping () -> Void) { self.body = body }

  static func start(_ body: @escaping () -> Void) -> pthread_t {
    var thread = pthread_t()
    let context = Unmanaged.passRetained(Thread(body)).toOpaque()
    let status = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Thread>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, context)
    guard status == 0 else { fatalError("no thread") }
    return thread
  }
}

extension EmbedderWalk {
  /// The embedder asks for the pages that become the host's queue meanwhile.
  func race() {
    // No operation runs in the call then, and hardware is for one thread.
    guard board.smmu == nil else { return }
    let others = EmbedderBoard.other.frameNumbers.first { page in
      !board.isHosts(PageFrameNumber(page)) && !comparison.areAway(pages(page))
    }
    guard let others, others < EmbedderBoard.other.last.rawValue else { return }
    let tables = pages(others, 2)
    redistributor(
      .double, FrameOffset.configuration, tables.first.address.rawValue | 13, of: 0, by: 0)
    nameQueue(pages(range().first.rawValue, 1 + dice.below(2)))
    let range = pages(queue.last.rawValue, 1 + dice.below(2))

    let race = EmbedderRace(tables: tables, queue: queue)
    board.race = race
    check { (comparison) throws(Divergence) in try comparison.step(Self.look(board)) }
    let before = comparison
    let control = board.gic.redistributors[0].base + FrameOffset.control
    var trap = PORTCULLIS_TRAP_NOT_READY
    var answer = (status: PORTCULLIS_OK, held: 0 as UInt64)
    let first = race.startTrap { trap = self.board.access(.word, control, 1, by: 0).trap }
    let second = race.startCall { answer = self.board.mayGiveAway(range) }
    ring()
    race.goOn()
    pthread_join(first, nil)
    pthread_join(second, nil)
    board.race = nil
    let effect: Effect = trap == PORTCULLIS_TRAP_COMPLETED ? .done : .aborted
    let seen = RedistributorTrap(
      .store(offset: FrameOffset.control, .word, 1), effect, byOwnCPU: true, nil)
    // A call that finds the queue in use came second.
    let queue = comparison.queue(its: 0)
    let isFirst = answer.status != PORTCULLIS_ERROR_HELD
    if isFirst { comparison = before }
    compare(.mayGiveAway, range, answer.status, answer.held)
    if isFirst, let queue {
      check { (comparison) throws(Divergence) in
        try comparison.shared(queue, its: 0, isGranted: true)
      }
    }
    compare(0, seen)
  }
}
