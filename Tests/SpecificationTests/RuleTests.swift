// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import Specification

/// Sources of this package, as text.
private enum Sources {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func text(of path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  static func oneLine(_ text: some StringProtocol) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Each rule with its article and the quotation in its comment, as `Rules.swift` has them.
  static func quotations() throws -> [(rule: String, article: String, quotation: String)] {
    var article = ""
    var quotation = ""
    var found: [(String, String, String)] = []
    for line in try text(of: "Tests/Specification/Rules.swift").split(separator: "\n") {
      let line = line.trimmingPrefix { $0 == " " }
      if let mark = line.removing("// MARK: ") { article = mark }
      if let comment = line.removing("/// ") { quotation = comment }
      if let rule = line.removing("case ") { found.append((rule, article, quotation)) }
    }
    return found
  }
}

extension StringProtocol {
  fileprivate func removing(_ prefix: String) -> String? {
    hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil
  }
}

@Suite("The rules of the specification")
struct RuleTests {
  /// Rules of the documentation without a transition or a clause of the invariant.
  static let later: Set<Rule> = []

  @Test("Each rule is named by a transition or by the invariant")
  func named() throws {
    var text = ""
    let folder = Sources.root.appending(path: "Tests/Specification").path()
    for file in try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    where file.hasSuffix(".swift") && file != "Rules.swift" {
      text += try Sources.text(of: "Tests/Specification/\(file)")
    }
    let names = Set(
      text.split { !($0.isLetter || $0.isNumber || $0 == ".") }.flatMap { word in
        word.split(separator: ".").map(String.init)
      })
    let unnamed = Set(Rule.allCases.filter { !names.contains($0.rawValue) })
    #expect(unnamed == Self.later)
  }

  @Test("The comment of each rule is a sentence of its article")
  func quoted() throws {
    let quotations = try Sources.quotations()
    #expect(quotations.map(\.rule) == Rule.allCases.map(\.rawValue))
    // As bytes: to look for characters takes minutes where nothing is optimised.
    var articles: [String: Data] = [:]
    for (rule, article, quotation) in quotations {
      let parts = article.split(separator: "/")
      let path = "Sources/\(parts[0])/\(parts[0]).docc/\(parts[1])"
      let text = try articles[article] ?? Data(Sources.oneLine(Sources.text(of: path)).utf8)
      articles[article] = text
      let isThere = text.range(of: Data(Sources.oneLine(quotation).utf8)) != nil
      #expect(isThere, "\(rule): \(quotation)")
    }
  }
}
