// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Hypervisor
internal import ITS
internal import Redistributor
internal import Traps

/// What EL2 stands in front of, on both sides of a loss of power.
///
/// With one CPU running, or about to run; no lock is held.
enum PowerLoss {
  /// Has every ITS come to rest, so that a loss takes nothing with it.
  static func prepare() { forEachITS { monitor.pauseITS($0) } }

  private static var monitor: MetalMonitor { MetalMonitor(MetalPlatform()) }

  /// Looks whether every ITS and the Redistributor of this CPU are as EL2 left them, before the host runs here.
  ///
  /// What is not is switched off. Where that can't be, so is the board.
  static func finish() {
    forEachITS { monitor.wakeITS($0) }
    guard mediation == .on else { return }
    let isSafe = StateMemory.redistributors.withLock {
      $0.wake(machine: MetalRedistributorMachine())
    }
    guard !isSafe else { return }
    HostCPU.lastWords(
      LogLine("switched off: a Redistributor woke with tables that EL2 does not hold"))
    Startup.powerOff(unsafe StateMemory.shared.pointee.firmware)
  }

  private static func forEachITS(_ body: (UInt8) -> Void) {
    guard mediation == .on else { return }
    for index in unsafe StateMemory.shared.pointee.identities.indices {
      body(UInt8(truncatingIfNeeded: index))
    }
  }
}
