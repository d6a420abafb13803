// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware

@testable import Hypervisor
@testable import Specification

/// A host that makes any calls on any CPUs, and firmware that does with them what it may, beside the
/// specification.
///
/// While a CPU is in firmware the others go on, within its call. A call from which firmware does not return ends
/// with the walk.
package final class PSCIWalk {
  private static let affinities: [UInt64] = [0, 1, 0x100, 0x101]
  let powerStateFormat: PSCI.PowerStateFormat
  let maySuspendSystem: Bool

  private var table = CPUTable()
  private var world: Specification.World
  private var dice: SeededGenerator
  /// How many steps a walk has.
  package static let steps: UInt64 = 300
  private var stepsLeft = PSCIWalk.steps
  /// What is wrong; empty for nothing.
  package private(set) var problems: [String] = []
  private(set) var reach: [Rule: Int] = [:]
  /// The calls that are in firmware, by the number of their CPU; one whose CPU was started anew never returns.
  private var calls: [Int: InFirmware] = [:]
  private(set) var isLocked = false
  /// What EL2 has done since the host's last call.
  private var prepared: Set<Preparation> = []

  /// What EL2 does before it has firmware end or suspend the board.
  enum Preparation { case end, suspension }

  /// A call that firmware has not answered.
  final class InFirmware {
    let cpu: Int
    let call: PowerCall
    /// What the host has called.
    let asked: SMCCC.Call
    var isOver = false
    var wasRelayed = false
    init(cpu: Int, _ call: PowerCall, _ asked: SMCCC.Call) {
      self.cpu = cpu
      self.call = call
      self.asked = asked
    }
  }

  /// One that EL2 owns; nothing but that counts here.
  private static let smmu = SMMU(
    identity: SMMUIdentity(
      idr0: SMMUIDR0(rawValue: 0), idr1: SMMUIDR1(rawValue: 0), idr3: SMMUIDR3(rawValue: 0),
      idr5: SMMUIDR5(rawValue: 0), streamIDBits: 0, devices: [], vmid: VMID(1), table: 0, control: 0
    ),
    hardware: [:])

  /// A board and a firmware by a number.
  package init(seed: UInt64) {
    dice = SeededGenerator(seed: seed)
    let keepsPower = seed % 2 == 0
    powerStateFormat = seed % 4 < 2 ? .original : .extended
    maySuspendSystem = !keepsPower
    var memory: [PageRange: Owner] = [:]
    if let host = PageRange(first: PageFrameNumber(0x4_0000), count: 0x1_0000) {
      memory[host] = .host
    }
    world = Specification.World(
      board: Specification.Board(interruptIDBits: 16, commandsPerTrap: 1, bytesPerTrap: 1),
      pages: Pages(initial: memory),
      itses: [], redistributors: [])
    world.power.hasExtendedStates = powerStateFormat == .extended
    if keepsPower { world.dma.smmus = [Self.smmu] }
    for (number, affinity) in Self.affinities.enumerated() {
      _ = table.add(affinity: affinity, state: number == 0 ? .on : .off)
      world.power.cpus[affinity] = number == 0 ? .on : .off
    }
  }

  /// Runs until all steps are made, or something is wrong.
  package func run() { while !isOver { step() } }

  private var isOver: Bool { stepsLeft == 0 || !problems.isEmpty }
  private func below(_ limit: Int) -> Int { Int.random(in: 0..<limit, using: &dice) }

  private func take(_ outcomes: [Outcome]) -> Answer? {
    guard let outcome = outcomes.first else { return nil }
    world = outcome.world
    for rule in outcome.rules { reach[rule, default: 0] += 1 }
    return outcome.answer
  }

  private func step() {
    guard !isOver else { return }
    stepsLeft -= 1
    let cpu = below(4), affinity = Self.affinities[cpu]
    if world.power.cpus[affinity] == .on, calls[cpu] == nil {
      call(cpu)
    } else {
      enter(cpu)
    }
    // At the end calls return that never would.
    if !isOver { compare() }
  }

  /// How often each rule has permitted an outcome, by its name.
  package var reached: [String: Int] {
    Dictionary(uniqueKeysWithValues: reach.map { ($0.key.rawValue, $0.value) })
  }

  // MARK: The host

  /// A call of the host, as PSCI numbers it and as the specification has it.
  private func choose() -> (UInt32, [UInt64], PowerCall) {
    let target = below(8) == 0 ? 0x200 : Self.affinities[below(4)]
    let entries: [UInt64] = [0x4000_0000, 0x4fff_fffc, 0x4000_0000, 0x4000_0002, 0x5000_0000, 0]
    let states: [UInt32] = [
      0, 1 << 16, 1 << 24 | 1 << 16, 1 << 25 | 1 << 16, 3 << 24 | 1 << 16, 1 << 30,
      1 << 30 | 1 << 16,
    ]
    let entry = entries[below(6)], state = states[below(7)]
    switch below(12) {
    case 0: return (0x8400_0000, [], .query(isListed: true))
    case 1:
      let isListed = below(2) == 0
      return (0x8400_000a, [isListed ? 0xc400_0003 : 0x8400_0013], .query(isListed: isListed))
    case 2:
      return (0x8400_000a, [0xc400_000e], .query(isListed: maySuspendSystem))
    case 3, 4, 5: return (0xc400_0003, [target, entry, 7], .on(target, entry: entry))
    case 6: return (0x8400_0002, [], .off)
    case 7, 8:
      return (0xc400_0001, [UInt64(state), entry, 7], .suspend(state: state, entry: entry))
    case 9:
      return ([0xc400_000c, 0x8400_000e][below(2)], [entry, 7], .sleep(entry: entry))
    case 10: return ([0x8400_0008, 0x8400_0009][below(2)], [], .reset(type: 0))
    default:
      let type = [0, 1, 1 << 31][below(3)] as UInt64
      return (0xc400_0012, [type], .reset(type: UInt32(type)))
    }
  }

  private func call(_ cpu: Int) {
    let (identifier, arguments, call) = choose()
    func argument(_ index: Int) -> UInt64 { index < arguments.count ? arguments[index] : 0 }
    let asked = SMCCC.Call(identifier, argument(0), argument(1), argument(2))
    guard let function = PSCI.Function(identifier: identifier) else {
      problems.append("\(identifier) is not relayed")
      return
    }
    let expected = take(world.calling(Self.affinities[cpu], call))
    let place = InFirmware(cpu: cpu, call, asked)
    calls[cpu] = place
    prepared = []
    let found = PSCIRelay.serve(
      asked, function: function, cpu: cpu, on: Machine(walk: self, place: place)
    ).x0
    if isOver { return }
    calls[cpu] = nil
    guard case .value(let value)? = expected else {
      // What firmware has answered the specification has taken note of there.
      if !place.wasRelayed {
        problems.append("\(call) of CPU \(cpu): expected to be relayed, found \(found)")
      }
      return
    }
    if place.wasRelayed || found != value {
      problems.append(
        "\(call) of CPU \(cpu): expected \(value), found \(found), relayed \(place.wasRelayed)")
    }
  }

  // MARK: EL2

  func withCPUs<Value>(_ body: (inout CPUTable) -> Value) -> Value {
    isLocked = true
    defer { isLocked = false }
    return body(&table)
  }

  func prepare(_ what: Preparation) { prepared.insert(what) }

  // MARK: Firmware

  /// Firmware is called: the others go on, and then it answers, or does not.
  func answer(_ call: SMCCC.Call, _ place: InFirmware) -> SMCCC.Result {
    place.wasRelayed = true
    if isLocked { problems.append("firmware is called with the lock of the table held") }
    check(call, place)
    for _ in 0..<below(4) { step() }
    let status = choose(place)
    // It does not return.
    while status == nil || place.isOver {
      if isOver { return SMCCC.Result(0) }
      step()
      if status == nil, !place.isOver, below(16) == 0 { return end(place, -3) }
    }
    return end(place, status ?? 0)
  }

  private func end(_ place: InFirmware, _ status: Int64) -> SMCCC.Result {
    _ = take(world.answering(Self.affinities[place.cpu], place.call, status))
    return SMCCC.Result(UInt64(bitPattern: status))
  }

  /// What firmware answers; nil where it switches the CPU or the board off.
  private func choose(_ place: InFirmware) -> Int64? {
    switch place.call {
    case .on(let target, _):
      // One that it has started it does not deny.
      if case .starting = world.power.cpus[target] { return [0, 0, -2, -4][below(4)] }
      return 0
    case .off, .sleep: return below(4) == 0 ? -3 : nil
    case .suspend: return below(2) == 0 ? 0 : nil
    case .query: return Int64(below(3))
    case .reset: return -1
    }
  }

  /// Firmware gets EL2's entry and never the host's, and EL2 has done before what it has to.
  private func check(_ call: SMCCC.Call, _ place: InFirmware) {
    let number = UInt64(place.cpu)
    let expected: SMCCC.Call
    switch place.call {
    case .on(let target, _):
      let index = Self.affinities.firstIndex(of: target).map { UInt64($0) } ?? .max
      expected = SMCCC.Call(PSCI.cpuOn64, target, Machine.ownEntry, index)
    case .suspend(let state, _):
      expected = SMCCC.Call(PSCI.cpuSuspend64, UInt64(state), Machine.ownEntry, number)
    case .sleep: expected = SMCCC.Call(place.asked.function | 1 << 30, Machine.ownEntry, number)
    case .query, .off, .reset: expected = place.asked
    }
    if call != expected { problems.append("\(place.call): expected \(expected), found \(call)") }
    if case .reset = place.call, !prepared.contains(.end) { problems.append("the log is lost") }
    if call.function == PSCI.systemSuspend64, !prepared.contains(.suspension) {
      problems.append("nobody has prepared the ITSes")
    }
  }

  /// Firmware enters EL2 on a CPU, whether somebody has asked for it or not.
  private func enter(_ cpu: Int) {
    let expected = take(world.entering(Self.affinities[cpu]))
    var entry: UInt64?
    entry = PSCIRelay.takeOrder(cpu: cpu, cpus: &table)?.entry
    if expected != entry.map({ Answer.value($0) }) {
      problems.append(
        "CPU \(cpu) enters at \(String(describing: entry)), not \(String(describing: expected))")
    }
    // What it had called before it lost its power is never answered.
    if expected != nil { calls.removeValue(forKey: cpu)?.isOver = true }
  }

  /// The table of CPUs against the specification.
  private func compare() {
    for (cpu, affinity) in Self.affinities.enumerated() {
      let found: Power.State =
        switch table[cpu] {
        case .off: .off
        case .on: .on
        case .starting(let entry, _): .starting(entry)
        case .suspended(let entry, _): .asleep(entry)
        }
      if world.power.cpus[affinity] != found {
        problems.append(
          "CPU \(cpu): expected \(String(describing: world.power.cpus[affinity])), found \(found)")
      }
    }
  }
}

/// The machine as a call of one CPU sees it.
private struct Machine: RelayMachine {
  static let ownEntry: UInt64 = 0x8000_1000

  let walk: PSCIWalk
  let place: PSCIWalk.InFirmware

  var entry: UInt64 { Self.ownEntry }
  var powerStateFormat: PSCI.PowerStateFormat { walk.powerStateFormat }
  var maySuspendSystem: Bool { walk.maySuspendSystem }
  func isHostMemory(_ address: UInt64) -> Bool { (0x4000_0000..<0x5000_0000).contains(address) }
  func withCPUs<Value>(_ body: (inout CPUTable) -> Value) -> Value { walk.withCPUs(body) }
  func prepareForEnd() { walk.prepare(.end) }
  func prepareForSuspension() { walk.prepare(.suspension) }
  func finishSuspension() {}
  func waitForInterrupt() {}
  func call(_ call: SMCCC.Call) -> SMCCC.Result { walk.answer(call, place) }
}
