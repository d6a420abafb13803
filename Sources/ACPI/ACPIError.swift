// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards

/// Why tables are refused as they are, before anything in them is read.
public struct ACPIError: Error, Hashable, Sendable {
  /// The rule that is broken.
  public enum Rule: Hashable, Sendable {
    /// It lies where nothing may be read.
    case unreadable
    /// It does not begin as it must.
    case badSignature
    /// It has this length in bytes, which it cannot have.
    case badLength(UInt64)
    /// Its bytes do not add up to zero.
    case badChecksum
    /// There are more than this many entries.
    case tooMany(Int)
    /// There is another one.
    case repeated
    /// It shares bytes with another one.
    case overlap
    /// There is no room for its copy.
    case noSpace
    /// It is not told where it is.
    case missing
  }

  /// The table.
  public let table: ACPISignature
  /// Where in the table, in bytes from its start.
  public let offset: UInt32
  /// The rule that is broken there.
  public let rule: Rule

  init(_ table: ACPISignature, at offset: Int = 0, _ rule: Rule) {
    self.table = table
    self.offset = UInt32(clamping: offset)
    self.rule = rule
  }

  /// Writes `IORT+0x4: what is wrong`.
  public func write(into sink: inout some TextSink & ~Copyable) {
    sink.append(table == .rsdp ? "RSDP" : table.text)
    sink.append("+")
    sink.append(hex: UInt64(offset))
    sink.append(": ")
    switch rule {
    case .unreadable: sink.append("cannot be read")
    case .badSignature: sink.append("does not begin with its signature")
    case .badLength(let length):
      sink.append("has an impossible length of ")
      sink.append(decimal: length)
      sink.append(" bytes")
    case .badChecksum: sink.append("the checksum is wrong")
    case .tooMany(let limit):
      sink.append("more than ")
      sink.append(decimal: UInt64(limit))
      sink.append(" entries")
    case .repeated: sink.append("is there a second time")
    case .overlap: sink.append("overlaps another table")
    case .noSpace: sink.append("there is no room for a copy")
    case .missing: sink.append("is not told where it is")
    }
  }
}
