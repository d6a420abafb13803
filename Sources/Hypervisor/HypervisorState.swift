// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import Hypervisor
internal import ITS
internal import Synchronization
internal import Ownership
internal import Redistributor
internal import SMMUDriver
internal import Trace
internal import Traps
internal import VirtualSMMU

typealias Stage2 = Stage2Table<MetalTranslationCache>
typealias PageOwnership = Ownership<MetalTables, Stage2, ImageMap.Stage1, DMAProtection>
typealias Device = ProtectedDevice<MetalMonitor>

/// What the code before the MMU hands to the code after it.
struct EarlyState: ~Copyable {
  var pool: ImageMap.Pool
  var stage1: ImageMap.Stage1
}

/// What lives as long as the image.
///
/// After boot it is shared by all CPUs: what changes is reached only
/// with its lock held.
struct EL2State: ~Copyable {
  /// Frozen before the host runs; read without a lock.
  var registry = RegionRegistry<Device>()
  /// Read only after boot.
  let features: HostFeatures
  /// Read only after boot.
  let context: HostContext
  /// Read only after boot.
  var identities = ITSClaim.noIdentities
  /// Read only after boot: the Redistributors, as EL2 has mapped them.
  var redistributors = Board.noRedistributors
  /// Read only after boot.
  var reserved = ReservedPages()
  /// Read only after boot: whether the SMMUs are EL2's own.
  var ownsSMMUs = false
  /// Read only after boot: how many SMMUs the host sees, from the first one on.
  var virtualSMMUs: UInt8 = 0
  /// Read only after boot: the calls of firmware that the tree names, and that are relayed.
  var treeCalls = FirmwareService.TreeCalls(filler: 0)
  /// Whether the host is trusted with ITSes that it has not handed over yet.
  let trustsHost = Atomic(false)
  /// Read only after boot: where the image lies.
  let image: AddressRange
  /// Read only after boot: what EL2 has beside it.
  let memory: BoardMemory
  /// Read only after boot; its content is anyone's who finds a way to write to it.
  let canary: Canary
  /// Read only after boot.
  let firmware: MetalFirmware
  /// Read only after boot.
  let powerStateFormat: PSCI.PowerStateFormat
  /// The walker takes no lock.
  let stage2: Stage2Walk

  let cpuLock = SpinLock(.psci)
  /// With `cpuLock` held.
  var cpus: CPUTable
  let ownershipLock = SpinLock(.ownership)
  /// With `ownershipLock` held.
  var ownership: PageOwnership
  let logLock = SpinLock(.log)
  /// With `logLock` held.
  var log = Log(console: nil, level: .error)
  let traceLock = SpinLock(.trace)
  /// With `traceLock` held; nil where nothing is recorded.
  var trace: TraceRing?
  /// Whether the trace goes to the console while the host runs; never changes then.
  var drainsTrace = false

  init(
    features: HostFeatures, context: HostContext, image: AddressRange, memory: BoardMemory,
    canary: Canary,
    firmware: MetalFirmware, powerStateFormat: PSCI.PowerStateFormat, stage2: Stage2Walk,
    cpus: consuming CPUTable, ownership: consuming PageOwnership
  ) {
    self.features = features
    self.context = context
    self.image = image
    self.memory = memory
    self.canary = canary
    self.firmware = firmware
    self.powerStateFormat = powerStateFormat
    self.stage2 = stage2
    self.cpus = cpus
    self.ownership = ownership
  }
}

/// An SMMU as the host sees it.
struct VirtualSMMUState: ~Copyable {
  let lock = SpinLock(.smmu)
  /// With `lock` held.
  var smmu: MediatedSMMU

  init(_ smmu: consuming MediatedSMMU) { self.smmu = smmu }
}

// Leaves: the memory is set aside by the linker for these two values alone, aligned to a page, and
// `StateMemory.fits` is checked before the first use.

enum StateMemory {
  /// The early state, at the start of the memory.
  static var early: UnsafeMutablePointer<EarlyState> {
    unsafe UnsafeMutablePointer(bitPattern: UInt(el2_state_here())).unsafelyUnwrapped
  }

  /// The state, behind the early one.
  @inline(always)
  static var shared: UnsafeMutablePointer<EL2State> {
    unsafe UnsafeMutablePointer(bitPattern: UInt(el2_state_here() &+ 0x1000)).unsafelyUnwrapped
  }

  /// The places of the ITSes that were claimed.
  @inline(__always)
  static var itses: ITSPlaces {
    unsafe ITSPlaces(UnsafeMutableRawPointer(bitPattern: UInt(el2_itses_here())).unsafelyUnwrapped)
  }

  /// The place of the Redistributors.
  @inline(__always)
  static var redistributors: RedistributorPlace {
    unsafe RedistributorPlace(
      UnsafeMutableRawPointer(bitPattern: UInt(el2_redistributors_here())).unsafelyUnwrapped)
  }

  /// The SMMU `number` as the host sees it, one of those that it sees; its pins are in the upper half.
  @inline(always)
  static func virtualSMMU(_ number: UInt8) -> UnsafeMutablePointer<VirtualSMMUState> {
    unsafe UnsafeMutablePointer(
      bitPattern: UInt(el2_virtual_smmus_here() &+ UInt64(number) &* el2_virtual_smmu_size)
    ).unsafelyUnwrapped
  }

  /// Whether the memory is large enough.
  static var fits: Bool {
    MemoryLayout<EarlyState>.size <= 0x1000
      && MemoryLayout<EL2State>.size <= Int(el2_state_size) - 0x1000
      && ITSPlaces.fit && ITSPlaces.stride == Int(el2_its_state_size)
      && RedistributorPlace.fits && RedistributorPlace.size <= el2_redistributors_size
      && MemoryLayout<VirtualSMMUState>.size <= Int(el2_virtual_smmu_size) / 2
      && MediatedSMMU.ledgerSize <= el2_virtual_smmu_size / 2
      && CPUTable.capacity <= Int(el2_max_cpus)
      && Board.ITSes.capacity <= Int(el2_max_itses)
      && SMMUGroup<MetalSMMUs>.capacity <= Int(el2_max_smmus)
  }
}
