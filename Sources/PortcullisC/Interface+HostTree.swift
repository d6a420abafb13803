// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Boards
internal import DeviceTree
internal import Hypervisor

// The function of portcullis.h that writes the host's device tree. A leaf, as Interface.swift.

/// The tree of a host: what is withheld from it.
private struct TreeOfHost {
  let platform: EmbedderPlatform
  var tree = HostTree()

  /// Withholds memory.
  ///
  /// - Throws: `RANGE` for what is no range, `FULL` where there is too much.
  mutating func withhold(_ pages: portcullis_pages) throws(EmbedderError) {
    guard let range = AddressRange(base: PhysicalAddress(pages.base), size: pages.bytes) else {
      throw EmbedderError(PORTCULLIS_ERROR_RANGE)
    }
    guard tree.withhold(range) else { throw EmbedderError(PORTCULLIS_ERROR_FULL) }
  }

  /// Disables ITSes that are left out.
  ///
  /// - Throws: `BOARD`.
  private mutating func disableITSes(
    of board: borrowing Board, _ config: portcullis_config
  ) throws(EmbedderError) {
    for index in board.itses.indices {
      let its = board.itses[index]
      guard let leaveOut = unsafe config.leave_out,
        unsafe leaveOut(platform.context, its.controlFrame.base.rawValue) != 0
      else { continue }
      try disable(its.node)
    }
  }

  /// Disables masters whose registers are claimed.
  ///
  /// - Throws: `BOARD`.
  @inline(never)
  private mutating func disableMasters(
    of board: borrowing Board, _ blob: DeviceTreeBlob
  ) throws(EmbedderError) {
    var sink = UntoldDiagnostics()
    let topology = DMATopology(reading: blob, of: board, reporting: &sink)
    let masters = UnconfinedMasters(topology, board, blob, drivers: .others, claims: true)
    for index in topology.masters.indices where masters[index] == .claimed {
      try disable(topology.masters[index].node)
    }
  }

  private mutating func disable(_ node: BoardNode) throws(EmbedderError) {
    if tree.disabled.append(node) { return }
    platform.log(.error, LogLine("host's tree: too many nodes are to be disabled"))
    throw EmbedderError(PORTCULLIS_ERROR_BOARD)
  }

  /// Writes the tree.
  ///
  /// - Returns: its size.
  /// - Throws: `ALIGNMENT`, `MEMORY` where the buffer is too small, `TREE`, `BOARD` for a tree that can't be cut.
  mutating func write(
    _ source: BoardInTree, _ config: portcullis_config, smmus policy: SMMUPolicy,
    into bytes: inout MutableSpan<UInt8>
  ) throws(EmbedderError) -> Int {
    let blob = try source.blob()
    let board = try source.board()
    try unsafe disableITSes(of: board, config)
    if unsafe config.policy & PORTCULLIS_POLICY_CLAIM_MASTERS != 0 {
      try disableMasters(of: board, blob)
    }
    do throws(HostTreeError) {
      switch policy {
      case .owned: return try DMADescription.write(tree, board, blob, into: &bytes)
      case .nested: return try tree.write(from: blob, nestingSMMUsInto: &bytes)
      case .off: return try tree.write(from: blob, into: &bytes)
      }
    } catch {
      switch error {
      case .noSpace: throw EmbedderError(PORTCULLIS_ERROR_MEMORY)
      case .misaligned: throw EmbedderError(PORTCULLIS_ERROR_ALIGNMENT)
      default: break
      }
      platform.log(.error, LogLine("host's tree: a memory node or a module can't be cut out"))
      throw EmbedderError(PORTCULLIS_ERROR_BOARD)
    }
  }
}

// swift-format-ignore: AlwaysUseLowerCamelCase
@c @implementation
func portcullis_write_host_tree(
  _ config: UnsafePointer<portcullis_config>!, _ withheld: UnsafePointer<portcullis_pages>!,
  _ count: Int, _ buffer: UnsafeMutableRawPointer!, _ bufferSize: Int,
  _ size: UnsafeMutablePointer<Int>!
) -> portcullis_status {
  guard let config = unsafe config, let buffer = unsafe buffer, let size = unsafe size,
    UInt(bitPattern: buffer) % 8 == 0, bufferSize >= 0, unsafe count == 0 || withheld != nil
  else { return PORTCULLIS_ERROR_ARGUMENT }
  if let status = unsafe mismatch(config) { return status }
  guard let source = unsafe config.pointee.tree, let table = unsafe config.pointee.ops,
    let granule = unsafe Granule(rawValue: UInt64(config.pointee.page_size)),
    let smmus = unsafe SMMUPolicy(config.pointee.policy),
    unsafe table.pointee.host_physical == nil, unsafe config.pointee.tree_size >= 0
  else { return PORTCULLIS_ERROR_ARGUMENT }
  do throws(EmbedderError) {
    guard 0...Int(PORTCULLIS_WITHHELD_LIMIT) ~= count else {
      throw EmbedderError(PORTCULLIS_ERROR_FULL)
    }
    var host = unsafe TreeOfHost(platform: EmbedderPlatform(UnsafeRawPointer(table)))
    for index in 0..<count { try host.withhold(unsafe withheld[index]) }
    if unsafe config.pointee.pool.bytes > 0 { try host.withhold(unsafe config.pointee.pool) }
    if unsafe config.pointee.trace.bytes > 0 { try host.withhold(unsafe config.pointee.trace) }
    let board = try unsafe BoardInTree(
      source, config.pointee.tree_size, granule, host.platform)
    let place = unsafe UnsafeMutableBufferPointer(
      start: buffer.bindMemory(to: UInt8.self, capacity: bufferSize), count: bufferSize)
    var target = unsafe place.mutableSpan
    unsafe size.pointee = try host.write(
      board, config.pointee, smmus: smmus, into: &target)
    return PORTCULLIS_OK
  } catch {
    return unsafe ProblemPlace(config.pointee).tell(error)
  }
}
