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

  /// The files of the specification.
  static func specification() throws -> [String] {
    let folder = root.appending(path: "Tests/Specification").path()
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .filter { $0.hasSuffix(".swift") }
  }

  static func oneLine(_ text: some StringProtocol) -> String {
    text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
  }

  /// Each rule with its article and its quotation, as the comments of `Rules.swift` have them.
  static func quotations() throws -> [(rule: String, article: String, quotation: String)] {
    var article = ""
    var rule = ""
    var found: [(String, String, String)] = []
    for line in try text(of: "Tests/Specification/Rules.swift").split(separator: "\n") {
      let line = line.trimmingPrefix { $0 == " " }
      if let mark = line.removing("// MARK: ") { article = mark }
      if let name = line.removing("/// - `") { rule = String(name.dropLast(2)) }
      if let quotation = line.removing("///   ") { found.append((rule, article, quotation)) }
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
    for file in try Sources.specification() where file != "Rules.swift" {
      text += try Sources.text(of: "Tests/Specification/\(file)")
    }
    let names = Set(
      text.split { !($0.isLetter || $0.isNumber || $0 == ".") }.flatMap { word in
        word.split(separator: ".").map(String.init)
      })
    let unnamed = Set(Rule.allCases.filter { !names.contains($0.rawValue) })
    #expect(unnamed == Self.later)
  }

  /// A code line has a letter or a digit outside a comment.
  @Test("The specification has at most 2,000 code lines")
  func size() throws {
    var count = 0
    for file in try Sources.specification() {
      for line in try Sources.text(of: "Tests/Specification/\(file)").split(separator: "\n") {
        let code = line.trimmingPrefix { $0 == " " }
        let isComment = code.hasPrefix("//")
        if !isComment, code.contains(where: { $0.isLetter || $0.isNumber }) { count += 1 }
      }
    }
    #expect(count > 1000 && count <= 2000, "\(count)")
  }

  @Test("What is quoted beside each rule is in its article")
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
