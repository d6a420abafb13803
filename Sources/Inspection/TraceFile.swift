// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Trace

/// A trace that was kept: the records as bytes, or what a console printed with the records among it.
public struct TraceFile: Sendable {
  /// The records, the header first.
  public let records: [TraceRecord]
  /// The header.
  public let header: TraceHeader

  /// Why a file is no trace.
  public enum Failure: Error, Hashable, Sendable {
    /// It has no record.
    case noTrace
    /// It ends inside a record.
    case truncated
    /// This line (from 1) begins like a record and is none.
    case line(Int)
    /// This record (from 0) is none.
    case record(Int)
    /// It doesn't begin with a header, or has a second one in this record.
    case header(Int)
    /// Its version is not known.
    case version(UInt64)

    /// The reason in words.
    public var text: String {
      switch self {
      case .noTrace: "no record of a trace"
      case .truncated: "ends inside a record"
      case .line(let number): "line \(number): a damaged record"
      case .record(let index): "record \(index): damaged"
      case .header(let index): "record \(index): a header and the beginning belong together"
      case .version(let version): "version \(version) is not known"
      }
    }
  }

  /// What stands before the digits of a record in a line of a console.
  private static var mark: [UInt8] { Array("portcullis: trace ".utf8) }

  /// Reads `bytes`.
  ///
  /// - Throws: any `Failure`.
  public init(_ bytes: [UInt8]) throws(Failure) {
    let words = try Self.isBinary(bytes) ? Self.binary(bytes) : Self.console(bytes)
    var records: [TraceRecord] = []
    records.reserveCapacity(words.count)
    for (index, words) in words.enumerated() {
      // A version is told before whatever else it has changed.
      if index == 0, words[2] == TraceHeader.magic, words[3] != TraceHeader.currentVersion {
        throw .version(words[3])
      }
      guard let record = TraceRecord(words: words) else { throw .record(index) }
      if case .header = record.event {
        guard index == 0 else { throw .header(index) }
      } else if index == 0 {
        throw .header(0)
      }
      records.append(record)
    }
    guard case .header(let header)? = records.first?.event else { throw .noTrace }
    self.records = records
    self.header = header
  }

  private static func isBinary(_ bytes: [UInt8]) -> Bool {
    bytes.count >= 24 && word(bytes[16..<24]) == TraceHeader.magic
  }

  private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  private static func binary(_ bytes: [UInt8]) throws(Failure) -> [InlineArray<8, UInt64>] {
    guard bytes.count % TraceRecord.size == 0 else { throw .truncated }
    return stride(from: 0, to: bytes.count, by: TraceRecord.size).map { start in
      InlineArray { word(bytes[start + $0 * 8..<start + $0 * 8 + 8]) }
    }
  }

  private static func console(_ bytes: [UInt8]) throws(Failure) -> [InlineArray<8, UInt64>] {
    let mark = mark
    var result: [InlineArray<8, UInt64>] = []
    for (index, line) in bytes.split(separator: 0x0a, omittingEmptySubsequences: false)
      .enumerated()
    {
      // What a serial console puts before a line, such as the time, is no matter.
      guard
        let start = line.indices.first(where: {
          line[$0] == mark[0] && line[$0...].starts(with: mark)
        })
      else { continue }
      var digits = line[(start + mark.count)...]
      if digits.last == 0x0d { digits.removeLast() }
      guard digits.count == TraceRecord.size * 2 else { throw .line(index + 1) }
      var words = InlineArray<8, UInt64>(repeating: 0)
      for (position, digit) in digits.enumerated() {
        guard let value = hexadecimal(digit) else { throw .line(index + 1) }
        words[position / 16] = words[position / 16] << 4 | value
      }
      result.append(words)
    }
    return result
  }

  private static func hexadecimal(_ digit: UInt8) -> UInt64? {
    switch digit {
    case 0x30...0x39: UInt64(digit - 0x30)
    case 0x61...0x66: UInt64(digit - 0x61 + 10)
    default: nil
    }
  }
}
