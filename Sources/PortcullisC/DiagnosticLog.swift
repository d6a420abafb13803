// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import DeviceTree

/// Writes each diagnostic of the tree to the embedder's log when the walk is over.
struct DiagnosticLog: DiagnosticSink {
  private var kept = FixedList<16, Diagnostic?>(filler: nil)
  private var lost: UInt64 = 0

  mutating func report(_ diagnostic: Diagnostic) {
    if !kept.append(diagnostic) { lost += 1 }
  }

  /// Writes a line for each, and one for those that were too many.
  func write(to platform: EmbedderPlatform, _ blob: DeviceTreeBlob) {
    for index in kept.indices {
      guard let diagnostic = kept[index] else { continue }
      var line = LogLine()
      line.append("device tree: ")
      diagnostic.write(in: blob, into: &line)
      platform.log(
        diagnostic.severity == .error ? PORTCULLIS_LOG_ERROR : PORTCULLIS_LOG_WARNING, line)
    }
    guard lost > 0 else { return }
    var line = LogLine()
    line.append("device tree: further diagnostics: ")
    line.append(decimal: lost)
    platform.log(PORTCULLIS_LOG_WARNING, line)
  }
}
