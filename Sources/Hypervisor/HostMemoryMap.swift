// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import DeviceTree

/// The memory that the host is told of: the board's without EL2's image, and without a piece beside it that is too
/// small to be of use.
///
/// A loader often puts the image a little above the start of memory. Hosts that take their memory from one piece
/// alone would take the few MiB below it.
public struct HostMemoryMap {
  /// The pieces, one more than there are ranges of memory at most.
  public typealias Pieces = FixedList<65, AddressRange>

  /// A piece beside the image is withheld where it is smaller, in bytes.
  public static var leastPiece: UInt64 { 16 << 20 }

  /// What the host is not told of: the image, and pieces beside it.
  public private(set) var withheld: AddressRange
  /// What is left.
  public private(set) var pieces: Pieces

  /// Divides the memory of `board` around `image`.
  ///
  /// A piece that has a boot module in it stays, and so does the largest one.
  public init(_ board: borrowing Board, image: AddressRange) {
    withheld = image
    pieces = Self.pieces(of: board, without: image)
    var largest: UInt64 = 0
    for index in pieces.indices { largest = max(largest, pieces[index].size) }
    for index in pieces.indices {
      let piece = pieces[index]
      guard piece.size < Self.leastPiece, piece.size < largest, !Self.hasModule(board, piece)
      else { continue }
      let isBelow = piece.last.advanced(by: 1) == image.base
      guard isBelow || image.last.advanced(by: 1) == piece.base else { continue }
      let base = isBelow ? piece.base : withheld.base
      guard let whole = AddressRange(base: base, size: withheld.size + piece.size),
        // A host's tree is cut in whole pages.
        whole.base.isAligned(to: PageFrameNumber.size), whole.size % PageFrameNumber.size == 0
      else { continue }
      withheld = whole
    }
    pieces = Self.pieces(of: board, without: withheld)
  }

  private static func pieces(of board: borrowing Board, without hole: AddressRange) -> Pieces {
    var pieces = Pieces(filler: hole)
    for index in board.memory.indices {
      let (below, above) = board.memory[index].split(by: hole)
      // A hole divides one range, or ends one and begins the next; where ranges overlap some may be left out.
      if let below { _ = pieces.append(below) }
      if let above { _ = pieces.append(above) }
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
