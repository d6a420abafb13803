// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import CEL2Boot
import CHeap
@testable import Comparison
import DeviceTree
import GIC
@testable import Hypervisor
@testable import ITS
import Ownership
@testable import Redistributor
import Trace

// The checked image: the specification goes along with each ITS, and ends it all where EL2 does what is not
// permitted. It has a heap, and is never shipped.

/// What goes along, from the first ITS on.
///
/// A leaf: `logs` has memory for each ITS, whose lock is held where it is written or read.
@safe private final class Checker: @unchecked Sendable {
  /// The most that EL2 does in one trap.
  private static let capacity = 8192

  let lock = SpinLock(.trace)
  /// With `lock` held; nil before the first access.
  var board: BoardComparison?
  /// With `lock` held: by the number of an ITS its place in `board`.
  var places: [UInt8] = []
  /// With `lock` held: traps of ITSes and of Redistributors.
  var traps: UInt64 = 0
  var redistributorTraps: UInt64 = 0
  /// With `lock` held: whether `board` knows whose the memory is, and what Redistributors there are.
  var hasMemory = false
  var hasRedistributors = false
  private let logs: UnsafeMutablePointer<Observation>
  private let counts: UnsafeMutablePointer<Int>

  init(services: Int) {
    unsafe logs = .allocate(capacity: services * Self.capacity)
    unsafe counts = .allocate(capacity: services)
    unsafe counts.initialize(repeating: 0, count: services)
  }

  func note(_ observation: Observation, of its: UInt8) {
    let count = unsafe counts[Int(its)]
    // What does not fit the comparison misses, and so tells a difference.
    guard count < Self.capacity else { return }
    unsafe (logs + Int(its) * Self.capacity + count).initialize(to: observation)
    unsafe counts[Int(its)] = count + 1
  }

  /// Takes what was noted of an ITS.
  func take(_ its: UInt8) -> [Observation] {
    let count = unsafe counts[Int(its)]
    unsafe counts[Int(its)] = 0
    return unsafe Array(
      UnsafeBufferPointer(start: logs + Int(its) * Self.capacity, count: count))
  }
}

// Made when the first ITS begins, on the boot CPU.
nonisolated(unsafe) private var checker: Checker?

struct MetalWitness: Witness {
  fileprivate let its: UInt8

  func note(_ observation: Observation) { unsafe checker?.note(observation, of: its) }
}

extension MetalBusMemory: ComparedMemory {
  func word(at address: UInt64) -> UInt64 { load(PhysicalAddress(address)) }
}

extension MetalPlatform {
  static var looksOn: Bool { true }

  func recordingMachine(
    of its: borrowing LockedITS
  ) -> ObservedITSMachine<RecordingITSMachine<MetalPlatform>, MetalWitness> {
    ObservedITSMachine(
      RecordingITSMachine(its.number, self), frame: its.setup.frame, MetalWitness(its: its.number))
  }

  func hasBegun(_ its: borrowing LockedITS, isHandedOver: Bool) {
    if unsafe checker == nil { unsafe checker = Checker(services: Int(el2_max_itses)) }
    guard let checker = unsafe checker, !isHandedOver else { return }
    checker.lock.withLock(on: self) {
      if checker.board == nil { checker.board = begin(its.setup.policy) }
      checker.places.append(its.number)
      checker.board?.add(its.mediation, memory) { width, offset in
        registers.read(width, at: VirtualAddress(its.setup.frame.rawValue &+ offset)) ?? 0
      }
    }
  }

  /// The board as it is when the first ITS begins; its memory is looked at when the host runs.
  private func begin(_ policy: ITSPolicy) -> BoardComparison {
    var redistributors: [(base: PhysicalAddress, type: GICRTyper)] = []
    for index in state.shared.redistributors.indices
    where state.shared.redistributors[index].isUsed {
      _ = RedistributorScan.forEach(
        state.shared.redistributors[index], at: VirtualLayout.redistributors(index),
        through: registers
      ) { redistributors.append((base: $0, type: $1)) }
    }
    return BoardComparison(
      ComparedBoard(policy), memory: [:], redistributors: redistributors)
  }

  func hasAnswered(_ access: TracedAccess, _ its: borrowing LockedITS) {
    guard let checker = unsafe checker else { return }
    let ticket = checker.lock.acquire(on: self)
    let observations = checker.take(its.number)
    var problem: String?
    // One that was handed over is not.
    let place = checker.places.firstIndex(of: its.number)
    let isCompared = place != nil
    if let place {
      if var board = checker.board.take() {
        beginMemory(checker, &board)
        checker.board = board
      }
      checker.traps += 1
      do throws(Divergence) {
        try checker.board?.finish(
          its: place, Entrance(access), by: Int(cpu), Effect(access), observations, its.mediation,
          memory)
        problem = checker.board?.violation
      } catch {
        problem = error.description
      }
    }
    let traps = checker.traps
    checker.lock.release(ticket, on: self)
    if let problem { return end(problem) }
    if isCompared, traps & (traps &- 1) == 0 { tell(traps, " traps of ITSes as specified, heap ") }
  }

  /// With the lock of `checker` held: whose the memory is, when the host runs.
  private func beginMemory(_ checker: Checker, _ board: inout BoardComparison) {
    guard !checker.hasMemory else { return }
    checker.hasMemory = true
    board.begin(host: hostMemory(), hypervisor: ownMemory())
  }

  // MARK: Redistributors

  /// What the hardware of all has now.
  private func look(_ redistributors: borrowing MediatedRedistributors) -> [ObservedRedistributor] {
    var found: [ObservedRedistributor] = []
    for number in 0..<redistributors.count {
      let redistributor = redistributors.slots[number]
      found.append(
        ObservedRedistributor(hasVirtualFrame: redistributor.typer.hasVirtualLPIs) {
          registers.read(
            $0, at: VirtualAddress(redistributor.frame.rawValue &+ $1)) ?? 0
        })
    }
    return found
  }

  /// The number of this CPU's own.
  private func own(_ redistributors: borrowing MediatedRedistributors) -> Int? {
    let affinity = redistributorMachine().affinity
    for number in 0..<redistributors.count
    where redistributors.slots[number].typer.affinity == affinity { return number }
    return nil
  }

  /// Goes along with what `step` compares; where nothing is mediated by an ITS nothing goes along.
  private func compare(_ step: (inout BoardComparison) throws(Divergence) -> Void) {
    guard let checker = unsafe checker else { return }
    let ticket = checker.lock.acquire(on: self)
    var problem: String?
    if var board = checker.board.take() {
      do throws(Divergence) {
        try step(&board)
        problem = board.violation
      } catch {
        problem = error.description
      }
      checker.board = board
    }
    checker.lock.release(ticket, on: self)
    if let problem { end(problem) }
  }

  func willAnswer(_ redistributors: borrowing MediatedRedistributors, isWaking: Bool) {
    guard let checker = unsafe checker else { return }
    let now = look(redistributors)
    let waking = isWaking ? own(redistributors) : nil
    // The lock is that of the Redistributors until `compare` has its own.
    compare { (board) throws(Divergence) in
      beginMemory(checker, &board)
      if !checker.hasRedistributors {
        checker.hasRedistributors = true
        try board.begin(
          redistributors, sharesConfigurationBase: redistributors.hasOneConfigurationBase,
          before: nil, after: now, memory: memory
        ) { number, width, offset in
          let frame = redistributors.slots[number].frame.rawValue
          return registers.read(width, at: VirtualAddress(frame &+ offset)) ?? 0
        }
      }
      try board.step(now, butFor: waking)
    }
  }

  func hasAnswered(
    _ access: TracedAccess, by number: Int, _ redistributors: borrowing MediatedRedistributors
  ) {
    guard let checker = unsafe checker else { return }
    let after = look(redistributors)
    let trap = RedistributorTrap(
      Entrance(access), Effect(access), byOwnCPU: own(redistributors) == number, nil)
    var traps: UInt64 = 0
    compare { (board) throws(Divergence) in
      checker.redistributorTraps += 1
      traps = checker.redistributorTraps
      try board.finish(redistributor: number, trap, after, redistributors, memory)
    }
    if traps != 0, traps & (traps &- 1) == 0 {
      tell(traps, " traps of Redistributors as specified, heap ")
    }
  }

  func hasWoken(mayRun: Bool, _ redistributors: borrowing MediatedRedistributors) {
    guard let number = own(redistributors) else { return }
    let after = look(redistributors)
    compare { (board) throws(Divergence) in
      try board.woke(redistributor: number, mayRun: mayRun, after, redistributors, memory)
    }
  }

  /// The memory that the host reaches, a piece of 2 MiB at a time but where EL2 has some of it.
  private func hostMemory() -> [PageRange] {
    var found: [PageRange] = []
    var first: UInt64?
    let tables = tables(imageBase: state.shared.layout.image.base)
    func isHosts(_ page: UInt64) -> Bool {
      let lookup = state.shared.stage2.lookup(
        IntermediatePhysicalAddress(page << PageFrameNumber.shift), in: tables)
      if case .mapped(_, .memory, _) = lookup { return true }
      return false
    }
    func look(_ page: UInt64, _ isHosts: Bool) {
      if isHosts {
        if first == nil { first = page }
      } else if let start = first.take(),
        let range = PageRange(first: PageFrameNumber(start), count: page - start)
      {
        found.append(range)
      }
    }
    for piece in stride(from: 0, to: 1 << 28, by: 512) as StrideTo<UInt64> {
      // A piece that begins and ends in the same way is looked at whole where its neighbours are as it is.
      let (begins, ends) = (isHosts(piece), isHosts(piece + 511))
      if !begins, !ends, first == nil, !isHosts(piece + 512) { continue }
      for page in piece..<piece + 512 { look(page, isHosts(page)) }
    }
    look(1 << 28, false)
    return found
  }

  /// The image, and what EL2 has taken beside it.
  private func ownMemory() -> [PageRange] {
    [state.shared.layout.image, state.shared.memory.range].compactMap { PageRange(covering: $0) }
  }

  private func tell(_ traps: UInt64, _ what: StaticString) {
    var line = LogLine("check: ")
    line.append(decimal: traps)
    line.append(what)
    line.append(decimal: UInt64(pc_heap_most()) >> 10)
    line.append(" KiB")
    log(.error, line)
  }

  private func end(_ problem: String) {
    var line = LogLine("check: ")
    var count = 0
    for byte in problem.utf8 {
      if byte == 10 || count == 140 {
        log(.error, line)
        line = LogLine("check: ")
        count = 0
      }
      if byte >= 32 {
        line.append(byte)
        count += 1
      }
    }
    log(.error, line)
    MetalMonitor(self).end(LogLine("switched off: EL2 does what the specification does not permit"))
  }
}
