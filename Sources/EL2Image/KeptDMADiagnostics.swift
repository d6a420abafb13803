// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor

/// Diagnostics of what the tree says of DMA: the first ones, and how many more there were.
struct KeptDMADiagnostics: DMADiagnosticSink {
  private var kept = FixedList<16, DMADiagnostic?>(filler: nil)
  private var lost: UInt64 = 0

  mutating func report(_ diagnostic: DMADiagnostic) {
    if !kept.append(diagnostic) { lost += 1 }
  }

  /// Writes a line for each, and one for those that were too many.
  func write(to log: inout Log, _ blob: DeviceTreeBlob) {
    for index in kept.indices {
      guard let diagnostic = kept[index] else { continue }
      var line = LogLine("device tree: ")
      blob.writePath(of: diagnostic.node, into: &line)
      line.append(": ")
      if let property = diagnostic.property {
        line.append(property.text)
        line.append(": ")
      }
      diagnostic.writeMessage(into: &line)
      log.write(.warning, line)
    }
    guard lost > 0 else { return }
    var line = LogLine("device tree: further diagnostics of DMA: ")
    line.append(decimal: lost)
    log.write(.warning, line)
  }
}
