// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Architecture
package import Boards
package import Ownership
internal import Synchronization
internal import Trace
package import Traps

/// What the code before the MMU hands to the code behind it.
package struct EarlyState<Machine: BoardPlatform>: ~Copyable {
  package typealias Pool = PagePool<Machine.Tables>
  package typealias Stage1 = EL2Stage1Table<Machine.Cache>

  /// Where all tables come from.
  package var pool: Pool
  /// EL2's own translation.
  package var stage1: Stage1

  /// Takes both.
  package init(pool: consuming Pool, stage1: consuming Stage1) {
    self.pool = pool
    self.stage1 = stage1
  }
}

/// Log, trace and the way to end it all, which are there from the first instruction behind the MMU on.
package struct Diagnostics<Machine: BoardPlatform>: ~Copyable {
  /// What answers SMC, as far as it is known.
  package var firmware: Machine.BoardFirmware
  let logLock = SpinLock(.log)
  /// With `logLock` held.
  package var log: Log<Machine.Output>
  let traceLock = SpinLock(.trace)
  /// With `traceLock` held; nil where nothing is recorded.
  var trace: TraceRing?
  /// Whether the trace goes to the console while the host runs; never changes then.
  var drainsTrace = false

  init(_ log: consuming Log<Machine.Output>, firmware: Machine.BoardFirmware) {
    self.log = log
    self.firmware = firmware
  }
}

/// What lives as long as the image.
///
/// After boot it is shared by all CPUs: what changes is reached only with its lock held.
package struct HypervisorState<Machine: BoardPlatform>: ~Copyable {
  package typealias Stage2 = Stage2Table<Machine.Cache>
  package typealias PageOwnership = Ownership<
    Machine.Tables, Stage2, EarlyState<Machine>.Stage1, DMAProtection<Machine.SMMUs>
  >
  package typealias Device = ProtectedDevice<Monitor<Machine>>

  /// Frozen before the host runs; read without a lock.
  package var registry = RegionRegistry<Device>()
  /// Read only after boot.
  package let features: HostFeatures
  /// Read only after boot.
  package let translation: HostTranslationRegisters
  /// Read only after boot.
  package var identities = ITSClaim.noIdentities
  /// Read only after boot: the Redistributors, as EL2 has mapped them.
  package var redistributors = Board.noRedistributors
  /// Read only after boot.
  var reserved: ReservedPages
  /// Read only after boot: whether the SMMUs are EL2's own.
  var ownsSMMUs = false
  /// Read only after boot: how many SMMUs the host sees, from the first one on.
  package var virtualSMMUs: UInt8 = 0
  /// Read only after boot: the calls of firmware that the tree names, and that are relayed.
  var treeCalls = FirmwareService.TreeCalls(filler: 0)
  /// Whether the host is trusted with ITSes that it has not handed over yet.
  let trustsHost = Atomic(false)
  /// Read only after boot: where the image lies.
  package let layout: ImageLayout
  /// Read only after boot: what EL2 has beside it.
  let memory: BoardMemory
  /// Read only after boot; its content is anyone's who finds a way to write to it.
  let canary: Canary
  /// Read only after boot.
  let powerStateFormat: PSCI.PowerStateFormat
  /// The walker takes no lock.
  package let stage2: Stage2Walk

  let cpuLock = SpinLock(.psci)
  /// With `cpuLock` held.
  var cpus: CPUTable
  package let ownershipLock = SpinLock(.ownership)
  /// With `ownershipLock` held.
  package var ownership: PageOwnership

  init(
    features: HostFeatures, translation: HostTranslationRegisters, layout: ImageLayout,
    reserved: ReservedPages, memory: BoardMemory, canary: Canary,
    powerStateFormat: PSCI.PowerStateFormat, stage2: Stage2Walk, cpus: consuming CPUTable,
    ownership: consuming PageOwnership
  ) {
    self.features = features
    self.translation = translation
    self.layout = layout
    self.reserved = reserved
    self.memory = memory
    self.canary = canary
    self.powerStateFormat = powerStateFormat
    self.stage2 = stage2
    self.cpus = cpus
    self.ownership = ownership
  }
}
