// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import DeviceTree
internal import Hypervisor
internal import Ownership

/// The registers of masters that the host is to lose.
struct WithheldMasters {
  var pages = FixedList<16, PageRange>(filler: .filler)
  /// Whether no other master reaches memory but through an IOMMU.
  var othersAreConfined = false
}

/// Who tells of a board: a device tree, or the embedder.
///
/// Asked in two steps, each of which needs much stack: the board is made where it stays, and lent to the second.
protocol BoardSource {
  /// The board.
  ///
  /// - Throws: `TREE`, `BOARD`.
  func board() throws(EmbedderError) -> Board

  /// The masters of the board.
  ///
  /// - Throws: `TREE`, `BOARD`.
  func masters(of board: borrowing Board) throws(EmbedderError) -> WithheldMasters
}

/// A board in a device tree.
///
/// A leaf: what the pointer must be, the header asks of the caller.
@safe struct BoardInTree: BoardSource {
  private let bytes: UnsafeRawBufferPointer
  private let granule: Granule
  private let claimsMasters: Bool
  private let platform: EmbedderPlatform

  /// The board of the tree at `tree`; with `claimsMasters` the host loses masters that nothing confines.
  ///
  /// - Throws: `TREE`.
  @unsafe init(
    _ tree: UnsafeRawPointer, _ size: Int, _ granule: Granule, claimsMasters: Bool = false,
    _ platform: EmbedderPlatform
  ) throws(EmbedderError) {
    // No tree has more bytes than an Int counts.
    guard size >= 0 else { throw EmbedderError(PORTCULLIS_ERROR_TREE) }
    unsafe bytes = UnsafeRawBufferPointer(start: tree, count: size)
    self.granule = granule
    self.claimsMasters = claimsMasters
    self.platform = platform
  }

  /// The tree.
  ///
  /// - Throws: `TREE`.
  @_lifetime(borrow self)
  func blob() throws(EmbedderError) -> DeviceTreeBlob {
    do throws(BlobError) {
      let bytes = unsafe bytes.bindMemory(to: UInt8.self).span
      return try DeviceTreeBlob(checking: unsafe _overrideLifetime(bytes, borrowing: self))
    } catch {
      throw EmbedderError(PORTCULLIS_ERROR_TREE)
    }
  }

  @inline(never)
  func board() throws(EmbedderError) -> Board {
    let blob = try blob()
    var diagnostics = FirstDiagnostics<Diagnostic>()
    let board = Board.read(blob, granule: granule, reporting: &diagnostics)
    diagnostics.write(in: blob) { platform.log($0, $1) }
    guard board.verdict != .refused else {
      var node = BoardNode.root
      diagnostics.forEach { if $0.severity == .error, node == .root { node = $0.node } }
      throw EmbedderError(PORTCULLIS_ERROR_BOARD, at: node)
    }
    return board
  }

  /// What is behind an IOMMU is confined: the embedder drives it.
  @inline(never)
  func masters(of board: borrowing Board) throws(EmbedderError) -> WithheldMasters {
    let blob = try blob()
    var sink = UntoldDiagnostics()
    let topology = DMATopology(reading: blob, of: board, reporting: &sink)
    let found = UnconfinedMasters(
      topology, board, blob, drivers: .others, claims: claimsMasters)
    found.report(topology, blob) { platform.log($0, $1) }
    var masters = WithheldMasters()
    masters.othersAreConfined = topology.isComplete && found.count == found.claimedCount
    guard claimsMasters else { return masters }
    // Masters beyond the list have not been decided on.
    guard topology.isComplete else { throw refuse("there are more masters than can be listed") }
    for index in 0..<found.pages.count {
      guard let pages = found.pages[index], masters.pages.append(pages) else {
        throw refuse("there are more registers of masters than can be claimed")
      }
    }
    return masters
  }

  private func refuse(_ text: StaticString) -> EmbedderError {
    platform.log(.error, LogLine(text))
    return EmbedderError(PORTCULLIS_ERROR_BOARD)
  }
}
