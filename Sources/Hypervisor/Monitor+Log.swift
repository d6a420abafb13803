// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
package import Boards

// The log, from any CPU.
extension Monitor where Machine: BoardPlatform {
  /// Logs a line.
  func log(_ level: LogLevel, _ line: consuming LogLine) {
    var line: LogLine? = consume line
    state.diagnostics.logLock.withLock(on: platform) {
      guard let text = line.take() else { return }
      state.diagnostics.log.write(level, text, at: platform.time)
    }
  }

  /// Writes a line past the ring, whatever it holds; false where the console doesn't take it, or the
  /// level is too low for it.
  package func logNow(_ level: LogLevel, _ line: consuming LogLine) -> Bool {
    var line: LogLine? = consume line
    return state.diagnostics.logLock.withLock(on: platform) {
      guard let text = line.take(), level <= state.diagnostics.log.level else { return false }
      return state.diagnostics.log.writeNow(text)
    }
  }

  /// Writes a line past ring and lock: this CPU will do nothing else any more.
  package func lastWords(_ line: consuming LogLine) {
    state.diagnostics.log.isBuffered = false
    state.diagnostics.log.write(.error, line, at: platform.time)
  }

  /// Writes what the log and the trace hold.
  func drainLog() {
    state.diagnostics.logLock.withLock(on: platform) {
      state.diagnostics.log.drain()
      drainTrace()
    }
  }
}
