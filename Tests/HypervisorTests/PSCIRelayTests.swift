// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Hypervisor

/// The states in which a CPU can be, by name.
enum StateCase: CaseIterable, Sendable {
  case off, starting, on

  var state: CPUState {
    switch self {
    case .off: .off
    case .starting: .starting(entry: 0x4000_0000, context: 7)
    case .on: .on
    }
  }
}

/// A table of CPU 0, which calls, and CPU 1 in a given state.
private func table(_ state: CPUState) -> CPUTable {
  var cpus = CPUTable()
  _ = cpus.add(affinity: 0, state: .on)
  _ = cpus.add(affinity: 0x100, state: state)
  return cpus
}

private func begin(
  _ function: PSCI.Function, _ a1: UInt64 = 0, _ a2: UInt64 = 0, _ a3: UInt64 = 0, cpu: Int = 0,
  in cpus: inout CPUTable
) -> PSCIRelay.Outcome {
  PSCIRelay.begin(
    SMCCC.Call(PSCI.cpuOn64, a1, a2, a3), function: function, cpu: cpu, cpus: &cpus,
    powerStates: .original, maySuspendSystem: true
  ) { (0x4000_0000..<0x5000_0000).contains($0) }
}

private func done(_ status: PSCI.Status) -> PSCIRelay.Outcome { .done(status.register) }

@Suite("Relay of PSCI calls")
struct PSCIRelayTests {
  @Test("CPU_ON depends on the target's state", arguments: StateCase.allCases)
  func cpuOn(state: StateCase) {
    var cpus = table(state.state)
    let outcome = begin(.cpuOn, 0x100, 0x4008_0000, 0x1234, in: &cpus)
    let after = cpus[1]
    switch state {
    case .off:
      #expect(outcome == .start(index: 1, affinity: 0x100))
      #expect(after == .starting(entry: 0x4008_0000, context: 0x1234))
    case .starting:
      #expect(outcome == done(.onPending) && after == state.state)
    case .on:
      #expect(outcome == done(.alreadyOn) && after == .on)
    }
    #expect(cpus[0] == .on)
  }

  @Test(
    "CPU_ON with wrong arguments never reaches firmware", arguments: StateCase.allCases,
    [
      (0x101, 0x4000_0000, .invalidParameters), (0x8000_0100, 0x4000_0000, .invalidParameters),
      (.max, 0x4000_0000, .invalidParameters), (1 << 40 | 0x100, 0, .invalidParameters),
      (0x100, 0x4000_0002, .invalidAddress), (0x100, 0x4000_0001, .invalidAddress),
      (0x100, 0x5000_0000, .invalidAddress), (0x100, .max, .invalidAddress),
      (0x100, 0, .invalidAddress),
    ] as [(UInt64, UInt64, PSCI.Status)])
  func wrongArguments(state: StateCase, call: (UInt64, UInt64, PSCI.Status)) {
    var cpus = table(state.state)
    let outcome = begin(.cpuOn, call.0, call.1, in: &cpus)
    #expect(outcome == done(call.2))
    #expect(cpus[0] == .on && cpus[1] == state.state)
  }

  @Test("Functions without a state of their own leave the table", arguments: StateCase.allCases)
  func stateless(state: StateCase) {
    var cpus = table(state.state)
    let outcomes = [
      begin(.version, in: &cpus), begin(.affinityInfo, 0x100, in: &cpus),
      begin(.systemOff, in: &cpus),
      begin(.systemReset, in: &cpus),
    ]
    #expect(outcomes == [.relay, .relay, .endSystem, .endSystem])
    #expect(cpus[0] == .on && cpus[1] == state.state)
  }

  @Test(
    "PSCI_FEATURES tells of nothing but what is relayed",
    arguments: [
      (0x8400_0000, true), (0xc400_0003, true), (0x8400_000a, true), (0x8400_0001, true),
      (0xc400_0001, true), (0xc400_000e, true), (0x8000_0000, true), (0x8000_0001, false),
      (0x8400_0013, false), (1 << 32 | 0x8400_0000, false), (.max, false),
    ] as [(UInt64, Bool)])
  func features(identifier: UInt64, isRelayed: Bool) {
    var cpus = table(.off)
    let outcome = begin(.features, identifier, in: &cpus)
    #expect(outcome == (isRelayed ? .relay : done(.notSupported)))
  }

  @Test("CPU_OFF takes the calling CPU off before firmware is asked")
  func cpuOff() {
    var cpus = table(.on)
    let outcome = begin(.cpuOff, cpu: 1, in: &cpus)
    #expect(outcome == .stop)
    #expect(cpus[1] == .off && cpus[0] == .on)
  }

  @Test("Firmware that refuses CPU_OFF finds the CPU on again")
  func refusedStop() {
    var cpus = table(.on)
    _ = begin(.cpuOff, cpu: 1, in: &cpus)
    PSCIRelay.finishStop(cpu: 1, cpus: &cpus)
    #expect(cpus[1] == .on)
  }

  @Test(
    "Firmware that refuses CPU_ON leaves the CPU off",
    arguments: [.alreadyOn, .denied, .invalidParameters, .notSupported] as [PSCI.Status])
  func refusedStart(status: PSCI.Status) {
    var cpus = table(.off)
    _ = begin(.cpuOn, 0x100, 0x4000_0000, in: &cpus)
    PSCIRelay.finishStart(index: 1, answer: status.register, cpus: &cpus)
    #expect(cpus[1] == .off)
    #expect(PSCIRelay.takeOrder(cpu: 1, cpus: &cpus) == nil)
    // And it can be asked for again.
    let again = begin(.cpuOn, 0x100, 0x4000_0000, in: &cpus)
    #expect(again == .start(index: 1, affinity: 0x100))
  }

  @Test("A started CPU takes its order once", arguments: [true, false])
  func order(answersFirst: Bool) throws {
    var cpus = table(.off)
    _ = begin(.cpuOn, 0x100, 0x4000_1000, 0x55, in: &cpus)
    if answersFirst { PSCIRelay.finishStart(index: 1, answer: 0, cpus: &cpus) }
    let order = try #require(PSCIRelay.takeOrder(cpu: 1, cpus: &cpus))
    if !answersFirst { PSCIRelay.finishStart(index: 1, answer: 0, cpus: &cpus) }
    #expect(order.entry == 0x4000_1000 && order.context == 0x55)
    #expect(cpus[1] == .on)
    #expect(PSCIRelay.takeOrder(cpu: 1, cpus: &cpus) == nil)
  }

  @Test("A CPU that nobody asked for gets no order", arguments: [1, 2, 63, 64, .max] as [Int])
  func noOrder(cpu: Int) {
    var cpus = table(.off)
    #expect(PSCIRelay.takeOrder(cpu: cpu, cpus: &cpus) == nil)
  }

  // CPU 1 has said CPU_OFF and still runs when CPU 0 says CPU_ON: firmware answers ALREADY_ON, and
  // may refuse CPU_OFF as well. Both answers can be recorded in either order.
  @Test("CPU_ON that overtakes a refused CPU_OFF leaves the CPU on", arguments: [true, false])
  func race(stopFirst: Bool) {
    var cpus = table(.on)
    _ = begin(.cpuOff, cpu: 1, in: &cpus)
    let outcome = begin(.cpuOn, 0x100, 0x4000_0000, in: &cpus)
    #expect(outcome == .start(index: 1, affinity: 0x100))
    if stopFirst { PSCIRelay.finishStop(cpu: 1, cpus: &cpus) }
    PSCIRelay.finishStart(index: 1, answer: PSCI.Status.alreadyOn.register, cpus: &cpus)
    if !stopFirst { PSCIRelay.finishStop(cpu: 1, cpus: &cpus) }
    #expect(cpus[1] == .on)
  }

  // Firmware has refused CPU_OFF once, and takes it the next time.
  @Test("A CPU that is being started is not switched off")
  func changedMind() throws {
    var cpus = table(.on)
    _ = begin(.cpuOff, cpu: 1, in: &cpus)
    _ = begin(.cpuOn, 0x100, 0x4000_0000, in: &cpus)
    PSCIRelay.finishStop(cpu: 1, cpus: &cpus)
    // Firmware may start it yet, and it would find no order.
    let denied = begin(.cpuOff, cpu: 1, in: &cpus)
    #expect(denied == done(.denied) && cpus[1] == .on)
    PSCIRelay.finishStart(index: 1, answer: PSCI.Status.alreadyOn.register, cpus: &cpus)
    let stopped = begin(.cpuOff, cpu: 1, in: &cpus)
    #expect(stopped == .stop)
  }

  @Test("CPU_ON that overtakes a CPU_OFF under way can be repeated")
  func overtaken() {
    var cpus = table(.on)
    _ = begin(.cpuOff, cpu: 1, in: &cpus)
    _ = begin(.cpuOn, 0x100, 0x4000_0000, in: &cpus)
    PSCIRelay.finishStart(index: 1, answer: PSCI.Status.alreadyOn.register, cpus: &cpus)
    #expect(cpus[1] == .off)
    let again = begin(.cpuOn, 0x100, 0x4000_0000, in: &cpus)
    #expect(again == .start(index: 1, affinity: 0x100))
  }
}

@Suite("Table of CPUs")
struct CPUTableTests {
  @Test("It holds each CPU once, and at most its capacity")
  func capacity() {
    var cpus = CPUTable()
    for number in 0..<CPUTable.capacity {
      let isAdded = cpus.add(affinity: UInt64(number) << 8, state: .off)
      #expect(isAdded)
    }
    let oneMore = cpus.add(affinity: 1, state: .on)
    #expect(!oneMore && cpus.count == CPUTable.capacity)
    #expect(cpus.index(of: 63 << 8) == 63 && cpus.index(of: 1) == nil)
  }

  @Test("Bits of MPIDR_EL1 beside the affinity don't make another CPU")
  func sameCPU() {
    var cpus = CPUTable()
    let isAdded = cpus.add(affinity: 0x1_8100_0203, state: .on)
    let isAddedAgain = cpus.add(affinity: 0x1_0000_0203, state: .on)
    let isAddedTwice = cpus.add(affinity: 0x1_8100_0203, state: .on)
    #expect(isAdded)
    #expect(!isAddedAgain && !isAddedTwice && cpus.count == 1)
  }
}
