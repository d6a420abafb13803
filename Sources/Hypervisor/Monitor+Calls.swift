// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import Traps

// The calls of the host to Portcullis itself.
extension Monitor {
  /// Answers one, whose function is ``HypervisorService/function``.
  ///
  /// - Throws: where the trust in the host has ended with an ITS that nobody answers for: the host must not go on.
  @inline(never)
  package func answerOwn(_ call: SMCCC.Call) throws(UnmediatedITS) -> SMCCC.Result {
    switch call.argument1 {
    case HypervisorService.about: return HypervisorService.answerAbout(platform.facts)
    case HypervisorService.furtherMemory: return HypervisorService.answerMemory(platform.facts)
    case HypervisorService.its:
      return HypervisorService.answer(platform.identity(of: call.argument2))
    case HypervisorService.handOver:
      let code = handOver(number: call.argument2, descriptor: call.argument3)
      return SMCCC.Result(UInt64(bitPattern: code))
    case HypervisorService.finalise:
      guard platform.endTrust() else {
        return SMCCC.Result(UInt64(bitPattern: HypervisorService.denied))
      }
      try endTrust()
      return SMCCC.Result(0)
    case HypervisorService.statistic: return answerStatistic(call.argument2)
    case HypervisorService.trace:
      guard platform.records else { return SMCCC.Result(SMCCC.notSupported) }
      let half = call.argument2
      return HypervisorService.answerTrace(
        half, half == 1 ? takeFirstRecord() : firstRecord())
    default: return platform.answerForTests(call)
    }
  }
}

// One CPU of the host: how it starts, and the calls it makes.
extension Monitor where Machine: BoardPlatform {
  /// What a CPU that firmware has started for the host is to run; nil where the host does not get it.
  package func startCPU(_ cpu: Int) -> HostStart? {
    let order = state.shared.cpuLock.withLock(on: platform) {
      PSCIRelay.takeOrder(cpu: cpu, cpus: &state.shared.cpus)
    }
    // Firmware starts no CPU that nobody asked for.
    guard let order else { return nil }
    finishLoss()
    return HostStart(entry: PhysicalAddress(order.entry), argument: order.context)
  }

  /// Answers an HVC or SMC of the CPU that runs this.
  @inline(__always)
  package func handle(_ call: SMCCC.Call) -> SMCCC.Result {
    if call.function == HypervisorService.function { return answerOrEnd(call) }
    if let function = PSCI.Function(identifier: call.function) { return relay(call, function) }
    return FirmwareService.serve(
      call, treeCalls: state.shared.treeCalls, through: state.diagnostics.firmware)
  }

  @inline(never)
  private func relay(_ call: SMCCC.Call, _ function: PSCI.Function) -> SMCCC.Result {
    PSCIRelay.serve(
      call, function: function, cpu: Int(truncatingIfNeeded: platform.cpu), on: BoardRelay(self))
  }

  @inline(never)
  private func answerOrEnd(_ call: SMCCC.Call) -> SMCCC.Result {
    do throws(UnmediatedITS) {
      return try answerOwn(call)
    } catch {
      var line = LogLine("switched off: ")
      line.append(error.text)
      line.append(", number ")
      line.append(decimal: UInt64(error.number))
      end(line)
      return SMCCC.Result(UInt64(bitPattern: HypervisorService.denied))
    }
  }
}
