// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import Ownership
internal import Redistributor

/// How the memory for a state is divided.
///
/// The copy of the embedder's table comes first, then the state, what is known of the board, lists that a claim
/// fills, what is known of pages, the ITSes, the Redistributors, what was counted, and the pages of the tables.
///
/// A leaf: the memory is one that `portcullis_init` has found large and aligned enough.
enum StateMemory {
  /// Where the state begins.
  static var offset: Int {
    unsafe aligned(MemoryLayout<portcullis_ops>.size, MemoryLayout<EmbedderState>.alignment)
  }
  /// Where what is known of the board begins.
  static var boardOffset: Int { aligned(offset + MemoryLayout<EmbedderState>.size, 16) }
  /// Where ranges are put for the embedder.
  static var rangesOffset: Int { aligned(boardOffset + MemoryLayout<EmbedderBoard>.size, 16) }
  /// Where the frames of all regions are listed.
  static var framesOffset: Int {
    rangesOffset + rangeLimit * MemoryLayout<portcullis_pages>.stride
  }
  /// Where what is known of pages begins.
  static var pagesOffset: Int {
    aligned(framesOffset + MemoryLayout<RegionClaim.BoardFrames>.size, 16)
  }
  /// Where the ITSes begin.
  static var itsOffset: Int {
    aligned(pagesOffset + MemoryLayout<EmbedderPages.State>.size, 0x1000)
  }
  /// Where the Redistributors begin.
  static var redistributorOffset: Int { itsOffset + Int(PORTCULLIS_ITS_LIMIT) * ITSPlaces.stride }
  /// Where the words of the statistics begin.
  static var countsOffset: Int {
    aligned(redistributorOffset + Int(RedistributorPlace.size), 0x1000)
  }
  /// Where the pages of the ledger begin.
  static var poolOffset: Int { aligned(countsOffset + EmbedderCounts.size, 0x1000) }

  /// The most ranges of one change.
  static var rangeLimit: Int { RegionClaim.BoardFrames.capacity }
  /// The whole pages in which the pins of the Redistributors lie.
  static var pinPages: UInt64 {
    (MediatedRedistributors.pinsSize + PageFrameNumber.size - 1) >> PageFrameNumber.shift
  }
  /// Whether the parts are as large as what they are for.
  static var fits: Bool { ITSPlaces.fit && RedistributorPlace.fits }

  private static func aligned(_ offset: Int, _ alignment: Int) -> Int {
    (offset + alignment - 1) & ~(alignment - 1)
  }

  /// The root of the ledger with three levels of tables for 40 regions far apart, or for all of them close together;
  /// and tables of the pages that are away.
  static var recommendedPages: Int { 144 }

  /// The state behind the C pointer.
  static func state(_ pointer: OpaquePointer) -> UnsafeMutablePointer<EmbedderState> {
    let base = unsafe UnsafeMutableRawPointer(pointer)
    return unsafe (base + offset).assumingMemoryBound(to: EmbedderState.self)
  }
}
