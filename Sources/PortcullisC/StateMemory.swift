// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder

/// How the memory for a state is divided: the copy of the embedder's table, the state, the ITSes, and
/// the pages of the ledger.
///
/// A leaf: the memory is one that `portcullis_init` has found large and aligned enough.
enum StateMemory {
  /// Where the state begins.
  static var offset: Int {
    unsafe aligned(MemoryLayout<portcullis_ops>.size, MemoryLayout<EmbedderState>.alignment)
  }
  /// Where the ITSes begin.
  static var itsOffset: Int {
    aligned(offset + MemoryLayout<EmbedderState>.size, MemoryLayout<EmbedderITS>.alignment)
  }
  /// Where the pages begin.
  static var poolOffset: Int { aligned(itsOffset + EmbedderITSes.size, 0x1000) }

  private static func aligned(_ offset: Int, _ alignment: Int) -> Int {
    (offset + alignment - 1) & ~(alignment - 1)
  }

  /// The root of the ledger, and three levels of tables for each region.
  static var recommendedPages: Int { 128 }

  /// The state behind the C pointer.
  static func state(_ pointer: OpaquePointer) -> UnsafeMutablePointer<EmbedderState> {
    let base = unsafe UnsafeMutableRawPointer(pointer)
    return unsafe (base + offset).assumingMemoryBound(to: EmbedderState.self)
  }
}
