// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import DeviceTree

/// What the tree says of DMA, read twice and not kept: it is the largest value there is, and has room on the
/// boot CPU's stack while nothing else is on it.
enum DMADescription {
  /// The SMMUs that are to be owned.
  @inline(never)
  static func plan(
    _ board: borrowing Board, _ blob: DeviceTreeBlob, _ platform: some Platform
  ) throws(StartupError) -> SMMUPlan {
    var diagnostics = FirstDiagnostics<DMADiagnostic>()
    let topology = DMATopology(reading: blob, of: board, reporting: &diagnostics)
    diagnostics.write(in: blob) { platform.log($0, $1) }
    do throws(SMMUPlanError) {
      return try SMMUPlan(board, topology)
    } catch {
      throw .plan(error)
    }
  }

  /// Writes the host's tree without the SMMUs.
  @inline(never)
  static func write(
    _ tree: HostTree, _ board: borrowing Board, _ blob: DeviceTreeBlob,
    into bytes: inout MutableSpan<UInt8>
  ) throws(HostTreeError) {
    // What is wrong was told when the plan was made.
    var diagnostics = FirstDiagnostics<DMADiagnostic>()
    let topology = DMATopology(reading: blob, of: board, reporting: &diagnostics)
    _ = try tree.write(from: blob, hidingSMMUsOf: topology, into: &bytes)
  }
}
