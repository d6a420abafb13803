// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inspection
import Testing

@Suite("The JSON writer")
struct JSONWriterTests {
  /// The bytes of a text that holds one string.
  private func written(_ value: String) -> [UInt8] {
    var json = JSONWriter()
    json.string(value)
    return json.takeBytes()
  }

  @Test(
    "Any string comes back as it was, through ASCII only",
    arguments: [
      "", "plain", "\"quoted\" \\ back/slash", "\u{0}\u{1}\u{8}\t\n\r\u{c}\u{1b}[31m\u{7f}",
      "caf\u{e9} \u{80}\u{9f}\u{2028}\u{202e}\u{fffd}", "\u{1f6aa}\u{10ffff}",
      String(decoding: [0x61, 0xff, 0xc3, 0x28], as: UTF8.self),
    ])
  func stringsSurvive(value: String) throws {
    let bytes = written(value)
    #expect(bytes.allSatisfy { (0x20..<0x7f).contains($0) })
    let read = try JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
    #expect(read as? String == value)
  }

  @Test("Every code unit below 256 comes back as it was")
  func everyByte() throws {
    let value = String(
      String.UnicodeScalarView(
        (0...255).compactMap(Unicode.Scalar.init(_:) as (Int) -> Unicode.Scalar?)))
    let read = try JSONSerialization.jsonObject(
      with: Data(written(value)), options: .fragmentsAllowed)
    #expect(read as? String == value)
  }

  @Test("Nested arrays and objects are separated, indented and closed")
  func structure() {
    var json = JSONWriter()
    json.beginObject()
    json.key("empty")
    json.beginArray()
    json.endArray()
    json.key("list")
    json.beginArray()
    json.number(1)
    json.null()
    json.beginObject()
    json.endObject()
    json.endArray()
    json.key("last")
    json.hexadecimal(.max)
    json.endObject()
    json.endText()
    let expected = """
      {
        "empty": [],
        "list": [
          1,
          null,
          {}
        ],
        "last": "0xffffffffffffffff"
      }

      """
    #expect(String(decoding: json.takeBytes(), as: UTF8.self) == expected)
  }

  @Test("Bytes that were taken are not returned again")
  func taking() {
    var json = JSONWriter()
    json.beginArray()
    #expect(json.takeBytes() == Array("[".utf8))
    #expect(json.takeBytes().isEmpty)
    json.endArray()
    #expect(json.takeBytes() == Array("]".utf8))
  }
}
