// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import Ownership
internal import SMMUDriver
internal import Traps

// EL2 between the host's devices and memory.
extension Monitor where Machine: BoardPlatform {
  /// Takes over the SMMUs of `plan`, whose registers were claimed, and has what devices reach follow what the
  /// host reaches, in one critical section.
  ///
  /// Comes behind all other claims of the start-up, so that the snapshot has them; what is claimed later the
  /// mirror is told of.
  func beginSMMUs(
    _ plan: borrowing SMMUPlan, _ policy: SMMUPolicy, _ board: borrowing Board,
    _ geometry: TranslationGeometry
  ) throws(StartupError) {
    guard !plan.places.isEmpty else { return }
    guard let arena = PageRange(covering: state.shared.layout.smmuArena),
      let setups = SMMUClaim.setups(plan, in: state.shared.registry, arena: arena)
    else { throw .claim }
    let doorbells = SMMUClaim.doorbells(of: board)
    try state.shared.ownershipLock.withLock(on: platform) { () throws(StartupError) in
      try state.shared.ownership.updateObserver {
        (protection, host, memoryMap, pool) throws(StartupError) in
        do throws(DMAProtectionError) {
          try protection.begin(
            setups.span, bits: geometry.bits, policy: policy == .nested ? .nested : .owned,
            doorbells: doorbells, machine: platform.smmus, host, memoryMap, &pool)
        } catch {
          throw .dma(error)
        }
      }
    }
    state.shared.ownsSMMUs = true
    if policy == .nested {
      let count = UInt8(truncatingIfNeeded: plan.places.count)
      guard beginVirtualSMMUs(count, at: state.shared.layout.virtualSMMUs) else {
        throw .virtualSMMU
      }
      state.shared.virtualSMMUs = count
    }
    for index in plan.places.indices {
      var line = LogLine("SMMU at ")
      line.append(hex: plan.places[index].range.base.rawValue)
      line.append(policy == .nested ? " behind a stage 2" : " owned")
      platform.log(.info, line)
    }
  }
}
