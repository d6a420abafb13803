// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

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
    /// Ask firmware and return its x0.
    case relay
    /// Ask firmware to start CPU `index` at the image's entry, then call `finishStart`.
    case start(index: Int, affinity: UInt64)
    /// Ask firmware to switch this CPU off; returns only where it refuses: call `finishStop`.
    case stop
    /// Ask firmware to switch off or reset the machine, after the log is drained.
    case endSystem
  }

  /// Decides what a call of CPU `cpu` comes to.
  ///
  /// - Parameters:
  ///   - call: the host's arguments, normalized.
  ///   - cpu: the number of the calling CPU.
  ///   - cpus: the table, locked.
  ///   - isHostMemory: whether the host may run code at an address of its own.
  public static func begin(
    _ call: SMCCC.Call, function: PSCI.Function, cpu: Int, cpus: inout CPUTable,
    isHostMemory: (UInt64) -> Bool
  ) -> Outcome {
    switch function {
    case .version, .affinityInfo: return .relay
    case .features:
      // Only what is relayed here is there for the host.
      guard let low = UInt32(exactly: call.argument1), PSCI.Function(identifier: low) != nil else {
        return .done(PSCI.Status.notSupported.register)
      }
      return .relay
    case .systemOff, .systemReset: return .endSystem
    case .cpuOff:
      cpus[cpu] = .off
      return .stop
    case .cpuOn:
      guard let index = cpus.index(of: call.argument1) else {
        return .done(PSCI.Status.invalidParameters.register)
      }
      guard call.argument2 & 3 == 0, isHostMemory(call.argument2) else {
        return .done(PSCI.Status.invalidAddress.register)
      }
      switch cpus[index] {
      case .on: return .done(PSCI.Status.alreadyOn.register)
      case .starting: return .done(PSCI.Status.onPending.register)
      case .off:
        cpus[index] = .starting(entry: call.argument2, context: call.argument3)
        return .start(index: index, affinity: call.argument1)
      }
    }
  }

  /// Records firmware's answer to a start: a CPU that it refused is off again.
  public static func finishStart(index: Int, answer: UInt64, cpus: inout CPUTable) {
    guard answer != PSCI.Status.success.register else { return }
    // A CPU whose CPU_OFF failed in the meantime is on, and stays so.
    if case .starting = cpus[index] { cpus[index] = .off }
  }

  /// Records that firmware refused to switch this CPU off: it goes on running the host.
  public static func finishStop(cpu: Int, cpus: inout CPUTable) { cpus[cpu] = .on }

  /// Takes the order that CPU `cpu` was started with; nil where nobody asked for it.
  public static func takeOrder(cpu: Int, cpus: inout CPUTable) -> (entry: UInt64, context: UInt64)?
  {
    guard cpu < cpus.count, case .starting(let entry, let context) = cpus[cpu] else { return nil }
    cpus[cpu] = .on
    return (entry, context)
  }
}
