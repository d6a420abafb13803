// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import ITS
internal import Ownership

/// Memory of the board that EL2 takes beside its image, for what grows with the board.
///
///     the arena of the ITSes                         CPU 0's stack   CPU 1's stack   …
///     64 KiB aligned, seen in the linear part        seen at VirtualLayout.stack, guards between them
///
/// It is found when the host's kernel has its place, and mapped for good.
struct BoardMemory {
  /// All of it.
  let range: AddressRange
  /// The pages of the arena; nil on a board without an ITS.
  let arena: PageRange?
  private let stacks: PageRange

  private static var stackPages: UInt64 { el2_stack_size >> PageFrameNumber.shift }

  /// The bytes that a board with so many CPUs and ITSes takes.
  static func size(cpus: Int, itses: Int) -> UInt64 {
    arenaSize(itses) + UInt64(cpus) * el2_stack_size
  }

  /// 8 MiB for one ITS or two, 4 MiB for each of more.
  private static func arenaSize(_ itses: Int) -> UInt64 {
    itses == 0 ? 0 : max(2, UInt64(itses)) * ITSSetup.recommendedArenaSize
  }

  /// Divides `range`, which has that size.
  init?(_ range: AddressRange, cpus: Int, itses: Int) {
    let arenaPages = Self.arenaSize(itses) >> PageFrameNumber.shift
    let first = PageFrameNumber(containing: range.base)
    guard
      let stacks = PageRange(
        first: PageFrameNumber(first.rawValue + arenaPages), count: UInt64(cpus) * Self.stackPages)
    else { return nil }
    self.range = range
    self.stacks = stacks
    arena = PageRange(first: first, count: arenaPages)
  }

  /// Maps all of it.
  func map(
    _ stage1: inout ImageMap.Stage1, _ pool: inout ImageMap.Pool
  ) throws(StartupError) {
    do throws(OwnershipError) {
      if let arena {
        try stage1.map(arena, at: VirtualLayout.linear(arena.first.address), .data, pool: &pool)
      }
      for cpu in 0..<stacks.count / Self.stackPages {
        let first = PageFrameNumber(stacks.first.rawValue + cpu * Self.stackPages)
        guard let stack = PageRange(first: first, count: Self.stackPages) else { throw .empty }
        try stage1.map(stack, at: VirtualLayout.stack(cpu), .data, pool: &pool)
      }
    } catch {
      throw .memory
    }
  }
}
