// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import Ownership
internal import Traps

/// One CPU of the host: how it starts, and the calls it makes.
enum HostCPU {
  /// Runs the host on a CPU that firmware has started for it.
  static func start(_ cpu: Int) -> Never {
    var held = HeldLocks()
    unsafe StateMemory.shared.pointee.context.load()
    let order = unsafe StateMemory.shared.pointee.cpuLock.withLock(&held) { _ in
      unsafe PSCIRelay.takeOrder(cpu: cpu, cpus: &StateMemory.shared.pointee.cpus)
    }
    // Firmware starts no CPU that nobody asked for; if it does, the host does not get it.
    guard let order else { el2_park() }
    PowerLoss.finish()
    el2_enter_host(order.entry, order.context)
  }

  /// Answers an HVC or SMC of the CPU that runs this.
  static func handle(_ call: SMCCC.Call) -> SMCCC.Result {
    if call.function == HypervisorService.function {
      switch call.argument1 {
      case HypervisorService.handOver:
        let code = HandoverService.handOver(call.argument2, descriptor: call.argument3)
        return SMCCC.Result(UInt64(bitPattern: code))
      case HypervisorService.finalise:
        return SMCCC.Result(UInt64(bitPattern: HandoverService.finalise()))
      case HypervisorService.statistic: return EL2Statistics.answer(call.argument2)
      case HypervisorService.trace:
        guard Recorder.isOn else { return SMCCC.Result(SMCCC.notSupported) }
        let half = call.argument2
        return HypervisorService.answerTrace(
          half, half == 1 ? Recorder.takeFirst() : Recorder.first())
      default: break
      }
      let facts = unsafe HypervisorService.Facts(
        imageBase: StateMemory.shared.pointee.image.base.rawValue,
        imageSize: StateMemory.shared.pointee.image.size,
        regions: UInt64(StateMemory.shared.pointee.registry.count),
        memory: StateMemory.shared.pointee.memory.range)
      return unsafe HypervisorService.answer(
        call, facts: facts, itses: ITSMediation.identities,
        canary: StateMemory.shared.pointee.canary,
        memory: MetalTables(imageBase: StateMemory.shared.pointee.image.base))
    }
    guard let function = PSCI.Function(identifier: call.function) else {
      return unsafe FirmwareService.serve(
        call, treeCalls: StateMemory.shared.pointee.treeCalls,
        through: StateMemory.shared.pointee.firmware)
    }
    let cpu = Int(truncatingIfNeeded: pc_read_tpidr_el2())
    return PSCIRelay.serve(call, function: function, cpu: cpu, on: MetalRelay())
  }

  /// Logs a line from any CPU.
  static func log(_ level: LogLevel, _ line: consuming LogLine) {
    var held = HeldLocks()
    var line: LogLine? = consume line
    unsafe StateMemory.shared.pointee.logLock.withLock(&held) { _ in
      guard let text = line.take() else { return }
      unsafe StateMemory.shared.pointee.log.write(level, text)
    }
  }

  /// Writes a line past the ring, whatever it holds; false where the console doesn't take it, or the
  /// level is too low for it.
  static func logNow(_ level: LogLevel, _ line: consuming LogLine) -> Bool {
    var held = HeldLocks()
    var line: LogLine? = consume line
    return unsafe StateMemory.shared.pointee.logLock.withLock(&held) { _ in
      guard let text = line.take(), unsafe level <= StateMemory.shared.pointee.log.level else {
        return false
      }
      return unsafe StateMemory.shared.pointee.log.writeNow(text)
    }
  }

  /// Writes a line past ring and lock: this CPU will do nothing else any more.
  static func lastWords(_ line: consuming LogLine) {
    unsafe StateMemory.shared.pointee.log.isBuffered = false
    unsafe StateMemory.shared.pointee.log.write(.error, line)
  }

  /// Writes what the log and the trace hold.
  static func drainLog() {
    var held = HeldLocks()
    unsafe StateMemory.shared.pointee.logLock.withLock(&held) { _ in
      unsafe StateMemory.shared.pointee.log.drain()
      Recorder.drain()
    }
  }
}
