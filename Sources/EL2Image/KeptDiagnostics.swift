// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor

/// Diagnostics of the tree, kept until it has told where the console is.
struct KeptDiagnostics: DiagnosticSink {
  private var kept = FixedList<16, Diagnostic?>(filler: nil)
  private var lost: UInt64 = 0

  mutating func report(_ diagnostic: Diagnostic) {
    if !kept.append(diagnostic) { lost += 1 }
  }

  /// Writes a line for each, and one for those that were too many.
  func write(to log: inout Log, _ blob: DeviceTreeBlob) {
    for index in kept.indices {
      guard let diagnostic = kept[index] else { continue }
      var line = LogLine("device tree: ")
      diagnostic.write(in: blob, into: &line)
      log.write(diagnostic.severity == .error ? .error : .warning, line)
    }
    guard lost > 0 else { return }
    var line = LogLine("device tree: further diagnostics: ")
    line.append(decimal: lost)
    log.write(.warning, line)
  }
}
