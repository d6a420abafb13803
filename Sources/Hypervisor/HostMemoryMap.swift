// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards

/// The memory that the host is told of: the board's without EL2's, and without a piece beside EL2's image that is too
/// small to be of use.
///
/// A loader often puts the image a little above the start of memory. Hosts that take their memory from one piece
/// alone would take the few MiB below it.
public struct HostMemoryMap {
  /// The pieces, two more than there are ranges of memory at most.
  public typealias Pieces = FixedList<66, AddressRange>

  /// A piece beside the image is withheld where it is smaller, in bytes.
  public static var leastPiece: UInt64 { 16 << 20 }

  /// What the host is not told of: the image with pieces beside it, and EL2's further memory where that lies apart.
  public private(set) var withheld: FixedList<2, AddressRange>
  /// What is left.
  public private(set) var pieces: Pieces

  /// Divides the memory of `board` around `image`, and around what EL2 has taken beside it, whole pages of memory.
  ///
  /// A piece that has a boot module in it stays, and so does the largest one.
  public init(_ board: borrowing Board, image: AddressRange, beside further: AddressRange? = nil) {
    withheld = FixedList(filler: image)
    _ = withheld.append(image)
    if let further { _ = withheld.append(further) }
    pieces = Self.pieces(of: board, without: withheld)
    var largest: UInt64 = 0
    for index in pieces.indices { largest = max(largest, pieces[index].size) }
    for index in pieces.indices {
      let piece = pieces[index]
      guard piece.size < Self.leastPiece, piece.size < largest, !Self.hasModule(board, piece)
      else { continue }
      for hole in withheld.indices {
        guard let whole = Self.joined(withheld[hole], piece) else { continue }
        withheld[hole] = whole
        break
      }
    }
    if withheld.count == 2, let whole = Self.joined(withheld[0], withheld[1]) {
      withheld = FixedList(filler: whole)
      _ = withheld.append(whole)
    }
    pieces = Self.pieces(of: board, without: withheld)
  }

  /// Two ranges in one, where the one ends where the other begins; a host's tree is cut in whole pages.
  private static func joined(_ one: AddressRange, _ other: AddressRange) -> AddressRange? {
    guard
      one.last.advanced(by: 1) == other.base || other.last.advanced(by: 1) == one.base,
      let whole = AddressRange(base: min(one.base, other.base), size: one.size + other.size),
      whole.base.isAligned(to: PageFrameNumber.size), whole.size % PageFrameNumber.size == 0
    else { return nil }
    return whole
  }

  private static func pieces(
    of board: borrowing Board, without holes: borrowing FixedList<2, AddressRange>
  ) -> Pieces {
    var pieces = Pieces(filler: holes[0])
    for index in board.memory.indices {
      // A hole divides one range, or ends one and begins the next; where ranges overlap some may be left out.
      board.memory[index].forEachPiece(without: holes.span) { _ = pieces.append($0) }
    }
    return pieces
  }

  private static func hasModule(_ board: borrowing Board, _ piece: AddressRange) -> Bool {
    for index in board.modules.indices where board.modules[index].range.overlaps(piece) {
      return true
    }
    return false
  }
}
