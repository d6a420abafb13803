// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards

extension FirstDiagnostics<Diagnostic> {
  /// Has `log` write a line for each, and one for those that were too many.
  public func write<Description: BoardDescription & ~Escapable>(
    in blob: Description, to log: (LogLevel, consuming LogLine) -> Void
  ) {
    forEach { diagnostic in
      var line = LogLine(Description.title)
      line.append(": ")
      diagnostic.write(in: blob, into: &line)
      log(diagnostic.severity == .error ? .error : .warning, line)
    }
    writeLost(lostCount, Description.title, ": further diagnostics: ", log)
  }
}

extension FirstDiagnostics<DMADiagnostic> {
  /// Has `log` write a line for each, and one for those that were too many.
  public func write<Description: BoardDescription & ~Escapable>(
    in blob: Description, to log: (LogLevel, consuming LogLine) -> Void
  ) {
    forEach { diagnostic in
      var line = LogLine(Description.title)
      line.append(": ")
      blob.writePath(of: diagnostic.node, into: &line)
      line.append(": ")
      if let property = diagnostic.property {
        line.append(property.text)
        line.append(": ")
      }
      diagnostic.writeMessage(into: &line)
      log(.warning, line)
    }
    writeLost(lostCount, Description.title, ": further diagnostics of DMA: ", log)
  }
}

private func writeLost(
  _ count: UInt64, _ title: StaticString, _ text: StaticString,
  _ log: (LogLevel, consuming LogLine) -> Void
) {
  guard count > 0 else { return }
  var line = LogLine(title)
  line.append(text)
  line.append(decimal: count)
  log(.warning, line)
}
