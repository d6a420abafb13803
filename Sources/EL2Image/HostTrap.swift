// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Traps

/// One trap of the host, as the devices see it.
struct HostTrap: ProtectionContext {
  var deviceMemory: MetalDeviceMemory { MetalDeviceMemory() }

  @inline(never)
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect {
    var held = HeldLocks()
    let state = unsafe StateMemory.its(number)
    return unsafe state.pointee.lock.withLock(&held) { _ in
      let effect = unsafe state.pointee.its.read(access, machine: MediationMachine())
      logRefusal(number)
      return effect
    }
  }

  @inline(never)
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    var held = HeldLocks()
    let state = unsafe StateMemory.its(number)
    return unsafe state.pointee.lock.withLock(&held) { _ in
      let effect = unsafe state.pointee.its.write(access, value, machine: MediationMachine())
      logRefusal(number)
      return effect
    }
  }

  /// Logs the last command that was refused, with the lock of its ITS held.
  @inline(__always)
  private func logRefusal(_ number: UInt8) {
    guard let refusal = unsafe StateMemory.its(number).pointee.its.takeRefusal() else { return }
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

/// What the mediation of an ITS needs, on the CPU that runs this.
struct MediationMachine: ITSMachine {
  let memory: MetalTables
  let registers = MetalDeviceMemory()
  let cpu: UInt64

  init() {
    memory = unsafe MetalTables(imageBase: StateMemory.shared.pointee.image.base)
    cpu = pc_read_tpidr_el2()
  }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    var held = HeldLocks(holding: .its)
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    return try unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) {
      (_) throws(OwnershipError) -> Pin<1> in
      try unsafe StateMemory.shared.pointee.ownership.share(list.span)
      do throws(OwnershipError) {
        return try unsafe StateMemory.shared.pointee.ownership.pin(list)
      } catch {
        // What was shared just now, and nobody has pinned, can be unshared.
        try unsafe StateMemory.shared.pointee.ownership.unshare(list.span)
        throw error
      }
    }
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) {
    var held = HeldLocks(holding: .its)
    var list = FixedList<1, PageRange>(filler: pin[0].pages)
    _ = list.append(pin[0].pages)
    var pin: Pin<1>? = consume pin
    unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) { _ in
      if let pin = pin.take() { unsafe StateMemory.shared.pointee.ownership.unpin(pin) }
      do throws(OwnershipError) {
        try unsafe StateMemory.shared.pointee.ownership.unshare(list.span)
      } catch {
        // Somebody else's pin: the pages stay shared, which is safe.
      }
    }
  }
}
