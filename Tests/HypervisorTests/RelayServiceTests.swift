// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Hypervisor

/// A machine whose firmware answers as it is told, and looks at the table of CPUs while it is called.
private final class FakeMachine: RelayMachine {
  let entry: UInt64 = 0x8000_1000
  var powerStateFormat = PSCI.PowerStateFormat.original
  var maySuspendSystem = true
  /// What firmware answers to a function; SUCCESS to all others.
  var answers: [UInt32: SMCCC.Result] = [:]
  /// What is done while firmware has the control.
  var meanwhile: (inout CPUTable) -> Void = { _ in }

  private(set) var calls: [SMCCC.Call] = []
  /// The states of CPU 0 and 1 as firmware found them.
  private(set) var found: [[CPUState]] = []
  private(set) var ends = 0
  /// What was prepared for and not finished.
  private(set) var suspensions = 0
  private(set) var suspensionsBegun = 0
  private(set) var waits = 0
  private var isLocked = false
  private var table: CPUTable

  init(other: CPUState = .off) {
    table = CPUTable()
    _ = table.add(affinity: 0, state: .on)
    _ = table.add(affinity: 0x100, state: other)
  }

  var states: [CPUState] { [table[0], table[1]] }

  func call(_ call: SMCCC.Call) -> SMCCC.Result {
    #expect(!isLocked, "firmware is called with the lock of the table held")
    calls.append(call)
    found.append(states)
    meanwhile(&table)
    return answers[call.function] ?? SMCCC.Result(0)
  }

  func isHostMemory(_ address: UInt64) -> Bool { (0x4000_0000..<0x5000_0000).contains(address) }

  func withCPUs<Value>(_ body: (inout CPUTable) -> Value) -> Value {
    isLocked = true
    defer { isLocked = false }
    return body(&table)
  }

  func prepareForEnd() { ends += 1 }
  func prepareForSuspension() {
    suspensions += 1
    suspensionsBegun += 1
  }
  func finishSuspension() { suspensions -= 1 }
  func waitForInterrupt() {
    #expect(!isLocked, "waits with the lock of the table held")
    waits += 1
  }

  /// A call as the host makes it.
  func serve(_ function: UInt32, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0, cpu: Int = 0)
    throws -> SMCCC.Result
  {
    let call = SMCCC.Call(function, a1, a2, a3).normalized
    let known = try #require(PSCI.Function(identifier: function))
    return PSCIRelay.serve(call, function: known, cpu: cpu, on: self)
  }
}

/// The states of power, by what they make a CPU lose.
private let powerStates: [(format: PSCI.PowerStateFormat, state: UInt64, isPowerDown: Bool)] = [
  (.original, 0, false), (.original, 1 << 16, true), (.original, 1 << 16 | 0x200_0042, true),
  (.original, 1 << 30, false), (.extended, 0, false), (.extended, 1 << 30, true),
  (.extended, 1 << 30 | 0x42, true), (.extended, 1 << 16, false),
]

@Suite("The host's PSCI calls, with a firmware that is not there")
struct RelayServiceTests {
  @Test(
    "F-10: A machine that may not be suspended has no SYSTEM_SUSPEND and no CPU_DEFAULT_SUSPEND",
    arguments: [0x8400_000e, 0xc400_000e, 0x8400_000c, 0xc400_000c] as [UInt32])
  func noSuspension(function: UInt32) throws {
    let machine = FakeMachine()
    machine.maySuspendSystem = false
    let notSupported = PSCI.Status.notSupported.register
    #expect(try machine.serve(function, 0x4000_8000, 0x77).x0 == notSupported)
    #expect(try machine.serve(0x8400_000a, UInt64(function)).x0 == notSupported)
    #expect(machine.calls.isEmpty && machine.suspensions == 0)
    #expect(machine.states == [.on, .off])
    // CPU_ON, and CPU_SUSPEND of one CPU.
    #expect(try machine.serve(0x8400_000a, 0xc400_0003).x0 == 0)
    _ = try machine.serve(0xc400_0001, 1 << 16, 0x4000_8000, 0x77)
    #expect(machine.calls.count == 2)
    machine.maySuspendSystem = true
    #expect(try machine.serve(0x8400_000a, UInt64(function)).x0 == 0)
    var isPrepared = false
    machine.meanwhile = { [unowned machine] _ in isPrepared = machine.suspensions == 1 }
    _ = try machine.serve(function, 0x4000_8000, 0x77)
    #expect(isPrepared == (function & 0xff == 0x0e) && machine.suspensions == 0)
  }

  @Test(
    "F-10: Where the machine must keep its power, CPU_SUSPEND takes no more than a cluster's",
    arguments: [0x8400_0001, 0xc400_0001] as [UInt32],
    [
      // A CPU, a cluster, the system, and a level that nobody has.
      (.original, 1 << 16, true), (.original, 1 << 24 | 1 << 16 | 0x42, true),
      (.original, 2 << 24 | 1 << 16, false), (.original, 3 << 24 | 1 << 16 | 1, false),
      // What is no power-down state keeps everything.
      (.original, 2 << 24, true), (.extended, 0x0fff_ffff, true),
      // What a StateID stands for isn't known.
      (.extended, 1 << 30, false), (.extended, 1 << 30 | 0x0100_0001, false),
    ] as [(PSCI.PowerStateFormat, UInt64, Bool)])
  func suspendSystem(
    function: UInt32, state: (format: PSCI.PowerStateFormat, state: UInt64, isRelayed: Bool)
  ) throws {
    let machine = FakeMachine()
    machine.powerStateFormat = state.format
    machine.maySuspendSystem = false
    let answer = try machine.serve(function, state.state, 0x4000_8000, 0x77)
    #expect(answer.x0 == PSCI.Status.success.register)
    #expect(machine.calls.count == (state.isRelayed ? 1 : 0))
    #expect(machine.waits == (state.isRelayed ? 0 : 1))
    #expect(machine.states == [.on, .off])
    // The entry point is looked at all the same.
    guard !state.isRelayed else { return }
    let wrong = try machine.serve(function, state.state, 0x6000_0000)
    #expect(wrong.x0 == PSCI.Status.invalidAddress.register && machine.waits == 1)
  }

  @Test("F-10: Where the machine must keep its power, its last CPU stays on", arguments: [0, 1, 2])
  func lastCPU(other: Int) throws {
    let asleep = CPUState.suspended(entry: 0x4000_0040, context: 1)
    let machine = FakeMachine(other: [.off, .on, asleep][other])
    machine.maySuspendSystem = false
    let answer = try machine.serve(0x8400_0002)
    #expect((answer.x0 == PSCI.Status.denied.register) == (other == 0))
    #expect(machine.calls.count == (other == 0 ? 0 : 1))
  }

  @Test(
    "CPU_SUSPEND to a power-down state has firmware wake the CPU at EL2's entry",
    arguments: [0x8400_0001, 0xc400_0001] as [UInt32], powerStates)
  func suspend(
    function: UInt32, state: (format: PSCI.PowerStateFormat, state: UInt64, isPowerDown: Bool)
  ) throws {
    let machine = FakeMachine()
    machine.powerStateFormat = state.format
    _ = try machine.serve(function, state.state, 0x4000_8000, 0x77)
    #expect(
      machine.calls == [SMCCC.Call(PSCI.cpuSuspend64, state.state, machine.entry, 0)])
    let asleep = CPUState.suspended(entry: 0x4000_8000, context: 0x77)
    #expect(machine.found == [[state.isPowerDown ? asleep : .on, .off]])
    // Firmware has come back: the host goes on behind its call, whatever the state.
    #expect(machine.states == [.on, .off])
    #expect(machine.suspensions == 0)
  }

  @Test("A CPU that lost its power wakes where the host wanted it, once")
  func wake() throws {
    let machine = FakeMachine()
    var orders: [UInt64] = []
    machine.meanwhile = { cpus in
      // The CPU enters EL2 as one that was started.
      guard let order = PSCIRelay.takeOrder(cpu: 0, cpus: &cpus) else { return }
      orders += [order.entry, order.context]
      #expect(cpus[0] == .on)
      #expect(PSCIRelay.takeOrder(cpu: 0, cpus: &cpus) == nil)
    }
    _ = try machine.serve(0xc400_0001, 1 << 16, 0x4000_8000, 0x77)
    #expect(orders == [0x4000_8000, 0x77])
  }

  @Test(
    "A standby state needs no entry point, a power-down state one in the host's memory",
    arguments: [0, 0x4000_0002, 0x5000_0000, .max] as [UInt64])
  func entryPoint(entry: UInt64) throws {
    let machine = FakeMachine()
    let refused = try machine.serve(0xc400_0001, 1 << 16, entry)
    #expect(refused.x0 == PSCI.Status.invalidAddress.register)
    #expect(machine.calls.isEmpty && machine.states == [.on, .off])
    let standby = try machine.serve(0xc400_0001, 1, entry)
    #expect(standby.x0 == 0 && machine.calls.count == 1)
    #expect(machine.calls[0].argument2 == machine.entry)
  }

  @Test(
    "Calls that suspend without a state are relayed with EL2's entry",
    arguments: [
      (0x8400_000c, PSCI.cpuDefaultSuspend64, 0), (0xc400_000c, PSCI.cpuDefaultSuspend64, 0),
      (0x8400_000e, PSCI.systemSuspend64, 1), (0xc400_000e, PSCI.systemSuspend64, 1),
    ] as [(UInt32, UInt32, Int)])
  func stateless(asked: UInt32, relayed: UInt32, suspensions: Int) throws {
    let machine = FakeMachine()
    machine.answers[relayed] = SMCCC.Result(PSCI.Status.denied.register)
    let wrong = try machine.serve(asked, 0x6000_0000)
    #expect(wrong.x0 == PSCI.Status.invalidAddress.register && machine.calls.isEmpty)
    let answer = try machine.serve(asked, 0x4000_0040, 0x99)
    #expect(answer.x0 == PSCI.Status.denied.register)
    #expect(machine.calls == [SMCCC.Call(relayed, machine.entry, 0)])
    #expect(machine.found == [[.suspended(entry: 0x4000_0040, context: 0x99), .off]])
    #expect(machine.states == [.on, .off])
    #expect(machine.suspensionsBegun == suspensions && machine.suspensions == 0)
    #expect(machine.ends == 0)
  }

  @Test("CPU_ON of a suspended CPU is ALREADY_ON, and its order stays")
  func startSuspended() throws {
    let asleep = CPUState.suspended(entry: 0x4000_0040, context: 1)
    let machine = FakeMachine(other: asleep)
    let answer = try machine.serve(0xc400_0003, 0x100, 0x4000_1000, 2)
    #expect(answer.x0 == PSCI.Status.alreadyOn.register && machine.calls.isEmpty)
    #expect(machine.states == [.on, asleep])
  }

  @Test("CPU_ON has firmware start the CPU at EL2's entry with its number", arguments: [0, -2, -3])
  func start(answer: Int64) throws {
    let machine = FakeMachine()
    machine.answers[PSCI.cpuOn64] = SMCCC.Result(UInt64(bitPattern: answer))
    let result = try machine.serve(0xc400_0003, 0x100, 0x4000_1000, 2)
    #expect(result.x0 == UInt64(bitPattern: answer))
    #expect(machine.calls == [SMCCC.Call(PSCI.cpuOn64, 0x100, machine.entry, 1)])
    let starting = CPUState.starting(entry: 0x4000_1000, context: 2)
    #expect(machine.found == [[.on, starting]])
    #expect(machine.states == [.on, answer == 0 ? starting : .off])
  }

  @Test("CPU_OFF that firmware refuses leaves the CPU on")
  func refusedStop() throws {
    let machine = FakeMachine(other: .on)
    machine.answers[0x8400_0002] = SMCCC.Result(PSCI.Status.denied.register)
    let answer = try machine.serve(0x8400_0002, cpu: 1)
    #expect(answer.x0 == PSCI.Status.denied.register)
    #expect(machine.found == [[.on, .off]] && machine.states == [.on, .on])
  }

  @Test(
    "The end of the machine is told before firmware is asked for it",
    arguments: [0x8400_0008, 0x8400_0009, 0x8400_0012, 0xc400_0012] as [UInt32])
  func end(function: UInt32) throws {
    let machine = FakeMachine()
    _ = try machine.serve(function)
    #expect(machine.ends == 1 && machine.calls == [SMCCC.Call(function)])
  }

  @Test("A reset of a vendor's type is refused", arguments: [1, 1 << 31] as [UInt64])
  func vendorReset(type: UInt64) throws {
    let machine = FakeMachine()
    let answer = try machine.serve(0xc400_0012, type)
    #expect(answer.x0 == PSCI.Status.invalidParameters.register)
    #expect(machine.calls.isEmpty && machine.ends == 0)
  }

  @Test(
    "What changes nothing of EL2's is relayed as it is, and answered as firmware answers",
    arguments: [
      0x8400_0000, 0x8400_0004, 0xc400_0004, 0x8400_0006, 0xc400_000d, 0x8400_000f, 0xc400_0010,
      0xc400_0011,
    ] as [UInt32])
  func relayed(function: UInt32) throws {
    let machine = FakeMachine()
    var firmware = SMCCC.Result(0x1234)
    firmware.x1 = 5
    machine.answers[function] = firmware
    let answer = try machine.serve(function, 0x100, 2, 3)
    #expect(answer == firmware && machine.calls == [SMCCC.Call(function, 0x100, 2, 3)])
    #expect(machine.states == [.on, .off])
  }

  @Test(
    "Functions that are not there for the host",
    arguments: [
      0x8400_0005, 0xc400_0005, 0x8400_0007, 0xc400_0007, 0x8400_000b, 0x8400_0013, 0xc400_0014,
      0x8400_0015, 0x8400_00ff, 0xc400_0000, 0xc400_0002, 0xc400_0008,
    ] as [UInt32])
  func absent(function: UInt32) {
    #expect(PSCI.Function(identifier: function) == nil)
  }

  @Test(
    "PSCI_FEATURES for CPU_SUSPEND tells the format of a state",
    arguments: [
      (0, .original), (1, .original), (2, .extended), (3, .extended),
      (UInt64(bitPattern: -1), .original), (0xffff_ffff, .original),
      (0xffff_ffff_0000_0002, .extended),
    ] as [(UInt64, PSCI.PowerStateFormat)])
  func format(features: UInt64, format: PSCI.PowerStateFormat) {
    #expect(PSCI.PowerStateFormat(features: features) == format)
  }
}

@Suite("Services of firmware beside PSCI")
struct FirmwareServiceTests {
  private let noCalls = FirmwareService.TreeCalls(filler: 0)

  @Test("F-32: What the tree names is relayed by exactly its number, without arguments")
  func named() {
    let machine = FakeMachine()
    machine.answers[0x8200_0010] = SMCCC.Result(5)
    var calls = noCalls
    _ = calls.append(0x8200_0010)
    let answer = FirmwareService.serve(
      SMCCC.Call(0x8200_0010, 7, 8, 9), treeCalls: calls, through: machine)
    #expect(answer.x0 == 5 && machine.calls == [SMCCC.Call(0x8200_0010)])
    for number: UInt32 in [0x8200_0011, 0xc200_0010, 0x0200_0010, 0] {
      let other = FirmwareService.serve(SMCCC.Call(number), treeCalls: calls, through: machine)
      #expect(other.x0 == SMCCC.notSupported && machine.calls.count == 1)
    }
  }

  @Test(
    "What passes reaches firmware with its arguments, and its results come back",
    arguments: [
      0x8000_0000, 0x8000_0002, 0xc000_0002, 0x8000_8000, 0x8000_7fff, 0x8000_3fff, 0x8000_3ffe,
      0x8400_0050, 0x8400_0052, 0x8400_0053, 0xc400_0053,
    ] as [UInt32])
  func passed(function: UInt32) {
    let machine = FakeMachine()
    var firmware = SMCCC.Result(1)
    firmware.x3 = 0xdead_beef
    machine.answers[function] = firmware
    let answer = FirmwareService.serve(
      SMCCC.Call(function, 7, 8, 9), treeCalls: noCalls, through: machine)
    #expect(answer == firmware && machine.calls == [SMCCC.Call(function, 7, 8, 9)])
  }

  @Test(
    "Everything else is NOT_SUPPORTED and reaches nobody",
    arguments: [
      0x8000_0003, 0x8000_ffff, 0x8400_0020, 0xc400_0020, 0xc400_0021, 0x8400_0060, 0x8400_0063,
      0xc400_0066, 0x8200_0000, 0xc200_0001, 0x8300_0000, 0x8600_ff01, 0xb200_0000, 0xbf00_ff01,
      0x8400_0130, 0, 1, .max,
    ] as [UInt32])
  func refused(function: UInt32) {
    let machine = FakeMachine()
    let answer = FirmwareService.serve(
      SMCCC.Call(function, 7), treeCalls: noCalls, through: machine)
    #expect(answer.x0 == SMCCC.notSupported && machine.calls.isEmpty)
  }

  @Test(
    "A function that asks for another one tells of those alone that pass",
    arguments: [0x8000_0001, 0x8400_0051] as [UInt32],
    [(0x8000_8000, true), (0xc400_0053, true), (0xc400_0020, false), (0x8200_0000, false)]
      as [(UInt64, Bool)])
  func features(function: UInt32, asked: (identifier: UInt64, isPassed: Bool)) {
    let machine = FakeMachine()
    let answer = FirmwareService.serve(
      SMCCC.Call(function, asked.identifier), treeCalls: noCalls, through: machine)
    #expect(answer.x0 == (asked.isPassed ? 0 : SMCCC.notSupported))
    #expect(machine.calls.count == (asked.isPassed ? 1 : 0))
  }
}
