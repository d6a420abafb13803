// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import Hypervisor
internal import Ownership

/// This machine, as the relay of the host's calls sees it.
struct MetalRelay: RelayMachine {
  var entry: UInt64 {
    unsafe StateMemory.shared.pointee.image.base.rawValue
      + (el2_secondary_entry_here() - el2_image_start_here())
  }

  var powerStateFormat: PSCI.PowerStateFormat {
    unsafe StateMemory.shared.pointee.powerStateFormat
  }

  /// SMMUs that are EL2's own would wake as firmware leaves them, before EL2 does.
  var maySuspendSystem: Bool { unsafe !StateMemory.shared.pointee.ownsSMMUs }

  func call(_ call: SMCCC.Call) -> SMCCC.Result {
    unsafe StateMemory.shared.pointee.firmware.call(call)
  }

  /// Memory that the host's stage 2 maps.
  func isHostMemory(_ address: UInt64) -> Bool {
    let lookup = unsafe StateMemory.shared.pointee.stage2.lookup(
      IntermediatePhysicalAddress(address),
      in: MetalTables(imageBase: StateMemory.shared.pointee.image.base))
    if case .mapped(_, .memory, _) = lookup { return true }
    return false
  }

  func withCPUs<Value>(_ body: (inout CPUTable) -> Value) -> Value {
    var held = HeldLocks()
    return unsafe StateMemory.shared.pointee.cpuLock.withLock(&held) { _ in
      unsafe body(&StateMemory.shared.pointee.cpus)
    }
  }

  func prepareForEnd() {
    HostCPU.drainLog()
    EL2Statistics.write()
  }

  func prepareForSuspension() {
    PowerLoss.prepare()
    HostCPU.drainLog()
  }

  func finishSuspension() { PowerLoss.finish() }

  func waitForInterrupt() {
    pc_dsb_sy()
    pc_wfi()
  }
}
