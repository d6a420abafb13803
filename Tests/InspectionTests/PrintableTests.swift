// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Inspection
import Testing

@Suite("Text for a terminal")
struct PrintableTests {
  @Test(
    "What isn't printable ASCII is escaped",
    arguments: [
      ("its@8080000", "its@8080000"), ("", ""), ("\u{1b}[31m", "\\x1b[31m"), ("a\nb", "a\\x0ab"),
      ("\u{7f}", "\\x7f"), ("\u{202e}", "\\u{202e}"), ("caf\u{e9}", "caf\\u{e9}"),
    ])
  func escapes(text: String, expected: String) {
    #expect(text.printable == expected)
  }
}
