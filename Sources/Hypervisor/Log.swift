// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

package import Boards

/// The log of EL2: straight to the console until the host is entered, to a ring from then on, for
/// the console is the host's then.
package struct Log<Output: LogOutput>: ~Copyable {
  /// The console; nil where the tree names none that is known.
  let console: Output?
  /// Lines less severe than this are not kept.
  var level: LogLevel
  /// Whether the console is the host's.
  var isBuffered = false
  private var ring = LogRing()
  private var gate: LogGate

  /// The bytes that one trap may write to the console at most.
  private static var bytesPerTrap: Int { 512 }

  /// A log whose console may have bytes so often in a second of `frequency` ticks.
  package init(console: Output?, level: LogLevel, frequency: UInt64) {
    self.console = console
    self.level = level
    gate = LogGate(frequency: frequency)
  }

  /// Bytes that wait for the console.
  package var waiting: UInt64 { UInt64(ring.count) }
  /// Lines that found no room since the start.
  package var dropped: UInt64 { ring.allDropped }

  /// Writes a line, at tick `now` of the counter.
  package mutating func write(_ severity: LogLevel, _ line: consuming LogLine, at now: UInt64) {
    guard severity <= level else { return }
    line.end()
    guard isBuffered else {
      send(line.whole)
      return
    }
    ring.append(line.whole)
    if gate.admits(at: now) { drain(atMost: Self.bytesPerTrap) }
  }

  /// Writes what the ring holds to the console, as far as the console takes it: the host may have
  /// switched it off.
  mutating func drain(atMost limit: Int = .max) {
    guard let console else { return }
    var sent = 0
    var isBetweenLines = true
    while let byte = ring.first {
      // Whole lines only: what the host prints next begins a line of its own.
      guard !isBetweenLines || sent <= limit - LogLine.capacity, console.send(byte) else { return }
      ring.removeFirst()
      sent += 1
      isBetweenLines = byte == 0x0a
    }
    guard ring.dropped > 0 else { return }
    var line = LogLine("log lines dropped: ")
    line.append(decimal: ring.takeDropped())
    line.end()
    send(line.whole)
  }

  /// Writes a line to the console past the ring and whatever the level; false where the console doesn't
  /// take it.
  func writeNow(_ line: consuming LogLine) -> Bool {
    line.end()
    return send(line.whole)
  }

  @discardableResult
  private func send(_ text: Span<UInt8>) -> Bool {
    guard let console else { return false }
    for index in text.indices where !console.send(text[index]) { return false }
    return true
  }
}
