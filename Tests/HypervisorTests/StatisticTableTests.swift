// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Hypervisor

@Suite("The table of statistics")
struct StatisticTableTests {
  private static let header = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../../CShims/Embedder/include/portcullis_hypercalls.h")
  private static let begin =
    "/* Statistics: written by `make statistics` from Sources/Hypervisor/Statistic.swift. */\n"
  private static let end = "/* End of statistics. */\n"

  private static let all = (0..<1024).compactMap { Statistic(rawValue: $0) }

  /// The part of the header that is the table.
  private static var written: String {
    let whole = all.filter { !$0.isOfITS }
    return enumeration("portcullis_statistic", whole)
      + enumeration("portcullis_its_statistic", all.filter { $0.isOfITS })
  }

  private static func enumeration(_ name: String, _ statistics: [Statistic]) -> String {
    "enum \(name) {\n" + statistics.map(line).joined() + "};\n"
  }

  private static func line(_ statistic: Statistic) -> String {
    let row = statistic.row
    let number = statistic.rawValue % StatisticNumber.page
    let items = (0..<UInt8(row.items)).compactMap { item in
      row.items > 1 ? statistic.name(of: item).map { "    /* + \(item): \($0) */\n" } : nil
    }
    return "    PORTCULLIS_STATISTIC_\(row.symbol) = \(number), /* \(row.kind): \(row.name)"
      + (row.items > 1 ? "+ item */\n" : " */\n") + items.joined()
  }

  @Test("portcullis_hypercalls.h has it")
  func headerIsWritten() throws {
    let text = try String(contentsOf: Self.header, encoding: .utf8)
    let head = try #require(text.range(of: Self.begin))
    let tail = try #require(text.range(of: Self.end))
    let found = String(text[head.upperBound..<tail.lowerBound])
    if ProcessInfo.processInfo.environment["PORTCULLIS_WRITE"] != nil, found != Self.written {
      let changed = text[..<head.upperBound] + Self.written + text[tail.lowerBound...]
      try String(changed).write(to: Self.header, atomically: true, encoding: .utf8)
    } else {
      #expect(found == Self.written, "run `make statistics`")
    }
  }

  @Test("Ranges of numbers do not overlap, and no name is given twice")
  func rowsAreApart() {
    for (one, next) in zip(Self.all, Self.all.dropFirst()) {
      #expect(one.rawValue + one.row.items <= next.rawValue, "\(one)")
    }
    #expect(Set(Self.all.map { "\($0.row.symbol)" }).count == Self.all.count)
    #expect(Set(Self.all.map { "\($0.isOfITS) \($0.row.name)" }).count == Self.all.count)
  }
}
