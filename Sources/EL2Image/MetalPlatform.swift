// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS
internal import Trace
internal import Traps

typealias MetalMonitor = Monitor<MetalPlatform>

/// This machine, as the monitor sees it: all of it lies at fixed places.
struct MetalPlatform: Platform {
  var registers: MetalDeviceMemory { MetalDeviceMemory() }
  var itses: ITSPlaces {
    @inline(__always) get { StateMemory.itses }
  }
  var redistributors: RedistributorPlace {
    @inline(__always) get { StateMemory.redistributors }
  }

  func machine(of its: UInt8) -> MediationMachine { MediationMachine(number: its) }
  func recordingMachine(of its: UInt8) -> TracingMachine { TracingMachine(number: its) }
  func redistributorMachine() -> MetalRedistributorMachine { MetalRedistributorMachine() }

  func addTargets(to targets: inout RedistributorDirectory, _ typer: GITSTyper) -> Bool {
    // Region by region: the whole list would not fit a stack well.
    for index in unsafe StateMemory.shared.pointee.redistributors.indices {
      let region = unsafe StateMemory.shared.pointee.redistributors[index]
      guard region.isUsed else { continue }
      // Any machine has the registers that are asked for here.
      guard
        RedistributorScan.add(
          region, at: VirtualLayout.redistributors(index), to: &targets, typer,
          machine: MediationMachine(number: 0))
      else { return false }
    }
    return true
  }

  func log(_ level: LogLevel, _ line: consuming LogLine) { HostCPU.log(level, line) }

  var records: Bool { Recorder.isOn }
  var time: UInt64 { pc_read_cntpct_el0() }

  func record(_ access: TracedAccess, its: UInt8, since start: UInt64) {
    var access = access
    access.duration = pc_read_cntpct_el0() &- start
    Recorder.append(.access(access), its: its, at: start)
    Recorder.drainBehindAccess()
  }

  @inline(__always)
  func countLoad(_ its: UInt8, _ offset: UInt64) { EL2Statistics.counts.countLoad(its, offset) }
  @inline(__always)
  func countStore(_ its: UInt8, _ offset: UInt64) { EL2Statistics.counts.countStore(its, offset) }
}
