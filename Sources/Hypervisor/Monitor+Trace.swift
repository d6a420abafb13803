// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import Trace

// The trace of EL2, where one was asked for.
extension Monitor {
  /// Records what happened on the CPU that runs this.
  func record(_ event: TraceEvent, its: UInt8, at time: UInt64? = nil) {
    let record = TraceRecord(
      time: time ?? platform.time, cpu: UInt16(truncatingIfNeeded: platform.cpu), its: its, event)
    platform.withTrace { $0?.append(record, memory: platform.memory) }
  }

  /// Records what stands before all else: the unit of the time.
  package func beginTrace(frequency: UInt64) {
    record(.header(TraceHeader(frequency: frequency)), its: 0)
  }

  /// The oldest record.
  func firstRecord() -> InlineArray<8, UInt64>? {
    platform.withTrace { $0?.first(memory: platform.memory) }
  }

  /// Takes the oldest record.
  package func takeFirstRecord() -> InlineArray<8, UInt64>? {
    platform.withTrace { $0?.takeFirst(memory: platform.memory) }
  }
}

extension Monitor where Machine: BoardPlatform {
  /// Begins the trace of the image, before the host runs.
  func beginTrace(toConsole: Bool) {
    state.diagnostics.drainsTrace = toConsole
    let place = state.shared.layout.trace
    state.diagnostics.trace = TraceRing(place.base, size: place.size)
    beginTrace(frequency: platform.frequency)
  }

  /// The most records that one access has written to the console: most accesses make fewer.
  private static var recordsPerAccess: UInt64 { 16 }

  /// Writes some records to the console, where they are to go there at once.
  func drainTraceOfAccess() {
    guard state.diagnostics.drainsTrace else { return }
    state.diagnostics.logLock.withLock(on: platform) {
      drainTrace(atMost: Self.recordsPerAccess)
    }
  }

  /// Writes records to the console, a line each, with the lock of the log held.
  ///
  /// All of them: as many as there is room for, and the count of the lost; a host that still runs adds no
  /// more.
  func drainTrace(atMost limit: UInt64? = nil) {
    guard state.diagnostics.trace != nil else { return }
    let all = state.shared.layout.trace.size / UInt64(TraceRecord.size) + 1
    for _ in 0..<(limit ?? all) {
      guard let words = takeFirstRecord() else { return }
      var line = LogLine("trace ")
      for index in 0..<8 { line.append(digits: words[index]) }
      guard state.diagnostics.log.writeNow(line) else { return }
    }
  }
}

extension LogLine {
  /// The sixteen hexadecimal digits of a word.
  fileprivate mutating func append(digits word: UInt64) {
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift) & 0xf)
      append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
    }
  }
}
