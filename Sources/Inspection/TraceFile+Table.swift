// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Trace

extension TraceFile {
  /// The trace as a person reads it: a line for each record, with the microseconds since the first.
  public var table: String {
    var lines = "MICROSECONDS   CPU ITS WHAT      OUTCOME\n"
    for record in records {
      lines += row(record) + "\n"
    }
    return lines
  }

  private func row(_ record: TraceRecord) -> String {
    func padded(_ text: String, _ width: Int, right: Bool = false) -> String {
      let blanks = String(repeating: " ", count: max(0, width - text.utf8.count))
      return right ? blanks + text : text + blanks
    }
    var line =
      padded(Self.decimal(nanoseconds(at: record.time)), 14, right: true)
      + padded("\(record.cpu)", 4, right: true)
    line += padded("\(record.its)", 4, right: true) + " "
    line += padded(record.event.kind, 9) + record.event.text
    if let outcome = record.event.outcome { line += ": " + outcome }
    if case .access(let access) = record.event {
      line += " in " + Self.decimal(nanoseconds(of: access.duration))
    }
    return line
  }

  /// Nanoseconds from the first record to `time`.
  func nanoseconds(at time: UInt64) -> UInt64 {
    let start = records.first?.time ?? 0
    return time > start ? nanoseconds(of: time - start) : 0
  }

  /// The nanoseconds of so many counts of the clock.
  func nanoseconds(of counts: UInt64) -> UInt64 {
    guard header.frequency > 0 else { return counts }
    let product = counts.multipliedFullWidth(by: 1_000_000_000)
    guard product.high < header.frequency else { return .max }
    return header.frequency.dividingFullWidth(product).quotient
  }

  /// Nanoseconds, written as microseconds.
  static func decimal(_ nanoseconds: UInt64) -> String {
    let rest = String(nanoseconds % 1000)
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - rest.utf8.count) + rest
  }
}
