// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the relay of the host's calls needs of the machine.
public protocol RelayMachine: Firmware, ~Copyable {
  /// Where firmware is to have CPUs enter EL2, x0 = the number of the CPU.
  var entry: UInt64 { get }
  /// How firmware reads `power_state`.
  var powerStateFormat: PSCI.PowerStateFormat { get }
  /// Whether the host may run code at an address of its own.
  func isHostMemory(_ address: UInt64) -> Bool
  /// Runs `body` on the table of CPUs, with its lock held.
  func withCPUs<Value>(_ body: (inout CPUTable) -> Value) -> Value
  /// Whether the machine may lose the power of all but memory: what EL2 has set up is there when it wakes, or
  /// does no harm.
  var maySuspendSystem: Bool { get }
  /// Called before firmware is asked to switch the machine off or reset it.
  func prepareForEnd()
  /// Called before firmware is asked to suspend the machine.
  func prepareForSuspension()
  /// Called where firmware returns from that, and nothing was lost.
  func finishSuspension()
  /// Waits for an interrupt, which may be one that is masked.
  func waitForInterrupt()
}

/// Serves the host's PSCI calls by relaying the safe ones to firmware.
///
/// Every CPU must enter EL2 before it runs host code: firmware is never given an address of the
/// host, only the image's own entry with the number of the CPU; what the host asked for waits in the
/// table.
public enum PSCIRelay {
  /// What follows a call.
  public enum Outcome: Equatable, Sendable {
    /// Return this in x0.
    case done(UInt64)
    /// Ask firmware and return what it answers.
    case relay
    /// Ask firmware to start CPU `index` at the image's entry, then call `finishStart`.
    case start(index: Int, affinity: UInt64)
    /// Ask firmware to switch this CPU off; returns only where it refuses: call `finishStop`.
    case stop
    /// Ask firmware to suspend this CPU, or with it the machine; it returns, or wakes at the image's
    /// entry. Where it returns, call `finishSuspend`.
    case suspend(Suspension)
    /// Wait for an interrupt on this CPU, which keeps its power, and return success.
    case wait
    /// Ask firmware to switch off or reset the machine, after the log is drained.
    case endSystem
  }

  /// What is suspended by a call that names an entry point.
  public enum Suspension: Equatable, Sendable {
    /// This CPU, to the state that is named.
    case cpu(powerState: UInt64)
    /// This CPU, to the state that firmware chooses.
    case cpuByDefault
    /// The machine.
    case system

    /// The call of firmware, with which this CPU wakes at `entry`.
    func call(entry: UInt64, context: UInt64) -> SMCCC.Call {
      switch self {
      case .cpu(let state): SMCCC.Call(PSCI.cpuSuspend64, state, entry, context)
      case .cpuByDefault: SMCCC.Call(PSCI.cpuDefaultSuspend64, entry, context)
      case .system: SMCCC.Call(PSCI.systemSuspend64, entry, context)
      }
    }
  }

  /// Serves a call of CPU `cpu`, which must be below the count of the table, and returns the answer.
  ///
  /// Does not return where firmware switches this CPU off, or lets it lose what it holds.
  public static func serve<Machine: RelayMachine & ~Copyable>(
    _ call: SMCCC.Call, function: PSCI.Function, cpu: Int, on machine: borrowing Machine
  ) -> SMCCC.Result {
    if !machine.maySuspendSystem, asksToSuspend(call, function) {
      return SMCCC.Result(PSCI.Status.notSupported.register)
    }
    let format = machine.powerStateFormat
    let maySuspendSystem = machine.maySuspendSystem
    let outcome = machine.withCPUs { cpus in
      begin(
        call, function: function, cpu: cpu, cpus: &cpus, powerStates: format,
        maySuspendSystem: maySuspendSystem, isHostMemory: { machine.isHostMemory($0) })
    }
    switch outcome {
    case .done(let value): return SMCCC.Result(value)
    case .relay: return machine.call(call)
    case .wait:
      machine.waitForInterrupt()
      return SMCCC.Result(PSCI.Status.success.register)
    case .endSystem:
      machine.prepareForEnd()
      return machine.call(call)
    case .stop:
      let answer = machine.call(call)
      machine.withCPUs { finishStop(cpu: cpu, cpus: &$0) }
      return answer
    case .start(let index, let affinity):
      let answer = machine.call(
        SMCCC.Call(
          PSCI.cpuOn64, affinity, machine.entry, UInt64(truncatingIfNeeded: index)))
      machine.withCPUs { finishStart(index: index, answer: answer.x0, cpus: &$0) }
      return answer
    case .suspend(let suspension):
      if suspension == .system { machine.prepareForSuspension() }
      let answer = machine.call(
        suspension.call(entry: machine.entry, context: UInt64(truncatingIfNeeded: cpu)))
      machine.withCPUs { finishSuspend(cpu: cpu, cpus: &$0) }
      if suspension == .system { machine.finishSuspension() }
      return answer
    }
  }

  /// Whether a call is SYSTEM_SUSPEND or CPU_DEFAULT_SUSPEND, whose state firmware chooses, or asks whether
  /// there is one.
  private static func asksToSuspend(_ call: SMCCC.Call, _ function: PSCI.Function) -> Bool {
    switch function {
    case .systemSuspend, .cpuDefaultSuspend: true
    case .features:
      switch UInt32(exactly: call.argument1).flatMap({ PSCI.Function(identifier: $0) }) {
      case .systemSuspend, .cpuDefaultSuspend: true
      default: false
      }
    default: false
    }
  }

  /// Decides what a call of CPU `cpu` comes to.
  ///
  /// - Parameters:
  ///   - call: the host's arguments, normalized.
  ///   - cpu: the number of the calling CPU.
  ///   - cpus: the table, locked.
  ///   - powerStates: how firmware reads `power_state`.
  ///   - maySuspendSystem: whether the machine may lose the power of all but memory.
  ///   - isHostMemory: whether the host may run code at an address of its own.
  public static func begin(
    _ call: SMCCC.Call, function: PSCI.Function, cpu: Int, cpus: inout CPUTable,
    powerStates: PSCI.PowerStateFormat, maySuspendSystem: Bool, isHostMemory: (UInt64) -> Bool
  ) -> Outcome {
    func mayStart(at entry: UInt64) -> Bool { entry & 3 == 0 && isHostMemory(entry) }

    switch function {
    case .version, .affinityInfo, .migrateInfoType, .nodeHardwareState, .setSuspendMode,
      .residencyStatistics, .countStatistics:
      return .relay
    case .features:
      // Only what is passed on here is there for the host.
      guard let asked = UInt32(exactly: call.argument1),
        PSCI.Function(identifier: asked) != nil || asked == FirmwareService.smcccVersion
      else { return .done(PSCI.Status.notSupported.register) }
      return .relay
    case .systemOff, .systemReset: return .endSystem
    case .systemReset2:
      // What the types of a vendor leave in memory, or run, isn't known.
      guard call.argument1 & 0xffff_ffff == 0 else {
        return .done(PSCI.Status.invalidParameters.register)
      }
      return .endSystem
    case .cpuOff:
      // With its last CPU a machine may go to sleep as a whole.
      guard maySuspendSystem || cpus.hasOther(than: cpu) else {
        return .done(PSCI.Status.denied.register)
      }
      guard !cpus.isBeingStarted(cpu) else { return .done(PSCI.Status.denied.register) }
      cpus[cpu] = .off
      return .stop
    case .cpuSuspend:
      // `power_state` has 32 bits in either convention.
      let state = call.argument1 & 0xffff_ffff
      let suspension = Suspension.cpu(powerState: state)
      // A CPU that keeps what it holds goes on behind its call, and names no entry point.
      guard powerStates.isPowerDown(state) else { return .suspend(suspension) }
      guard mayStart(at: call.argument2) else {
        return .done(PSCI.Status.invalidAddress.register)
      }
      // To come back at once is what every state may come to (5.4.5).
      guard maySuspendSystem || !powerStates.mayTakeSystem(state) else { return .wait }
      cpus[cpu] = .suspended(entry: call.argument2, context: call.argument3)
      return .suspend(suspension)
    case .cpuDefaultSuspend, .systemSuspend:
      guard mayStart(at: call.argument1) else {
        return .done(PSCI.Status.invalidAddress.register)
      }
      cpus[cpu] = .suspended(entry: call.argument1, context: call.argument2)
      return .suspend(function == .systemSuspend ? .system : .cpuByDefault)
    case .cpuOn:
      guard let index = cpus.index(of: call.argument1) else {
        return .done(PSCI.Status.invalidParameters.register)
      }
      guard mayStart(at: call.argument2) else {
        return .done(PSCI.Status.invalidAddress.register)
      }
      switch cpus[index] {
      case .on, .suspended: return .done(PSCI.Status.alreadyOn.register)
      case .starting: return .done(PSCI.Status.onPending.register)
      case .off:
        cpus[index] = .starting(entry: call.argument2, context: call.argument3)
        cpus.setBeingStarted(index, true)
        return .start(index: index, affinity: call.argument1)
      }
    }
  }

  /// Records firmware's answer to a start: a CPU that it refused is off again.
  public static func finishStart(index: Int, answer: UInt64, cpus: inout CPUTable) {
    guard answer != PSCI.Status.success.register else { return }
    cpus.setBeingStarted(index, false)
    // A CPU whose CPU_OFF failed in the meantime is on, and stays so.
    if case .starting = cpus[index] { cpus[index] = .off }
  }

  /// Records that firmware refused to switch this CPU off: it goes on running the host.
  public static func finishStop(cpu: Int, cpus: inout CPUTable) { cpus[cpu] = .on }

  /// Records that firmware came back from suspending this CPU: it was refused, or woke before it had
  /// lost anything.
  public static func finishSuspend(cpu: Int, cpus: inout CPUTable) { cpus[cpu] = .on }

  /// Takes the order that CPU `cpu` was started or suspended with; nil where nobody asked for it.
  public static func takeOrder(cpu: Int, cpus: inout CPUTable) -> (entry: UInt64, context: UInt64)?
  {
    guard cpu < cpus.count else { return nil }
    switch cpus[cpu] {
    case .off, .on: return nil
    case .starting(let entry, let context):
      cpus[cpu] = .on
      cpus.setBeingStarted(cpu, false)
      return (entry, context)
    case .suspended(let entry, let context):
      cpus[cpu] = .on
      return (entry, context)
    }
  }
}
