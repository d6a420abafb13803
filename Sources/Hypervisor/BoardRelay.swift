// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership

/// This machine, as the relay of the host's calls sees it.
struct BoardRelay<Board: BoardPlatform>: RelayMachine {
  private let monitor: Monitor<Board>

  init(_ monitor: Monitor<Board>) { self.monitor = monitor }

  private var state: StatePlace<Board> { monitor.platform.state }

  var entry: UInt64 { state.shared.layout.secondaryEntry }
  var powerStateFormat: PSCI.PowerStateFormat { state.shared.powerStateFormat }

  /// SMMUs that are EL2's own would wake as firmware leaves them, before EL2 does.
  var maySuspendSystem: Bool { !state.shared.ownsSMMUs }

  func call(_ call: SMCCC.Call) -> SMCCC.Result {
    state.diagnostics.firmware.call(call)
  }

  /// Memory that the host's stage 2 maps.
  ///
  /// Nobody changes that meanwhile: a page between break and make would be refused though it is the host's.
  func isHostMemory(_ address: UInt64) -> Bool {
    let lookup = state.shared.ownershipLock.withLock(on: monitor.platform) {
      state.shared.stage2.lookup(IntermediatePhysicalAddress(address), in: monitor.tables)
    }
    if case .mapped(_, .memory, _) = lookup { return true }
    return false
  }

  func withCPUs<Value>(_ body: (inout CPUTable) -> Value) -> Value {
    state.shared.cpuLock.withLock(on: monitor.platform) { body(&state.shared.cpus) }
  }

  func prepareForEnd() {
    monitor.drainLog()
    monitor.writeStatistics()
  }

  func prepareForSuspension() {
    monitor.prepareForLoss()
    monitor.drainLog()
  }

  func finishSuspension() { monitor.finishLoss() }

  func waitForInterrupt() { monitor.platform.waitForInterrupt() }
}
