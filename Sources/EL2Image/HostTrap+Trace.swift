// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import Hypervisor
internal import ITS
internal import Trace
internal import Traps

// The paths that are not usual: forwarded or recorded. The lock of the ITS is held, and an access is
// recorded behind all that it has caused: the records of one ITS stand in the order in which its
// mediation went.
extension HostTrap {
  @inline(never)
  func readRarely(_ number: UInt8, _ access: Access) -> ReadEffect {
    let start = pc_read_cntpct_el0()
    EL2Statistics.counts.countLoad(number, access.offset)
    guard unsafe StateMemory.its(number).pointee.isMediated else {
      let effect = Forwarder.read(access, through: deviceMemory)
      record(TracedAccess(access, effect), number, start, isForwarded: true)
      return effect
    }
    let effect = unsafe StateMemory.mediation(number).pointee.read(
      access, machine: TracingMachine(number: number))
    record(TracedAccess(access, effect), number, start, isForwarded: false)
    logNews(number)
    return effect
  }

  @inline(never)
  func writeRarely(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    let start = pc_read_cntpct_el0()
    EL2Statistics.counts.countStore(number, access.offset)
    guard unsafe StateMemory.its(number).pointee.isMediated else {
      let effect = Forwarder.write(access, value, through: deviceMemory)
      record(TracedAccess(access, value, effect), number, start, isForwarded: true)
      return effect
    }
    let effect = unsafe StateMemory.mediation(number).pointee.write(
      access, value, machine: TracingMachine(number: number))
    record(TracedAccess(access, value, effect), number, start, isForwarded: false)
    logNews(number)
    return effect
  }

  private func record(
    _ access: TracedAccess, _ number: UInt8, _ start: UInt64, isForwarded: Bool
  ) {
    guard Recorder.isOn else { return }
    var access = access
    access.isForwarded = isForwarded
    access.duration = pc_read_cntpct_el0() &- start
    Recorder.append(.access(access), its: number, at: start)
    Recorder.drainBehindAccess()
  }
}
