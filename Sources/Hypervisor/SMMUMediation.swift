// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import Hypervisor
internal import IOMMU
internal import Ownership
internal import SMMUDriver
internal import Traps

/// Puts EL2 between the host's devices and memory.
enum SMMUMediation {
  /// Takes over the SMMUs of `plan`, whose registers were claimed, and has what devices reach follow what the
  /// host reaches, in one critical section.
  ///
  /// Comes behind all other claims of the start-up, so that the snapshot has them; what is claimed later the
  /// mirror is told of.
  static func begin(
    _ plan: borrowing SMMUPlan, _ policy: SMMUPolicy, _ board: borrowing Board,
    _ geometry: TranslationGeometry, _ log: inout Log
  ) throws(StartupError) {
    guard !plan.places.isEmpty else { return }
    let image = unsafe StateMemory.shared.pointee.image.base
    let base = PhysicalAddress(image.rawValue + (el2_smmus_here() - el2_image_start_here()))
    guard let whole = AddressRange(base: base, size: el2_smmus_size),
      let arena = PageRange(covering: whole),
      let setups = unsafe SMMUClaim.setups(
        plan, in: StateMemory.shared.pointee.registry, arena: arena)
    else { throw .claim }
    var mirror: DMAProtection.Mirror?
    do throws(SMMUSetupError) {
      mirror = DMAMirror(
        try SMMUGroup(
          setups.span, bits: geometry.bits, policy: policy == .nested ? .nested : .owned,
          machine: MetalSMMUs()),
        doorbells: SMMUClaim.doorbells(of: board))
    } catch {
      throw .smmu(error)
    }
    var held = HeldLocks()
    try unsafe StateMemory.shared.pointee.ownershipLock.withLock(&held) {
      (_) throws(StartupError) in
      try unsafe StateMemory.shared.pointee.ownership.updateObserver {
        (protection, host, memoryMap, pool) throws(StartupError) in
        protection.mirror = mirror.take()
        do throws(IOMMUError) {
          try protection.mirror?.start(host, memoryMap, &pool)
        } catch {
          if let refusal = protection.mirror?.driver.refusal { throw .smmu(refusal) }
          throw .mirror(error)
        }
      }
    }
    unsafe StateMemory.shared.pointee.ownsSMMUs = true
    if policy == .nested { try VirtualSMMUMediation.begin(plan.places.count) }
    for index in plan.places.indices {
      var line = LogLine("SMMU at ")
      line.append(hex: plan.places[index].range.base.rawValue)
      line.append(policy == .nested ? " behind a stage 2" : " owned")
      log.write(.info, line)
    }
  }
}
