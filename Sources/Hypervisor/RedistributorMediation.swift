// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import GIC
internal import Ownership
internal import Redistributor

// EL2 between the host and every Redistributor of the board.
extension Monitor where Machine: BoardPlatform {
  /// Appends the pages to claim.
  func appendRedistributors(
    of board: borrowing Board,
    to requests: inout RegionRequests<HypervisorState<Machine>.Device>
  ) throws(StartupError) {
    do throws(RedistributorClaimError) {
      try RedistributorClaim.append(
        board.redistributors, at: VirtualLayout.redistributors, through: platform.registers,
        to: &requests
      ) { first, frame in .mediatedRedistributors(first: first, frame: frame) }
    } catch {
      if case .tooMany = error {
        throw .tooManyRegions(limit: RegionRequests<HypervisorState<Machine>.Device>.capacity)
      }
      throw .redistributorClaim(error)
    }
  }

  /// Adds every Redistributor in the order of the requests, before the host runs.
  ///
  /// A host that is trusted at first keeps what is live; it is mediated all the same.
  func beginRedistributors(
    of board: borrowing Board, _ options: BootOptions, interruptLimit: UInt64
  ) throws(StartupError) {
    do throws(RedistributorSetupError) {
      try beginRedistributors(
        board.redistributors, at: VirtualLayout.redistributors,
        pins: state.shared.layout.redistributorPins, interruptLimit: interruptLimit,
        addressLimit: board.gicTraits.addressLimit,
        offersVirtualLPIs: options.checksVirtualInterrupts, keepsLive: options.isHandover)
    } catch {
      guard case .tooMany = error else { throw .redistributors }
      throw .tooManyRedistributors(limit: MediatedRedistributors.capacity)
    }
  }
}
