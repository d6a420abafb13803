// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Simulation
import SimulatedHardware
import Testing

@Suite("A host that runs")
struct RunningTests {
  private func started(
    _ options: BoardOptions = BoardOptions(), prepare: (BoardHardware) -> Void = { _ in }
  ) throws -> BoardHardware {
    let board = try BoardHardware(options)
    prepare(board)
    _ = try #require(board.start(), "\(board.console)")
    return board
  }

  // MARK: Traps

  @Test("Loads and stores of an ITS are answered, and what no driver does is refused aloud")
  func accesses() throws {
    let board = try started()
    let its = BoardHardware.its(0)
    guard case .value(let typer) = board.load(.double, its + 8) else {
      Issue.record("no GITS_TYPER")
      return
    }
    #expect(typer == board.call(.own(1)).x1)
    #expect(board.load(.byte, its) == .aborted)
    #expect(board.host.esrEL1 >> 26 == 0x25)
    #expect(board.load(.word, its + 2) == .aborted)
    // Nobody answers there.
    let image = BoardHardware.image.base.rawValue
    #expect(board.load(.word, image) == .aborted)
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("portcullis: refused: "))
    #expect(board.console.contains("ipa 0x8080000 "))
    #expect(board.console.contains("ipa 0x40200000 "))
    #expect(board.faults.isEmpty)
  }

  @Test("A page that came back to the host meanwhile is tried again")
  func retries() throws {
    let board = try started()
    var registers = [UInt64](repeating: 0, count: 31)
    board.host.elrEL2 = 0x1000
    board.trap(
      0x24 << 26 | 1 << 25 | 1 << 24 | 2 << 22 | 0b0111, far: 0x4800_0000, hpfar: 0x48_0000,
      &registers)
    #expect(board.host.elrEL2 == 0x1000 && board.host.esrEL1 == 0)
  }

  @Test("An instruction that EL2 knows nothing of is undefined")
  func undefined() throws {
    let board = try started()
    var registers = [UInt64](repeating: 0, count: 31)
    board.trap(0x18 << 26 | 1 << 25, far: 0, hpfar: 0, &registers)
    #expect(board.host.esrEL1 >> 26 == 0)
    #expect(board.host.elrEL2 == board.host.vbarEL1 + 0x200)
  }

  @Test("The tables of LPIs can't be aimed at EL2")
  func tables() throws {
    let redistributor: UInt64 = 0x80a_0000
    let target = BoardHardware.image.base.rawValue + 0x1_0000
    func aim(_ board: BoardHardware) {
      _ = board.store(.double, redistributor + 0x70, 0x4800_0000 | 15)
      _ = board.store(.double, redistributor + 0x78, target)
      _ = board.store(.word, redistributor, 1)
    }
    let board = try started()
    aim(board)
    #expect(!board.gic.redistributors[0].state.isEnabled)
    // GICR_CTLR.CES and IR.
    #expect(board.load(.word, redistributor) == .value(6))
    #expect(board.gic.redistributors[0].pendingTable != target)
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("tables refused"))
    // The same where nobody stands in between.
    let control = try BoardHardware()
    aim(control)
    #expect(control.gic.redistributors[0].state.isEnabled)
    #expect(control.load(.word, redistributor) == .value(7))
    #expect(control.gic.redistributors[0].pendingTable == target)
  }

  @Test("An ITS without commands never learns of the host's queue", arguments: [false, true])
  func queue(_ isTraced: Bool) throws {
    var options = BoardOptions()
    if isTraced { options.bootArguments = "portcullis.trace" }
    let board = try started(options)
    let its = BoardHardware.its(0)
    let queue = BoardHardware.image.base.rawValue + 0x1_0000
    #expect(board.store(.double, its + 0x80, 1 << 63 | queue) != .aborted)
    #expect(board.store(.word, its, 1) != .aborted)
    #expect(board.violations().isEmpty)
    #expect(try #require(board.gic.read(.double, at: its + 0x80)) & 0xf_ffff_ffff_f000 != queue)
    guard isTraced else { return #expect(board.call(.own(0x300)).x0 == SMCCC.notSupported) }
    // The header of the trace, then what was accessed.
    var records = 0
    while board.call(.own(0x300, 0)).x0 == 0 {
      #expect(board.call(.own(0x300, 1)).x0 == 0)
      records += 1
    }
    #expect(records > 2)
    #expect(board.call(.own(0x300, 2)).x0 == UInt64(bitPattern: -3))
  }

  @Test("A trace goes to the console, at once or at the end", arguments: ["", "=console"])
  func trace(_ form: String) throws {
    var options = BoardOptions()
    options.bootArguments = "portcullis.trace" + form
    let board = try started(options)
    _ = board.load(.double, BoardHardware.its(0) + 8)
    #expect(board.console.contains("portcullis: trace ") == !form.isEmpty)
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("portcullis: trace "))
  }

  // MARK: Calls

  @Test("The host is told where EL2 lies")
  func facts() throws {
    let board = try started()
    let version = board.call(.own(0))
    #expect(version.x0 == 0 && version.x1 == HypervisorService.version)
    #expect(version.x2 == BoardHardware.image.base.rawValue)
    #expect(version.x3 == BoardHardware.image.size)
    #expect(board.call(.own(1, 1)).x0 == SMCCC.notSupported)
    #expect(board.call(.own(0x999)).x0 == SMCCC.notSupported)
    let canary = board.call(.own(0x100))
    board.memory.store(.double, 1, at: canary.x1 + 64)
    let damage = board.call(.own(0x101))
    #expect(damage.x1 == 1 && damage.x2 == canary.x1 + 64)
    #expect(board.call(.own(0x101)).x1 == 0)
    // Firmware is not asked for what it could do behind EL2's back.
    let calls = board.calls.count
    #expect(board.call(SMCCC.Call(0xc400_0020)).x0 == SMCCC.notSupported)
    #expect(board.calls.count == calls)
    #expect(board.call(SMCCC.Call(0x8000_0000)).x0 == 0)
    #expect(board.calls.last?.function == 0x8000_0000)
  }

  @Test("Another CPU starts in EL2, and runs what the host wants")
  func processors() throws {
    var options = BoardOptions()
    options.processors = 3
    let board = try started(options)
    let on = SMCCC.Call(0xc400_0003, 1, 0x4800_0000, 7)
    // Nobody asked for it yet.
    #expect(board.monitor(1).startCPU(1) == nil)
    #expect(board.call(on).x0 == 0)
    let asked = try #require(board.calls.last)
    #expect(asked.function == 0xc400_0003 && asked.argument1 == 1)
    #expect(BoardHardware.image.contains(PhysicalAddress(asked.argument2)))
    #expect(asked.argument3 == 1)
    let start = try #require(board.monitor(1).startCPU(1))
    #expect(start.entry.rawValue == 0x4800_0000 && start.argument == 7)
    #expect(board.call(on).x0 == UInt64(bitPattern: -4))  // ALREADY_ON
    // Not where the host has nothing.
    let image = BoardHardware.image.base.rawValue
    #expect(board.call(SMCCC.Call(0xc400_0003, 2, image, 0)).x0 == UInt64(bitPattern: -9))
    #expect(board.monitor(7).startCPU(7) == nil)
  }

  @Test("A suspended machine wakes with all as EL2 left it, and not where SMMUs are EL2's")
  func suspends() throws {
    let board = try started()
    let suspend = SMCCC.Call(0xc400_000e, 0x4800_0000, 7)
    #expect(board.call(suspend).x0 == 0)
    #expect(board.calls.last?.argument1 == BoardHardware.image.base.rawValue + 0x100)
    #expect(!board.isOff)
    let owned = try started(Devices.owned.options)
    let calls = owned.calls.count
    #expect(owned.call(suspend).x0 == SMCCC.notSupported)
    #expect(owned.calls.count == calls)
  }

  @Test("A Redistributor that wakes with LPIs enabled ends it all, unless it can be stopped")
  func wakes() throws {
    let board = try started()
    board.gic.redistributors[0].state.isEnabled = true
    board.gic.redistributors[0].staysEnabled = true
    _ = board.call(SMCCC.Call(0xc400_000e, 0x4800_0000, 7))
    #expect(board.isOff)
    #expect(board.console.contains("a Redistributor woke with tables that EL2 does not hold"))
  }

  // MARK: Handover

  private var handover: BoardOptions {
    var options = BoardOptions()
    options.bootArguments = "portcullis.handover"
    return options
  }

  @Test("A host that hands nothing over is mediated when its trust ends")
  func endsTrust() throws {
    let board = try started(handover)
    let its = BoardHardware.its(0)
    let queue = BoardHardware.image.base.rawValue + 0x1_0000
    // It is trusted so far: what it writes is in the register.
    _ = board.store(.double, its + 0x80, queue)
    #expect(board.gic.read(.double, at: its + 0x80).map { $0 & 0xf_ffff_ffff_f000 } == queue)
    #expect(board.call(.own(0x200, 5, 0x4800_0000)).x0 == UInt64(bitPattern: -3))
    #expect(board.call(.own(0x201)).x0 == 0)
    #expect(try #require(board.gic.read(.double, at: its + 0x80)) & 0xf_ffff_ffff_f000 != queue)
    // Once.
    #expect(board.call(.own(0x201)).x0 == UInt64(bitPattern: -4))
    #expect(board.call(.own(0x200, 0, 0x4800_0000)).x0 == UInt64(bitPattern: -4))
    #expect(!board.isOff)
  }

  @Test("The trust in a host without an ITS ends once, too")
  func endsTrustWithoutITS() throws {
    var options = handover
    options.services = 0
    let board = try started(options)
    #expect(board.call(.own(0x201)).x0 == 0)
    #expect(board.call(.own(0x201)).x0 == UInt64(bitPattern: -4))
    #expect(!board.isOff)
  }

  @Test("One that keeps a live ITS to itself ends it all")
  func keepsITS() throws {
    let board = try started(handover)
    let its = BoardHardware.its(0)
    _ = board.store(.double, its + 0x80, 1 << 63 | 0x4800_0000)
    _ = board.store(.word, its, 1)
    #expect(board.call(.own(0x201)).x0 != 0)
    #expect(board.isOff && board.console.contains("a live ITS was not handed over, number 0"))
    #expect(board.load(.double, its + 8) == .aborted)
  }

  @Test("A descriptor that says nothing hands nothing over")
  func badDescriptor() throws {
    let board = try started(handover)
    #expect(Int64(bitPattern: board.call(.own(0x200, 0, 0x4800_0000)).x0) < 0)
    #expect(
      Int64(
        bitPattern: board.call(.own(0x200, 0, BoardHardware.image.base.rawValue)).x0) < 0)
    #expect(board.faults.isEmpty && !board.isOff)
  }

  // MARK: SMMUs

  @Test("What a device reached for is counted and told")
  func faults() throws {
    let board = try started(Devices.owned.options)
    let smmu = try #require(board.smmu)
    #expect(smmu.write(8, BoardHardware.image.base.rawValue, 1) != .completed(0))
    #expect(board.statistic(.smmuEvents) > 0)
    #expect(board.load(.word, smmu.base) == .aborted)
    #expect(board.store(.word, smmu.base + 0x20, 1) == .aborted)
    _ = board.call(SMCCC.Call(PSCI.systemOff))
    #expect(board.console.contains("DMA fault: SMMU 0 stream 0x8 "))
  }

  @Test("A host drives the SMMU that it sees")
  func nested() throws {
    let board = try started(Devices.nested.options)
    let smmu = try #require(board.smmu)
    #expect(board.load(.word, smmu.base) != .aborted)
    #expect(board.store(.word, smmu.base + 0x20, 0) != .aborted)
    // Its stream table would be EL2's.
    let table = BoardHardware.image.base.rawValue + 0x1_0000
    _ = board.store(.double, smmu.base + 0x80, table)
    _ = board.store(.word, smmu.base + 0x88, 4)
    _ = board.store(.word, smmu.base + 0x20, 1)
    #expect(smmu.state.streamBase & 0xf_ffff_ffff_ffc0 != table)
    #expect(board.monitor().sumOfVirtualSMMUs { _ in 1 } == 1)
    #expect(board.violations().isEmpty)
  }
}
