// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import DeviceTree
internal import Hypervisor

extension FirstDiagnostics<Diagnostic> {
  /// Writes a line for each, and one for those that were too many.
  func write(to log: inout Log, _ blob: DeviceTreeBlob) {
    forEach { diagnostic in
      var line = LogLine("device tree: ")
      diagnostic.write(in: blob, into: &line)
      log.write(diagnostic.severity == .error ? .error : .warning, line)
    }
    log.writeLost(lostCount, "device tree: further diagnostics: ")
  }
}

extension FirstDiagnostics<DMADiagnostic> {
  /// Writes a line for each, and one for those that were too many.
  func write(to log: inout Log, _ blob: DeviceTreeBlob) {
    forEach { diagnostic in
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
    log.writeLost(lostCount, "device tree: further diagnostics of DMA: ")
  }
}

extension Log {
  fileprivate mutating func writeLost(_ count: UInt64, _ text: StaticString) {
    guard count > 0 else { return }
    var line = LogLine(text)
    line.append(decimal: count)
    write(.warning, line)
  }
}
