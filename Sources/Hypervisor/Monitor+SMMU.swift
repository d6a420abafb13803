// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor
internal import SMMU
internal import Traps
internal import VirtualSMMU

// The SMMUs are EL2's own. What the host does to one is refused, or answered by the SMMU that it sees instead; and
// has their events read.
extension MetalPlatform {
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    guard unsafe number < StateMemory.shared.pointee.virtualSMMUs else {
      DMAFaults.drain()
      return .refused(.device)
    }
    var held = HeldLocks()
    let state = unsafe StateMemory.virtualSMMU(number)
    let effect = unsafe state.pointee.lock.withLock(&held) { _ in
      let effect = unsafe state.pointee.smmu.read(
        access, machine: VirtualSMMUTrapMachine(number: number))
      logSMMUNews(number)
      return effect
    }
    // Others are read over and over, by who waits for a command.
    if access.offset == SMMURegister.eventQueueProduced.offset { DMAFaults.drain() }
    return effect
  }

  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    guard unsafe number < StateMemory.shared.pointee.virtualSMMUs else {
      DMAFaults.drain()
      return .refused(.device)
    }
    var held = HeldLocks()
    let state = unsafe StateMemory.virtualSMMU(number)
    let effect = unsafe state.pointee.lock.withLock(&held) { _ in
      let effect = unsafe state.pointee.smmu.write(
        access, value, machine: VirtualSMMUTrapMachine(number: number))
      logSMMUNews(number)
      return effect
    }
    DMAFaults.drain()
    return effect
  }

  /// Logs what there is to tell of a virtual SMMU, with its lock held.
  private func logSMMUNews(_ number: UInt8) {
    guard unsafe StateMemory.virtualSMMU(number).pointee.smmu.hasNews else { return }
    if let refusal = unsafe StateMemory.virtualSMMU(number).pointee.smmu.takeRefusal() {
      var line = LogLine("")
      VirtualSMMUNews.write(refusal, of: number, to: &line)
      HostCPU.log(.warning, line)
    }
    guard unsafe StateMemory.virtualSMMU(number).pointee.smmu.isBroken else { return }
    var line = LogLine("")
    VirtualSMMUNews.writeBreakdown(of: number, to: &line)
    HostCPU.log(.error, line)
  }
}
