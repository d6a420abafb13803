// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CEmbedder
internal import DeviceTree

extension FirstDiagnostics<Diagnostic> {
  /// Writes a line for each to the embedder's log, and one for those that were too many.
  func write(to platform: EmbedderPlatform, _ blob: DeviceTreeBlob) {
    forEach { diagnostic in
      var line = LogLine()
      line.append("device tree: ")
      diagnostic.write(in: blob, into: &line)
      platform.log(
        diagnostic.severity == .error ? PORTCULLIS_LOG_ERROR : PORTCULLIS_LOG_WARNING, line)
    }
    guard lostCount > 0 else { return }
    var line = LogLine()
    line.append("device tree: further diagnostics: ")
    line.append(decimal: lostCount)
    platform.log(PORTCULLIS_LOG_WARNING, line)
  }
}
