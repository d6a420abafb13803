// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Boards

/// One line on its way to a log; what does not fit is cut.
public struct LogLine: TextSink, ~Copyable {
  /// The bytes of a line with its prefix and its end at most.
  public static var capacity: Int { 192 }
  /// By what a line of EL2's is known among what the host prints.
  private static var prefix: StaticString { "portcullis: " }

  private var bytes = InlineArray<192, UInt8>(repeating: 0)
  private var count = 0

  /// A line that begins with `text`.
  @inline(never)
  public init(_ text: StaticString = "") {
    append(Self.prefix)
    append(text)
  }

  /// Takes one byte of UTF-8.
  public mutating func append(_ byte: UInt8) {
    guard count < Self.capacity - 2 else { return }
    bytes[count] = byte
    count += 1
  }

  /// How many bytes there is room for.
  var room: Int { Self.capacity - 2 - count }

  /// Ends the line for a console.
  public mutating func end() {
    bytes[count] = 0x0d
    bytes[count + 1] = 0x0a
    count += 2
  }

  /// All of it.
  public var whole: Span<UInt8> {
    @_addressableSelf
    @_lifetime(borrow self)
    get { bytes.span.extracting(0..<count) }
  }

  /// What stands behind the prefix.
  public var text: Span<UInt8> {
    @_addressableSelf
    @_lifetime(borrow self)
    get { bytes.span.extracting(Self.prefix.utf8CodeUnitCount..<count) }
  }
}
