// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import Ownership
internal import Traps

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_host_trap(
  _ esr: UInt64, _ far: UInt64, _ hpfar: UInt64, _ registers: UnsafeMutablePointer<UInt64>
) {
  // The vector passes the frame that it has just saved, which nobody else knows.
  let trap = unsafe TrapEntry(
    esr: esr, far: far, hpfar: hpfar, registers: RegisterFile(registers))
  // Data aborts are what must be short; calls are not far behind.
  if esr >> 26 == TrapEntry.dataAbort { trap.handleAbort() } else { trap.handleOther() }
}

/// An exception of the host, from the syndrome to the way back.
struct TrapEntry {
  /// ESR_EL2.EC of a data abort from a lower level.
  static var dataAbort: UInt64 { 0x24 }

  let esr: UInt64
  let far: UInt64
  let hpfar: UInt64
  let registers: RegisterFile
  private var host: MetalHostRegisters { MetalHostRegisters() }

  /// The intermediate physical address of an abort (HPFAR_EL2.FIPA, bits [43:4], is bits [51:12] of it).
  private var address: UInt64 { hpfar << 8 & ~0xfff | far & 0xfff }

  /// Has the device answer that the address belongs to.
  @inline(__always)
  func handleAbort() {
    let start = pc_read_cntpct_el0()
    let outcome = unsafe StateMemory.shared.pointee.registry.handleAbort(
      esr: esr, far: far, hpfar: hpfar, registers: registers, host: host,
      context: MetalMonitor(MetalPlatform()))
    EL2Statistics.counts.countTrap(
      cpu: EL2Statistics.cpu, ticks: pc_read_cntpct_el0() &- start, syndrome: esr,
      address: address)
    if outcome != .completed { finish(outcome) }
  }

  /// What is left of an abort that no device has completed.
  @inline(never)
  private func finish(_ outcome: Outcome) {
    switch outcome {
    case .completed, .skipped, .notAnAbort: break
    case .unfinished: EL2Statistics.counts.countUnfinished(cpu: EL2Statistics.cpu)
    case .injected(let refusal): log(refusal)
    case .unclaimed(let address): retryOrInject(address)
    }
  }

  /// Calls, fetches of instructions, and what the host cannot do here.
  @inline(never)
  func handleOther() {
    switch esr >> 26 {
    case 0x16: answer(HostCPU.handle(call()))
    case 0x17:
      // The preferred return of a trapped SMC is the SMC itself.
      host.elrEL2 = host.elrEL2 &+ 4
      answer(HostCPU.handle(call()))
    case 0x20: return handleAbort()
    default: injectUndefined(into: host)
    }
    EL2Statistics.counts.countCall(cpu: EL2Statistics.cpu)
  }

  /// A fault that another CPU's change of the table has explained is repeated by the host; anything
  /// else is an access to nothing.
  private func retryOrInject(_ address: IntermediatePhysicalAddress?) {
    if let address, mayRetry(address) { return }
    guard let abort = Abort(esr: esr, far: far, hpfar: hpfar) else { return }
    abort.inject(into: host)
    log(.unmapped)
  }

  private func mayRetry(_ address: IntermediatePhysicalAddress) -> Bool {
    // Only a translation fault (0b0001LL) can be explained by break-before-make.
    guard esr & 0x3c == 0x04 else { return false }
    let lookup = unsafe StateMemory.shared.pointee.stage2.lookup(
      address, in: MetalTables(imageBase: StateMemory.shared.pointee.image.base))
    switch lookup {
    case .mapped, .changing: return true
    case .claimed, .unmapped: return false
    }
  }

  private func call() -> SMCCC.Call {
    SMCCC.Call(
      UInt32(truncatingIfNeeded: register(0)), register(1), register(2), register(3)
    ).normalized
  }

  private func register(_ number: UInt64) -> UInt64 {
    registers[RegisterNumber(number)]
  }

  private func answer(_ result: SMCCC.Result) {
    registers[RegisterNumber(0)] = result.x0
    registers[RegisterNumber(1)] = result.x1
    registers[RegisterNumber(2)] = result.x2
    registers[RegisterNumber(3)] = result.x3
    // Callers by SMCCC 1.1 and later keep x4 and above unless the function says otherwise.
    if let x4 = result.x4 { registers[RegisterNumber(4)] = x4 }
  }

  private func log(_ refusal: Refusal) {
    EL2Statistics.counts.count(refusal, cpu: EL2Statistics.cpu)
    var line = LogLine("refused: ")
    line.append(refusal.text)
    line.append(", ipa ")
    line.append(hex: address)
    line.append(" va ")
    line.append(hex: far)
    line.append(" esr ")
    line.append(hex: esr)
    HostCPU.log(.warning, line)
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func el2_fatal(_ esr: UInt64, _ elr: UInt64, _ far: UInt64) -> Never {
  var line = LogLine("EL2 exception: esr ")
  line.append(hex: esr)
  line.append(" elr ")
  line.append(hex: elr)
  line.append(" far ")
  line.append(hex: far)
  HostCPU.lastWords(line)
  // Zero, no firmware, until the state has been written.
  Startup.powerOff(unsafe StateMemory.shared.pointee.firmware)
}
