// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import SimulatedHardware
import Simulation
import Testing

// The simulated board stops at locks in the wrong order, so that all tests on it check the order.
@Suite("The order of locks")
struct LockOrderTests {
  @Test("A debug build stops at locks in the wrong order")
  func wrongOrder() async throws {
    let ended = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let cpu = try BoardHardware().platform()
      cpu.willTake(.log)
      cpu.willTake(.ownership)
    }
    #expect(
      try #require(ended).text.contains("ownership is taken with [Architecture.LockRank.log] held"))
  }

  @Test("Each CPU holds locks of its own")
  func processors() async {
    await #expect(processExitsWith: .success) {
      let board = try BoardHardware()
      board.platform(0).willTake(.log)
      board.platform(1).willTake(.ownership)
      board.platform(0).willRelease(.log)
      board.platform(0).willTake(.psci)
    }
  }

  @Test("A debug build stops where a lock is released that is not the last")
  func wrongRelease() async throws {
    let ended = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let cpu = try BoardHardware().platform()
      cpu.willTake(.ownership)
      cpu.willTake(.log)
      cpu.willRelease(.ownership)
    }
    #expect(try #require(ended).text.contains("ownership is not the last taken"))
  }

  @Test("The locks of devices are taken before those of pages, and log and trace last")
  func nesting() throws {
    var options = BoardOptions()
    options.hasSMMU = true
    options.bootArguments = "portcullis.trace portcullis.smmu=nested"
    let board = try BoardHardware(options)
    _ = try #require(board.start(), "\(board.console)")
    // A queue is shared, a command refused.
    let its = BoardHardware.its(0)
    _ = board.store(.double, its + 0x80, 1 << 63 | 0x4800_0000)
    _ = board.store(.word, its, 1)
    board.memory.store(.double, 0xff, at: 0x4800_0000)
    _ = board.store(.double, its + 0x88, 0x20)
    // Tables of LPIs are held, and others refused.
    let redistributor: UInt64 = 0x80a_0000
    _ = board.store(.double, redistributor + 0x70, 0x4810_0000 | 15)
    _ = board.store(.double, redistributor + 0x78, BoardHardware.image.base.rawValue)
    _ = board.store(.word, redistributor, 1)
    _ = board.store(.double, redistributor + 0x78, 0x4820_0000)
    _ = board.store(.word, redistributor, 1)
    // A CPU is started in memory that is the host's.
    _ = board.call(SMCCC.Call(PSCI.cpuOn64, 1, 0x4840_0000))
    // The SMMU that the host sees asks for the one behind it.
    _ = board.store(.double, 0x905_0090, 0x4830_0000 | 5)
    _ = board.store(.word, 0x905_0020, 1 << 3)
    #expect(
      board.nestedLocks == [
        [.psci, .ownership], [.its, .ownership], [.its, .log], [.its, .trace],
        [.redistributor, .ownership],
        [.redistributor, .log], [.smmu, .ownership],
      ])
  }
}

extension ExitTest.Result {
  /// What the process wrote before its end.
  fileprivate var text: String { String(decoding: standardErrorContent, as: UTF8.self) }
}
