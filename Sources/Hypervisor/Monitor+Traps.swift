// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import Ownership
package import Traps

/// An exception of the host, from the syndrome to the way back.
package struct HostTrap<Machine: BoardPlatform> {
  private let platform: Machine
  let esr: UInt64
  let far: UInt64
  let hpfar: UInt64
  let registers: RegisterFile

  /// Takes what the vector has saved: ESR_EL2, FAR_EL2, HPFAR_EL2 and x0 to x30.
  @inline(__always)
  package init(
    esr: UInt64, far: UInt64, hpfar: UInt64, registers: RegisterFile, on platform: Machine
  ) {
    self.platform = platform
    self.esr = esr
    self.far = far
    self.hpfar = hpfar
    self.registers = registers
  }

  private var host: Machine.HostRegisters { platform.host }
  private var state: StatePlace<Machine> { platform.state }

  /// The intermediate physical address of an abort (HPFAR_EL2.FIPA, bits [43:4], is bits [51:12] of it).
  private var address: UInt64 { hpfar << 8 & ~0xfff | far & 0xfff }

  /// Handles it, whatever it is: calls, aborts, and what the host cannot do here.
  @inline(__always)
  package func handle() {
    switch esr >> 26 & 0x3f {
    case 0x16, 0x17:
      // The preferred return of a trapped SMC, which 0x17 is, is the SMC itself.
      if esr >> 26 & 1 == 1 { host.elrEL2 = host.elrEL2 &+ 4 }
      Monitor(platform).handle(SMCCC.Call(registers)).store(in: registers)
    case 0x20, 0x24: return handleAnyAbort()
    default: injectUndefined(into: host)
    }
    platform.counts.countCall(cpu: platform.cpu)
  }

  @inline(never)
  private func handleAnyAbort() { handleAbort() }

  /// Has the device answer that the address belongs to, where it is an abort.
  ///
  /// A vector calls this at once: data aborts are what must be short.
  @inline(__always)
  package func handleAbort() {
    let start = platform.time
    let outcome = state.shared.registry.handleAbort(
      esr: esr, far: far, hpfar: hpfar, registers: registers, host: host,
      context: Monitor(platform))
    platform.counts.countTrap(
      cpu: platform.cpu, ticks: platform.time &- start, syndrome: esr, address: address)
    if outcome != .completed { finish(outcome) }
  }

  /// What is left of an abort that no device has completed.
  @inline(never)
  private func finish(_ outcome: Outcome) {
    switch outcome {
    case .completed, .skipped, .notAnAbort: break
    case .unfinished: platform.counts.countUnfinished(cpu: platform.cpu)
    case .injected(let refusal): log(refusal)
    case .unclaimed(let address): retryOrInject(address)
    }
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
    let lookup = state.shared.stage2.lookup(address, in: Monitor(platform).tables)
    switch lookup {
    case .mapped, .changing: return true
    case .claimed, .unmapped: return false
    }
  }

  private func log(_ refusal: Refusal) {
    platform.counts.count(refusal, cpu: platform.cpu)
    var line = LogLine("refused: ")
    line.append(refusal.text)
    line.append(", ipa ")
    line.append(hex: address)
    line.append(" va ")
    line.append(hex: far)
    line.append(" esr ")
    line.append(hex: esr)
    platform.log(.warning, line)
  }
}
