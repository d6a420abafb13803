// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Foundation
import GIC
import ITS
import Inspection
import Testing
import Trace

@testable import Replay
@testable import SimulatedHardware

/// Traces to run again.
enum Recorded {
  /// What EL2 recorded on QEMU of a host that attacks with commands; `Runners.board.cut` makes it anew.
  static let attacks: [TraceRecord] = {
    let url = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "Traces/attacks.trace")
    guard let bytes = try? FileHandle(forReadingFrom: url).readToEnd(),
      let file = try? TraceFile([UInt8](bytes))
    else { return [] }
    return file.records
  }()

  /// The indices of the records of a kind.
  static func indices(_ isWanted: (TraceEvent) -> Bool) -> [Int] {
    attacks.indices.filter { isWanted(attacks[$0].event) }
  }

  /// About `count` of `indices`, the last among them.
  static func some(_ count: Int, of indices: [Int]) -> [Int] {
    Array(indices.reversed().enumerated().filter { $0.offset % (indices.count / count) == 0 })
      .map(\.element)
  }

  /// The trace up to a record, with that one changed.
  static func changed(_ index: Int, _ change: (inout TraceRecord) -> Void) -> [TraceRecord] {
    var records = attacks
    change(&records[index])
    return records
  }
}

@Suite("Running a trace again") struct ReplayTests {
  @Test("What QEMU's ITS and its host did happens again on the simulated board")
  func same() throws {
    let replay = try Replay(Recorded.attacks)
    #expect(replay.difference == nil)
    #expect(replay.accesses == 266)
    #expect(replay.commands == 202)
    #expect(replay.services == 1 && replay.handedOver == 0 && replay.lost == 0)
  }

  /// Runs the trace again beside the specification, of which `change` has it expect another policy.
  private func compare(_ change: (inout ITSPolicy) -> Void = { _ in }) throws -> ComparedReplay {
    var compared: Result<ComparedReplay, any Error>?
    let replay = try Replay(Recorded.attacks) { board in
      compared = Result { try ComparedReplay(board, Recorded.attacks, change: change) }
    }
    #expect(replay.difference == nil)
    return try #require(compared).get()
  }

  @Test("What happens in it the specification permits")
  func specified() throws {
    let compared = try compare()
    #expect(compared.problem == nil)
    #expect(compared.traps == 266)
  }

  @Test("What another policy would have had happen, the specification does not permit")
  func otherwise() throws {
    #expect(try compare { $0.interruptLimit = 8192 }.problem != nil)
    #expect(try compare { $0.commandsPerTrap = 1 }.problem != nil)
  }

  @Test(
    "A verdict that was another is found, at its record",
    arguments: Recorded.some(
      4,
      of: Recorded.indices {
        if case .command = $0 { return true }
        return false
      }))
  func verdict(_ index: Int) throws {
    let records = Recorded.changed(index) { record in
      guard case .command(var command) = record.event else { return }
      command.verdict = command.verdict == .refused(3) ? .accepted : .refused(3)
      record.event = .command(command)
    }
    let difference = try #require(try Replay(records).difference)
    #expect(difference.record == index)
    #expect(difference.recorded == records[index].event)
    #expect(difference.replayed == Recorded.attacks[index].event)
  }

  @Test(
    "A write to the hardware that was another is found",
    arguments: Recorded.some(
      2,
      of: Recorded.indices {
        if case .hardware(let register) = $0 { return register.isWrite }
        return false
      }))
  func publication(_ index: Int) throws {
    let records = Recorded.changed(index) { record in
      guard case .hardware(var register) = record.event else { return }
      register.value ^= 0x20
      record.event = .hardware(register)
    }
    #expect(try Replay(records).difference?.record == index)
  }

  @Test(
    "An answer to the host that was another is found",
    arguments: Recorded.some(
      2,
      of: Recorded.indices {
        if case .access(let access) = $0 { return !access.isWrite }
        return false
      }))
  func answer(_ index: Int) throws {
    let records = Recorded.changed(index) { record in
      guard case .access(var access) = record.event else { return }
      access.value ^= 0x40
      record.event = .access(access)
    }
    #expect(try Replay(records).difference?.record == index)
  }

  @Test("Hardware that went further than it was told is found")
  func progress() throws {
    let index = try #require(
      Recorded.indices {
        if case .hardware(let register) = $0 {
          return !register.isWrite && register.offset == 0x90 && register.value > 0
        }
        return false
      }.first)
    let records = Recorded.changed(index) { record in
      guard case .hardware(var register) = record.event else { return }
      register.value += 0x40
      record.event = .hardware(register)
    }
    let difference = try #require(try Replay(records).difference)
    #expect(difference.record >= index && difference.record < index + 8)
  }

  @Test("A store that ran again and did not is found")
  func again() throws {
    let index = try #require(
      Recorded.indices {
        if case .access(let access) = $0 { return access.outcome == .again }
        return false
      }.first)
    let records = Recorded.changed(index) { record in
      guard case .access(var access) = record.event else { return }
      access.outcome = .done
      record.event = .access(access)
    }
    #expect(try Replay(records).difference?.record == index)
  }

  @Test("What is lost ends it, and what is cut off is left out")
  func lost() throws {
    var records = Array(Recorded.attacks.prefix(500))
    let whole = try Replay(records)
    #expect(whole.difference == nil && whole.accesses > 0)
    records.append(TraceRecord(time: 0, cpu: 0, its: 0, .lost(9)))
    records += Recorded.attacks.suffix(300)
    let replay = try Replay(records)
    #expect(replay.difference == nil && replay.lost == 9)
    #expect(replay.accesses == whole.accesses)
  }

  @Test("Nothing is run of an ITS that was handed over, nor without one")
  func nothing() {
    #expect(throws: ReplayError.nothing) { try Replay([]) }
    #expect(throws: ReplayError.nothing) { try Replay(Array(Recorded.attacks.prefix(1))) }
    let records = Recorded.changed(1) { record in
      guard case .service(var service) = record.event else { return }
      service.isHandedOver = true
      record.event = .service(service)
    }
    #expect(throws: ReplayError.nothing) { try Replay(records) }
  }

  @Test("An ITS that can't be is refused", arguments: 0..<4)
  func unusable(_ number: Int) {
    let records = Recorded.changed(1) { record in
      guard case .service(var service) = record.event else { return }
      switch number {
      case 0: service.arenaPages = 0
      case 1: service.arenaPages = .max
      case 2: service.arena += 8
      default: service.typer = 1
      }
      record.event = .service(service)
    }
    #expect(throws: ReplayError.unusable(its: 0)) { try Replay(records) }
  }

  @Test("A trace of any bits ends, one way or the other", arguments: 0..<12 as Range<UInt64>)
  func anyBits(_ seed: UInt64) {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var records = Array(Recorded.attacks.prefix(400))
    for _ in 0..<4 {
      let index = 1 + next(records.count - 1)
      var words = records[index].words
      words[next(8)] ^= 1 << UInt64(next(64))
      if let record = TraceRecord(words: words) { records[index] = record }
    }
    // It must not stop the process; whatever it finds is right.
    _ = try? Replay(records)
  }

  @Test(
    "Whatever the bits of a trace are, no ITS leaves EL2's memory",
    arguments: 0..<8 as Range<UInt64>)
  func anyBitsFreely(_ seed: UInt64) throws {
    var state = seed &* 0x9e37_79b9_7f4a_7c15 | 1
    func next(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int((state >> 33) % UInt64(bound))
    }
    var records = Array(Recorded.attacks.dropFirst(next(300)).prefix(400))
    records = Recorded.attacks.prefix(11) + records
    for _ in 0..<(1 + next(40)) {
      // How the ITS was set up stays mostly.
      let index = next(8) == 0 ? next(records.count) : 11 + next(records.count - 11)
      var words = records[index].words
      words[next(8)] ^= 1 << UInt64(next(64))
      if let record = TraceRecord(words: words) { records[index] = record }
      if next(4) == 0 {
        records.swapAt(11 + next(records.count - 11), 11 + next(records.count - 11))
      }
    }
    do {
      #expect(try Replay.violation(in: records) == nil)
    } catch let error as ReplayError {
      // Only one that can't be set up is let off.
      if case .impossible = error { Issue.record("\(error.text)") }
    }
  }

  @Test("Without a change no ITS leaves EL2's memory")
  func freely() throws {
    let violation = try Replay.violation(in: Recorded.attacks)
    #expect(violation == nil)
  }

  @Test("An access outside EL2's memory, and an entry that points there, are seen")
  func outside() throws {
    let board = try ReplayBoard(ServicePlan.all(in: Recorded.attacks), .freely)
    defer { board.finish() }
    #expect(board.wrong() == nil && board.wrongInReach() == nil)
    let service = board.gic.services[0]
    let table = try #require(service.table(.devices))
    let kept = board.gic.memory.load(.double, at: table.base)
    for forged in [0x4000_0000, 1 << 63 | 0x4000_0000] as [UInt64] {
      board.gic.memory.store(
        .double, table.isIndirect ? forged : forged | 3 << 52, at: table.base)
      #expect((board.wrongInReach() != nil) == (forged >> 63 != 0))
    }
    board.gic.memory.store(.double, kept, at: table.base)
    #expect(board.wrongInReach() == nil)
    func touch(_ base: UInt64, _ size: UInt64) {
      board.check(
        MemoryAccess(
          service: 0, range: MemoryReach(use: .queue, base: base, size: size, isWritten: false)))
    }
    // The bitmap itself is in use; the last page of the arena is not yet.
    let arena = try #require(board.plans.values.first).arena
    touch(arena.lowerBound << 12, 4096)
    #expect(board.wrong() == nil)
    touch((arena.upperBound - 1) << 12, 8)
    #expect(board.wrong() != nil)
    board.violation = nil
    touch(arena.upperBound << 12 - 8, 16)
    #expect(board.wrong() != nil)
    board.violation = nil
    touch(.max - 8, 64)
    #expect(board.wrong() != nil)
  }
}
