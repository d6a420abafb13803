// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Writes one JSON text (RFC 8259), indented, into bytes that may be taken away as they come.
///
/// The text is ASCII only: whatever else a string holds is escaped, so that it can't do anything to
/// the terminal or the tool that it passes through.
public struct JSONWriter {
  /// What has been written since the last `takeBytes`.
  private var bytes: [UInt8] = []
  /// One entry an open array or object: whether it still has no member.
  private var isEmpty: [Bool] = []
  /// Whether a key was just written, so that the value goes behind it.
  private var followsKey = false

  /// Makes a writer that has written nothing.
  public init() {}

  /// Takes what has been written since the last call.
  public mutating func takeBytes() -> [UInt8] {
    defer { bytes = [] }
    return bytes
  }

  /// Opens an object.
  public mutating func beginObject() { begin("{") }
  /// Closes the object that was opened last.
  public mutating func endObject() { end("}") }
  /// Opens an array.
  public mutating func beginArray() { begin("[") }
  /// Closes the array that was opened last.
  public mutating func endArray() { end("]") }

  /// Writes the name of the member whose value is written next.
  public mutating func key(_ name: StaticString) {
    separate()
    quote("\(name)")
    bytes.append(contentsOf: ": ".utf8)
    followsKey = true
  }

  /// Writes a string.
  public mutating func string(_ value: String) {
    separate()
    quote(value)
  }

  /// Writes a number.
  public mutating func number(_ value: UInt64) {
    separate()
    bytes.append(contentsOf: String(value).utf8)
  }

  /// Writes nanoseconds as a number of microseconds, with three digits behind the point.
  public mutating func microseconds(_ nanoseconds: UInt64) {
    separate()
    bytes.append(contentsOf: TraceFile.decimal(nanoseconds).utf8)
  }

  /// Writes an address or a size as a string of hexadecimal digits: numbers above 2^53 don't pass
  /// through every reader of JSON unharmed.
  public mutating func hexadecimal(_ value: UInt64) {
    separate()
    quote(value.hexadecimal)
  }

  /// Writes `true` or `false`.
  public mutating func boolean(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  /// Writes `null`.
  public mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  /// Writes the newline that ends the text.
  public mutating func endText() { bytes.append(UInt8(ascii: "\n")) }

  private mutating func begin(_ bracket: Unicode.Scalar) {
    separate()
    bytes.append(UInt8(ascii: bracket))
    isEmpty.append(true)
  }

  private mutating func end(_ bracket: Unicode.Scalar) {
    if isEmpty.popLast() == false { breakLine() }
    bytes.append(UInt8(ascii: bracket))
  }

  /// Puts what must stand between the last value and the next.
  private mutating func separate() {
    if followsKey {
      followsKey = false
      return
    }
    guard let last = isEmpty.indices.last else { return }
    if !isEmpty[last] { bytes.append(UInt8(ascii: ",")) }
    isEmpty[last] = false
    breakLine()
  }

  private mutating func breakLine() {
    bytes.append(UInt8(ascii: "\n"))
    for _ in isEmpty { bytes.append(contentsOf: "  ".utf8) }
  }

  private mutating func quote(_ value: String) {
    bytes.append(UInt8(ascii: "\""))
    for unit in value.utf16 {
      switch unit {
      case 0x22: bytes.append(contentsOf: #"\""#.utf8)
      case 0x5c: bytes.append(contentsOf: #"\\"#.utf8)
      case 0x20..<0x7f: bytes.append(UInt8(truncatingIfNeeded: unit))
      default:
        bytes.append(contentsOf: #"\u"#.utf8)
        for shift in [12, 8, 4, 0] as [UInt16] {
          let digit = UInt8(truncatingIfNeeded: unit >> shift & 0xf)
          bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
        }
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
