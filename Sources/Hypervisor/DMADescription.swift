// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Boards
package import DeviceTree

/// What the tree says of DMA, read twice and not kept: it is the largest value there is, and has room on the
/// boot CPU's stack while nothing else is on it.
package enum DMADescription {
  /// The SMMUs that are to be owned.
  @inline(never)
  package static func plan<Description: HardwareDescription & ~Escapable>(
    _ board: borrowing Board, _ blob: Description, log: (LogLevel, consuming LogLine) -> Void
  ) throws(SMMUPlanError) -> SMMUPlan {
    var diagnostics = FirstDiagnostics<DMADiagnostic>()
    let topology = blob.readTopology(of: board, reporting: &diagnostics)
    diagnostics.write(in: blob, to: log)
    return try SMMUPlan(board, topology)
  }

  /// Writes the host's tree without the SMMUs.
  @inline(never)
  package static func write<Description: HardwareDescription & ~Escapable>(
    _ tree: HostTree, _ board: borrowing Board, _ blob: Description,
    into bytes: inout MutableSpan<UInt8>
  ) throws(Description.HostError) -> Int {
    // What is wrong was told when the plan was made.
    var diagnostics = FirstDiagnostics<DMADiagnostic>()
    let topology = blob.readTopology(of: board, reporting: &diagnostics)
    return try blob.write(tree, hidingSMMUsOf: topology, into: &bytes)
  }
}
