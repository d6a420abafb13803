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

/// Puts EL2 between the host and every claimed ITS, before the host runs.
enum ITSMediation {
  /// Sets up the ITSes in the order of `identities`, each with an equal part of the arena; returns what
  /// they are for the host.
  static func begin(
    _ board: borrowing Board, _ identities: ITSClaim.Identities, interruptLimit: UInt64
  ) throws(StartupError) -> ITSClaim.Identities {
    var offered = ITSClaim.noIdentities
    guard !identities.isEmpty else { return offered }
    // A power of two of 64 KiB units, so that every part is as aligned as the whole.
    var parts: UInt64 = 1
    while parts < UInt64(identities.count) { parts *= 2 }
    let machine = MediationMachine()
    let image = unsafe StateMemory.shared.pointee.image.base.rawValue
    let arena = image + (el2_arena_here() - el2_image_start_here())
    let size = el2_arena_size / parts
    for index in identities.indices {
      guard
        let range = AddressRange(
          base: PhysicalAddress(arena + UInt64(index) * size), size: size),
        let pages = PageRange(covering: range)
      else { throw .its }
      let traits = board.itses[index].traits
      let setup = ITSSetup(
        frame: identities[index].address, arena: pages,
        addressLimit: traits.contains(.addresses32Bit) ? 1 << 32 : 1 << 52,
        isNonCoherent: traits.contains(.nonCoherent),
        policy: ITSPolicy(interruptLimit: interruptLimit), cpus: el2_max_cpus)
      do throws(ITSSetupError) {
        var its = try MediatedITS.setUp(setup, machine: machine)
        try addTargets(board, to: &its, machine)
        unsafe StateMemory.its(UInt8(index)).initialize(to: ITSState(its))
        let typer = MediatedITS.offeredType(
          GITSTyper(rawValue: identities[index].typer), setup.policy)
        _ = offered.append(identities[index].offering(typer: typer.rawValue))
      } catch {
        throw .its
      }
    }
    return offered
  }

  private static func addTargets(
    _ board: borrowing Board, to its: inout MediatedITS, _ machine: MediationMachine
  ) throws(ITSSetupError) {
    for index in board.redistributors.indices {
      let isWhole = try RedistributorScan.forEach(
        board.redistributors[index], at: VirtualLayout.redistributors(index),
        through: machine.registers
      ) { (base, typer) throws(ITSSetupError) in
        try its.addTarget(base, typer, machine: machine)
      }
      guard isWhole else { throw .silent(offset: RedistributorRegister.type.offset) }
    }
  }
}

/// The parts of the GIC beside the ITSes, as far as EL2 looks at them.
enum InterruptController {
  /// Maps the Distributor and the Redistributors of `board` for EL2, and returns one more than the
  /// largest INTID (GICD_TYPER.IDbits).
  static func map(
    _ board: borrowing Board, _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) -> UInt64 {
    guard let distributor = board.distributor,
      let page = PageRange(first: PageFrameNumber(containing: distributor.base), count: 1)
    else { return 0 }
    do throws(OwnershipError) {
      try stage1.map(page, at: VirtualLayout.distributor, .device, pool: &pool)
      for index in board.redistributors.indices {
        guard let pages = PageRange(covering: board.redistributors[index].range),
          pages.count <= VirtualLayout.redistributorRegionPages
        else { throw .empty }
        try stage1.map(
          pages, at: VirtualLayout.redistributors(index), .device, pool: &pool)
      }
    } catch {
      throw .memory
    }
    // GICD_TYPER.IDbits, bits [23:19], is the number of bits minus one (IHI 0069, 12.9.38).
    let offset = distributor.base.rawValue & (PageFrameNumber.size - 1)
    guard
      let typer = MetalDeviceMemory().read(
        .word, at: VirtualAddress(VirtualLayout.distributor.rawValue + offset + 4))
    else { throw .its }
    return 1 << ((typer >> 19 & 0x1f) + 1)
  }
}
