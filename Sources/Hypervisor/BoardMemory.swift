// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import ITS
internal import Ownership

/// Memory of the board that EL2 takes beside its image, for what grows with the board.
///
///     the arena of the ITSes                         CPU 0's stack   CPU 1's stack   …
///     64 KiB aligned, seen in the linear part        seen at BoardPlatform.stack, guards between them
///
/// It is found when the host's kernel has its place, and mapped for good.
package struct BoardMemory {
  /// All of it.
  let range: AddressRange
  /// The pages of the arena; nil on a board without an ITS.
  let arena: PageRange?
  private let stacks: PageRange

  /// The bytes that a board with so many CPUs and ITSes takes.
  package static func size(cpus: Int, stack: UInt64, itses: Int) -> UInt64 {
    arenaSize(itses) + UInt64(cpus) * stack
  }

  /// 8 MiB for one ITS or two, 4 MiB for each of more.
  private static func arenaSize(_ itses: Int) -> UInt64 {
    itses == 0 ? 0 : max(2, UInt64(itses)) * ITSSetup.recommendedArenaSize
  }

  /// Divides `range`, which has that size.
  init?(_ range: AddressRange, cpus: Int, stack: UInt64, itses: Int) {
    let arenaPages = Self.arenaSize(itses) >> PageFrameNumber.shift
    let first = PageFrameNumber(containing: range.base)
    guard
      let stacks = PageRange(
        first: PageFrameNumber(first.rawValue + arenaPages),
        count: UInt64(cpus) * (stack >> PageFrameNumber.shift))
    else { return nil }
    self.range = range
    self.stacks = stacks
    arena = PageRange(first: first, count: arenaPages)
  }

  /// Maps all of it.
  func map<Machine: BoardPlatform>(
    _ early: inout EarlyState<Machine>, _ platform: Machine
  ) throws(StartupError) {
    let stackPages = platform.stackSize >> PageFrameNumber.shift
    do throws(OwnershipError) {
      if let arena {
        try early.stage1.map(
          arena, at: VirtualLayout.linear(arena.first.address), .data, pool: &early.pool)
      }
      for cpu in 0..<stacks.count / stackPages {
        let first = PageFrameNumber(stacks.first.rawValue + cpu * stackPages)
        guard let stack = PageRange(first: first, count: stackPages) else { throw .empty }
        try early.stage1.map(stack, at: platform.stack(cpu), .data, pool: &early.pool)
      }
    } catch {
      throw .memory
    }
  }
}
