// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

/// A source of `dts/`, with what its header expects.
///
///     // expect: VERDICT                                   with pages of 4K
///     // expect-16k: VERDICT, expect-64k: VERDICT          where it differs from `expect`
///     // region: NODE BASE SIZE PAGES TRANSLATER           each ITS, in order; pages of 4K
///     // unused: KIND NODE BASE SIZE                       all that is disabled and taken, if there is such a line
///     // redistributor: NODE BASE SIZE STRIDE              all of them, if there is such a line
///     // iommu: NODE BASE SIZE                             all of them, if there is such a line
///     // dma: NODE IOMMU STREAMS MSI REASON               all of them, if there is such a line
///     // warning: NODE PROPERTY                            all of them, if there is such a line
///     // error: NODE [PROPERTY]                            each error there must be; `*` is any node
///
/// STREAMS are requester/stream/count, MSI are paths, both with commas between; `-` is none, and the REASON
/// of a master that is confined is `confined`.
struct Sample: CustomTestStringConvertible, Sendable {
  let name: String
  let expectations: [String: [[String]]]

  var testDescription: String { name }

  static let all: [Sample] = {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: Fixtures.sources.path)) ?? []
    return names.filter { $0.hasSuffix(".dts") }.sorted().map(Sample.init)
  }()

  init(source: String) {
    name = String(source.dropLast(4))
    let text =
      (try? String(contentsOf: Fixtures.sources.appending(path: source), encoding: .utf8)) ?? ""
    var expectations: [String: [[String]]] = [:]
    for line in text.split(separator: "\n") where line.hasPrefix("// ") {
      let parts = line.dropFirst(3).split(separator: ": ", maxSplits: 1)
      guard parts.count == 2, Self.keys.contains(String(parts[0])) else { continue }
      expectations[String(parts[0]), default: []].append(
        parts[1].split(separator: " ").map(String.init))
    }
    self.expectations = expectations
  }

  static let keys: Set = [
    "expect", "expect-16k", "expect-64k", "region", "redistributor", "iommu", "dma", "warning",
    "error", "unused",
  ]

  subscript(key: String) -> [[String]] { expectations[key] ?? [] }

  /// The verdict that is due with pages of `size`.
  func verdict(pageSize size: String) -> String? {
    (self["expect-" + size].first ?? self["expect"].first)?.first
  }

  /// The compiled blob.
  var blob: URL { Fixtures.blobs.appending(path: name + ".dtb") }
}
