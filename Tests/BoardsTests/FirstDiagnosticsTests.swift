// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import Testing

@Suite("Diagnostics that are kept")
struct FirstDiagnosticsTests {
  @Test(
    "The first ones are kept in their order, and the others counted", arguments: [0, 1, 16, 17, 40])
  func keeping(count: Int) {
    var diagnostics = FirstDiagnostics<Int>()
    for number in 0..<count { diagnostics.report(number) }
    var found: [Int] = []
    diagnostics.forEach { found.append($0) }
    #expect(found == Array(0..<min(count, 16)))
    #expect(diagnostics.lostCount == UInt64(max(0, count - 16)))
  }
}
