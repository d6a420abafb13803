// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor
internal import ITS
internal import Redistributor
internal import Traps

/// One trap of the host, as the devices see it.
struct HostTrap: ProtectionContext {
  var deviceMemory: MetalDeviceMemory { MetalDeviceMemory() }

  @inline(never)
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect {
    var held = HeldLocks()
    let state = unsafe StateMemory.its(number)
    return unsafe state.pointee.lock.withLock(&held) { _ in
      guard unsafe state.pointee.path == .mediated else { return readRarely(number, access) }
      let its = unsafe StateMemory.mediation(number)
      EL2Statistics.counts.countLoad(number, access.offset)
      let effect = unsafe its.pointee.read(access, machine: MediationMachine(number: number))
      logNews(number)
      return effect
    }
  }

  @inline(never)
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    var held = HeldLocks()
    let state = unsafe StateMemory.its(number)
    return unsafe state.pointee.lock.withLock(&held) { _ in
      guard unsafe state.pointee.path == .mediated else {
        return writeRarely(number, access, value)
      }
      let its = unsafe StateMemory.mediation(number)
      EL2Statistics.counts.countStore(number, access.offset)
      let effect = unsafe its.pointee.write(
        access, value, machine: MediationMachine(number: number))
      logNews(number)
      return effect
    }
  }

  /// Logs what there is to tell of an ITS, with its lock held.
  @inline(__always)
  func logNews(_ number: UInt8) {
    if unsafe StateMemory.mediation(number).pointee.hasNews { log(number) }
  }

  @inline(never)
  private func log(_ number: UInt8) {
    let its = unsafe StateMemory.mediation(number)
    if let refusal = unsafe its.pointee.takeRefusal() { log(refusal, number) }
    guard unsafe its.pointee.isBroken else { return }
    var line = LogLine("")
    ITSNews.writeBreakdown(of: number, to: &line)
    HostCPU.log(.error, line)
  }

  private func log(_ refusal: CommandRefusal, _ number: UInt8) {
    var line = LogLine("")
    ITSNews.write(refusal, of: number, to: &line)
    HostCPU.log(.warning, line)
  }
}

// Redistributors: rarely asked, and behind one lock.
extension HostTrap {
  @inline(never)
  func readRedistributor(_ number: Int, _ access: Access) -> ReadEffect {
    var held = HeldLocks()
    return unsafe StateMemory.shared.pointee.redistributorLock.withLock(&held) { _ in
      unsafe StateMemory.redistributors.pointee.read(
        number, access, machine: RedistributorTrapMachine())
    }
  }

  @inline(never)
  func writeRedistributor(_ number: Int, _ access: Access, _ value: UInt64) -> WriteEffect {
    var held = HeldLocks()
    return unsafe StateMemory.shared.pointee.redistributorLock.withLock(&held) { _ in
      let effect = unsafe StateMemory.redistributors.pointee.write(
        number, access, value, machine: RedistributorTrapMachine())
      if let refusal = unsafe StateMemory.redistributors.pointee.takeRefusal() { log(refusal) }
      return effect
    }
  }

  @inline(never)
  private func log(_ refusal: RefusedTables) {
    var line = LogLine("Redistributor ")
    line.append(decimal: UInt64(refusal.number))
    line.append(": tables refused: ")
    line.append(refusal.reason.text)
    line.append(", PROPBASER ")
    line.append(hex: refusal.configuration)
    line.append(" PENDBASER ")
    line.append(hex: refusal.pending)
    HostCPU.log(.warning, line)
  }
}
