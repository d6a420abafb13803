// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

/// Memory that the host must not have EL2 read or write: `no-map` of /reserved-memory, and the memory reservation
/// block.
///
/// It may be firmware's, and a mapping alone, through which the CPU speculates, can end in an abort that nobody
/// expects. The host reaches it as before. A reservation for a boot module, such as an initial RAM disk, ends when
/// the host has read it, and is no such memory.
public struct ReservedPages: Sendable {
  private var ranges = InlineArray<128, PageRange?>(repeating: nil)
  private var count = 0

  /// Nothing is reserved.
  public init() {}

  /// What a board reserves.
  public init(_ board: borrowing Board) {
    self.init()
    for index in board.reserved.indices {
      let reserved = board.reserved[index]
      guard reserved.isUnmapped || reserved.node == nil, !Self.isModule(reserved.range, of: board),
        let pages = PageRange(covering: reserved.range), count < ranges.count
      else { continue }
      ranges[count] = pages
      count += 1
    }
  }

  private static func isModule(_ range: AddressRange, of board: borrowing Board) -> Bool {
    for index in board.modules.indices where board.modules[index].range.overlaps(range) {
      return true
    }
    return false
  }

  /// Whether one of `pages` is reserved.
  public func overlaps(_ pages: PageRange) -> Bool {
    for index in 0..<count where ranges[index]?.overlaps(pages) == true { return true }
    return false
  }
}
