// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import DeviceTree
internal import Hypervisor

/// One line on its way to the log; what does not fit is cut.
struct LogLine: TextSink, ~Copyable {
  private var bytes = InlineArray<192, UInt8>(repeating: 0)
  private var count = 0

  /// A line with the prefix by which it is known among what the host prints.
  init(_ text: StaticString) {
    append("portcullis: ")
    append(text)
  }

  mutating func append(_ byte: UInt8) {
    guard count < 190 else { return }
    bytes[count] = byte
    count += 1
  }

  /// The line with its end.
  mutating func end() {
    bytes[count] = 0x0d
    bytes[count + 1] = 0x0a
    count += 2
  }

  var text: Span<UInt8> {
    @_lifetime(borrow self)
    get { bytes.span.extracting(0..<count) }
  }
}

/// The log of EL2: straight to the console until the host is entered, to a ring from then on, for
/// the console is the host's then.
struct Log: ~Copyable {
  /// The console; nil where the tree names none that is known.
  let console: PL011?
  /// Lines less severe than this are not kept.
  let level: LogLevel
  /// Whether the console is the host's.
  var isBuffered = false
  private var ring = LogRing()

  init(console: PL011?, level: LogLevel) {
    self.console = console
    self.level = level
  }

  /// Writes a line.
  mutating func write(_ severity: LogLevel, _ line: consuming LogLine) {
    guard severity <= level else { return }
    line.end()
    guard !isBuffered else { return ring.append(line.text) }
    guard let console else { return }
    let text = line.text
    for index in text.indices { _ = console.send(text[index]) }
  }

  /// Writes what the ring holds to the console, as far as it takes it.
  mutating func drain() {
    guard let console else { return }
    while ring.count > 0 {
      guard let byte = ring.popFirst(), console.send(byte) else { return }
    }
    guard ring.dropped > 0 else { return }
    var line = LogLine("log lines dropped: ")
    line.append(decimal: ring.dropped)
    line.end()
    let text = line.text
    for index in text.indices where !console.send(text[index]) { return }
  }
}
