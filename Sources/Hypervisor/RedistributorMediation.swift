// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import Ownership
internal import Redistributor

/// Puts EL2 between the host and every Redistributor of the board.
enum RedistributorMediation {
  /// Appends the pages to claim.
  static func append(
    _ board: borrowing Board, to requests: inout RegionRequests<Device>
  ) throws(StartupError) {
    do throws(RedistributorClaimError) {
      try RedistributorClaim.append(
        board.redistributors, at: VirtualLayout.redistributors, through: MetalDeviceMemory(),
        to: &requests
      ) { first, frame in .mediatedRedistributors(first: first, frame: frame) }
    } catch {
      if case .tooMany = error {
        throw .tooManyRegions(limit: RegionRequests<Device>.capacity)
      }
      throw .redistributorClaim(error)
    }
  }

  /// Adds every Redistributor in the order of the requests, before the host runs.
  ///
  /// A host that is trusted at first keeps what is live; it is mediated all the same.
  static func begin(
    _ board: borrowing Board, _ options: BootOptions, interruptLimit: UInt64, _ log: inout Log
  ) throws(StartupError) {
    let imageBase = unsafe StateMemory.shared.pointee.image.base
    let pins = PhysicalAddress(
      imageBase.rawValue + (el2_redistributors_here() - el2_image_start_here())
        + RedistributorPlace.pinsOffset)
    do throws(RedistributorSetupError) {
      try MetalMonitor(MetalPlatform()).beginRedistributors(
        board.redistributors, at: VirtualLayout.redistributors, pins: pins,
        interruptLimit: interruptLimit, addressLimit: board.gicTraits.addressLimit,
        offersVirtualLPIs: options.checksVirtualInterrupts, keepsLive: options.isHandover)
    } catch {
      guard case .tooMany = error else { throw .redistributors }
      throw .tooManyRedistributors(limit: MediatedRedistributors.capacity)
    }
  }
}
