// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import DeviceTree
internal import Hypervisor
internal import Ownership

/// A board, and the registers of masters that the host is to lose.
///
/// A leaf: what the pointer to a tree must be, the header asks of the caller.
struct DescribedBoard {
  typealias Masters = FixedList<16, PageRange>

  let board: Board
  var masters = Masters(filler: .filler)
  /// Whether no other master reaches memory but through an IOMMU.
  private(set) var isConfined: Bool

  /// A board on which no master is claimed yet.
  init(_ board: Board, isConfined: Bool) {
    self.board = board
    self.isConfined = isConfined
  }

  /// What a tree describes; masters that nothing confines are told of, and claimed where `claimsMasters` says so.
  ///
  /// What is behind an IOMMU is confined: the embedder drives it.
  ///
  /// - Throws: `TREE`, `BOARD`.
  init(
    _ tree: UnsafeRawPointer, _ size: Int, _ granule: Granule, claimsMasters: Bool,
    _ platform: EmbedderPlatform
  ) throws(EmbedderError) {
    // No tree has more bytes than an Int counts.
    guard size >= 0 else { throw EmbedderError(PORTCULLIS_ERROR_TREE) }
    let bytes = unsafe UnsafeRawBufferPointer(start: tree, count: size)
    let blob = try Self.check(unsafe bytes.bindMemory(to: UInt8.self).span)
    board = try Self.read(blob, granule, platform)
    isConfined = false
    try addMasters(blob, claimsMasters, platform)
  }

  @_lifetime(copy bytes)
  static func check(_ bytes: Span<UInt8>) throws(EmbedderError) -> DeviceTreeBlob {
    do throws(BlobError) {
      return try DeviceTreeBlob(checking: bytes)
    } catch {
      throw EmbedderError(PORTCULLIS_ERROR_TREE)
    }
  }

  // Apart, as is what follows: each needs much stack, and not at once.
  @inline(never)
  static func read(
    _ blob: DeviceTreeBlob, _ granule: Granule, _ platform: EmbedderPlatform
  ) throws(EmbedderError) -> Board {
    var diagnostics = FirstDiagnostics<Diagnostic>()
    let board = Board.read(blob, granule: granule, reporting: &diagnostics)
    diagnostics.write(in: blob) { platform.log($0, $1) }
    guard board.verdict != .refused else {
      var node = DeviceTreeNode.root
      diagnostics.forEach { if $0.severity == .error, node == .root { node = $0.node } }
      throw EmbedderError(PORTCULLIS_ERROR_BOARD, at: node)
    }
    return board
  }

  @inline(never)
  private mutating func addMasters(
    _ blob: DeviceTreeBlob, _ claims: Bool, _ platform: EmbedderPlatform
  ) throws(EmbedderError) {
    var sink = UntoldDiagnostics()
    let topology = DMATopology(reading: blob, of: board, reporting: &sink)
    let found = UnconfinedMasters(topology, board, blob, drivers: .others, claims: claims)
    found.report(topology, blob) { platform.log($0, $1) }
    isConfined = topology.isComplete && found.count == found.claimedCount
    guard claims else { return }
    // Masters beyond the list have not been decided on.
    guard topology.isComplete else {
      throw Self.refuse("there are more masters than can be listed", platform)
    }
    for index in 0..<found.pages.count {
      guard let pages = found.pages[index], masters.append(pages) else {
        throw Self.refuse("there are more registers of masters than can be claimed", platform)
      }
    }
  }

  private static func refuse(_ text: StaticString, _ platform: EmbedderPlatform) -> EmbedderError {
    platform.log(.error, LogLine(text))
    return EmbedderError(PORTCULLIS_ERROR_BOARD)
  }
}
