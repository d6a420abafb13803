// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS
internal import Traps

/// One trap of the host, as the devices see it.
struct HostTrap: ProtectionContext {
  var deviceMemory: MetalDeviceMemory { MetalDeviceMemory() }

  @inline(never)
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect {
    var held = HeldLocks()
    let state = unsafe StateMemory.its(number)
    return unsafe state.pointee.lock.withLock(&held) { _ in
      guard unsafe state.pointee.isMediated else {
        return Forwarder.read(access, through: deviceMemory)
      }
      let its = unsafe StateMemory.mediation(number)
      let effect = unsafe its.pointee.read(access, machine: MediationMachine())
      logRefusal(number)
      return effect
    }
  }

  @inline(never)
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    var held = HeldLocks()
    let state = unsafe StateMemory.its(number)
    return unsafe state.pointee.lock.withLock(&held) { _ in
      guard unsafe state.pointee.isMediated else {
        return Forwarder.write(access, value, through: deviceMemory)
      }
      let its = unsafe StateMemory.mediation(number)
      let effect = unsafe its.pointee.write(access, value, machine: MediationMachine())
      logRefusal(number)
      return effect
    }
  }

  /// Logs the last command that was refused, with the lock of its ITS held.
  @inline(__always)
  private func logRefusal(_ number: UInt8) {
    guard let refusal = unsafe StateMemory.mediation(number).pointee.takeRefusal() else { return }
    log(refusal, number)
  }

  @inline(never)
  private func log(_ refusal: CommandRefusal, _ number: UInt8) {
    var line = LogLine("ITS ")
    line.append(decimal: UInt64(number))
    line.append(": command refused: ")
    line.append(refusal.reason.text)
    for index in 0..<4 {
      line.append(" ")
      line.append(hex: refusal.command.words[index])
    }
    HostCPU.log(.warning, line)
  }
}
