// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import Ownership
internal import Traps

/// Why the board is switched off instead of being handed to the host.
enum StartupError: Error {
  case noTree
  case badTree
  case boardRefused
  case memory
  case translation
  case claim
  case modules
  case noRoom
  case hostTree
  case tooManyCPUs
}

/// The order in which the board is brought from firmware's hands into the host's:
///
/// tree mapped and checked → console → host's stage 2 → ITSes claimed → host placed → host entered.
///
/// Whatever fails before the last step switches the board off: a host that is not confined is never
/// entered.
enum Startup {
  /// The most that a device tree may take, in bytes.
  private static var treeLimit: UInt64 { 0x20_0000 }

  static func run(_ early: consuming EarlyState, tree: PhysicalAddress) -> Never {
    var pool = early.pool
    var stage1 = early.stage1
    var log = Log(console: nil, level: .info)
    let failure: StartupError
    do throws(StartupError) {
      let bytes = try mapTree(tree, &stage1, &pool)
      let source = unsafe UnsafeBufferPointer(
        start: UnsafePointer<UInt8>(bitPattern: UInt(VirtualLayout.linear(bytes.base).rawValue)),
        count: Int(bytes.size))
      let blob = try check(unsafe source.span)
      var diagnostics = KeptDiagnostics()
      let board = Board.read(blob, granule: .kib4, reporting: &diagnostics)
      log = openLog(board, &stage1, &pool)
      diagnostics.write(to: &log, blob)
      let plan = try HostPlan(board, tree: bytes, image: imageRange())
      let host = try place(plan, blob, &stage1, &pool)
      try confine(board, plan, consume stage1, consume pool, consume log)
      unsafe StateMemory.shared.pointee.context.load()
      unsafe StateMemory.shared.pointee.log.isBuffered = true
      el2_enter_host(host.entry.rawValue, host.tree.rawValue)
    } catch {
      failure = error
    }
    fail(failure)
  }

  /// Where the image lies.
  static func imageRange() throws(StartupError) -> AddressRange {
    let early = unsafe StateMemory.imageBase
    guard
      let range = AddressRange(
        base: early, size: el2_image_end_here() - el2_image_start_here())
    else { throw .memory }
    return range
  }
}
