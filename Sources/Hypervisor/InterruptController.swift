// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import Ownership

/// The parts of the GIC beside the ITSes, as far as EL2 looks at them.
enum InterruptController {
  /// Maps the Redistributors of `board` for EL2, and the Distributor for a look at it, and returns one more than the
  /// largest INTID (GICD_TYPER.IDbits).
  static func map<Machine: BoardPlatform>(
    _ board: borrowing Board, _ early: inout EarlyState<Machine>, _ platform: Machine
  ) throws(StartupError) -> UInt64 {
    do throws(OwnershipError) {
      for index in board.redistributors.indices {
        guard let pages = PageRange(covering: board.redistributors[index].range),
          pages.count <= VirtualLayout.redistributorRegionPages
        else { throw .empty }
        try early.stage1.map(
          pages, at: VirtualLayout.redistributors(index), .device, pool: &early.pool)
      }
    } catch {
      throw .memory
    }
    guard let distributor = board.distributor,
      let page = PageRange(first: PageFrameNumber(containing: distributor.base), count: 1)
    else { return 0 }
    do throws(OwnershipError) {
      try early.stage1.map(page, at: VirtualLayout.distributor, .device, pool: &early.pool)
    } catch {
      throw .memory
    }
    let offset = distributor.base.rawValue & (PageFrameNumber.size - 1)
    let limit = InterruptLimit.read(
      at: VirtualAddress(VirtualLayout.distributor.rawValue + offset), through: platform.registers)
    early.stage1.unmap(page, at: VirtualLayout.distributor, &early.pool)
    guard let limit else { throw .interruptController }
    return limit
  }
}
