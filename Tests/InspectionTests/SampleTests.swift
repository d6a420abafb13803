// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Foundation
import Boards
import DeviceTree
import Inspection
import Testing

@Suite("The samples in dts/")
struct SampleTests {
  private static let granules: [(String, Granule)] = [
    ("4k", .kib4), ("16k", .kib16), ("64k", .kib64),
  ]

  private func report(_ sample: Sample, _ granule: Granule = .kib4) throws -> Report {
    Report(on: [UInt8](try Data(contentsOf: sample.blob)), file: sample.name, granule: granule)
  }

  @Test("There are samples, and each says what it expects")
  func samplesAreComplete() {
    #expect(Sample.all.count >= 30)
    for sample in Sample.all { #expect(sample.verdict(pageSize: "4k") != nil, "\(sample.name)") }
    let verdicts = Set(Sample.all.compactMap { $0.verdict(pageSize: "4k") })
    #expect(verdicts == ["protectable", "nothing-to-protect", "refused"])
    // No test of one kind of line is run for no sample.
    for key in Sample.keys {
      #expect(Sample.all.contains { !$0[key].isEmpty }, "no sample has a line of \(key)")
    }
  }

  @Test("The verdict is as expected at every page size", arguments: Sample.all, granules)
  func verdict(sample: Sample, granule: (String, Granule)) throws {
    let report = try report(sample, granule.1)
    #expect(report.verdictName == sample.verdict(pageSize: granule.0))
    #expect(report.status == (report.verdict == .refused ? .refused : .fine))
  }

  @Test("A refusal, and nothing else, has an error", arguments: Sample.all, granules)
  func refusalsAreExplained(sample: Sample, granule: (String, Granule)) throws {
    let report = try report(sample, granule.1)
    let errors = report.diagnostics.filter { $0.severity == .error }
    #expect(errors.isEmpty == (report.verdict != .refused))
    #expect(errors.allSatisfy { $0.node?.hasPrefix("/") != false && !$0.message.isEmpty })
  }

  @Test("Regions are where the sample says", arguments: Sample.all.filter { !$0["region"].isEmpty })
  func regions(sample: Sample) throws {
    let found = try report(sample).regions.map { region in
      [
        region.node, hex(region.range.base.rawValue), hex(region.range.size),
        String(region.protected.size / 0x1000),
        region.translater.map { hex($0.rawValue) } ?? "-",
      ]
    }
    #expect(found == sample["region"])
    #expect(try report(sample).regions.allSatisfy { $0.protected.base == $0.range.base })
  }

  @Test(
    "F-01: what is disabled, and taken all the same, is what the sample says",
    arguments: Sample.all.filter { !$0["unused"].isEmpty })
  func unused(sample: Sample) throws {
    let report = try report(sample)
    let found = report.unused.map { registers in
      [
        registers.kind, registers.node, hex(registers.range.base.rawValue),
        hex(registers.range.size),
      ]
    }
    #expect(found == sample["unused"])
    for node in found.map({ $0[1] }) {
      let row = node + " (present, disabled: will be taken and kept out of reach)"
      #expect(report.table.contains(row))
    }
  }

  @Test("A board with nothing to protect has no ITS, used or not", arguments: Sample.all)
  func noRegion(sample: Sample) throws {
    let report = try report(sample)
    let isEmpty = report.regions.isEmpty && !report.unused.contains { $0.kind == "its" }
    #expect((report.verdict == .nothingToProtect) <= isEmpty)
  }

  @Test(
    "Redistributors are where the sample says",
    arguments: Sample.all.filter { !$0["redistributor"].isEmpty })
  func redistributors(sample: Sample) throws {
    let found = try report(sample).redistributors.map { region in
      [region.node, hex(region.range.base.rawValue), hex(region.range.size)]
        + [region.stride.map(hex) ?? "-"]
    }
    #expect(found == sample["redistributor"])
  }

  @Test(
    "IOMMUs are where the sample says", arguments: Sample.all.filter { !$0["iommu"].isEmpty })
  func iommus(sample: Sample) throws {
    let found = try report(sample).iommus.map { iommu in
      [iommu.node, hex(iommu.range.base.rawValue), hex(iommu.range.size)]
    }
    #expect(found == sample["iommu"])
  }

  @Test(
    "DMA masters are behind what the sample says",
    arguments: Sample.all.filter { !$0["dma"].isEmpty })
  func dma(sample: Sample) throws {
    #expect(try dmaLines(report(sample)) == sample["dma"].map { $0.joined(separator: " ") })
  }

  @Test("A master of DMA is there for every sample that has one, and for none else")
  func noDMA() throws {
    // Those without such a line have no device but the console.
    for sample in Sample.all where sample["dma"].isEmpty {
      #expect(try report(sample).dma.isEmpty, "\(sample.name)")
    }
    #expect(Sample.all.filter { !$0["dma"].isEmpty }.count >= 3)
  }

  @Test(
    "Warnings are those that the sample expects",
    arguments: Sample.all.filter { !$0["warning"].isEmpty })
  func warnings(sample: Sample) throws {
    let warnings = try report(sample).diagnostics.filter { $0.severity == .warning }
    let found = warnings.map { [$0.node ?? "", $0.property ?? ""] }
    #expect(
      found.sorted { $0.lexicographicallyPrecedes($1) }
        == sample["warning"].sorted { $0.lexicographicallyPrecedes($1) })
  }

  @Test(
    "Errors name the node and the property", arguments: Sample.all.filter { !$0["error"].isEmpty })
  func errors(sample: Sample) throws {
    let errors = try report(sample).diagnostics.filter { $0.severity == .error }
    for expected in sample["error"] {
      let isThere = errors.contains { error in
        (expected[0] == "*" || error.node == expected[0])
          && (expected.count == 1 || error.property == expected[1])
      }
      #expect(isThere, "\(expected) among \(errors)")
    }
  }

  @Test("Model and compatible are the root's")
  func identity() throws {
    let sample = try #require(Sample.all.first { $0.name == "narrow-its" })
    let report = try report(sample)
    #expect(report.model == "Narrow ITS")
    #expect(report.compatible == ["portcullis,narrow-its", "rockchip,rk3566"])
    #expect(report.memory.map(\.base.rawValue) == [0x8000_0000, 0x1_0000_0000])
  }
}

/// The DMA masters of a report's JSON, each as a sample writes it.
private func dmaLines(_ report: Report) throws -> [String] {
  var json = JSONWriter()
  report.write(to: &json)
  let object = try JSONSerialization.jsonObject(with: Data(json.takeBytes())) as? [String: Any]
  let masters = try #require(object?["dma"] as? [[String: Any]])
  return try masters.map { master in
    let streams = try #require(master["streams"] as? [[String: Any]]).map { range in
      let parts = [
        range["requester"] as? String, range["base"] as? String,
        (range["count"] as? Int).map(String.init),
      ]
      return parts.map { $0 ?? "-" }.joined(separator: "/")
    }
    let msi = try #require(master["msi"] as? [String])
    let isConfined = try #require(master["confined"] as? Bool)
    #expect(isConfined == (master["reason"] is NSNull))
    let iommu = master["iommu"] as? String
    #expect((iommu == nil) == (master["kind"] is NSNull))
    return [
      master["node"] as? String ?? "?", iommu ?? "-",
      streams.isEmpty ? "-" : streams.joined(separator: ","),
      msi.isEmpty ? "-" : msi.joined(separator: ","),
      isConfined ? "confined" : master["reason"] as? String ?? "?",
    ].joined(separator: " ")
  }
}

private func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

extension Report {
  /// The verdict as the JSON of the report has it.
  fileprivate var verdictName: String? {
    var json = JSONWriter()
    write(to: &json)
    let object = try? JSONSerialization.jsonObject(with: Data(json.takeBytes()))
    return (object as? [String: Any])?["verdict"] as? String
  }
}

extension Bool {
  /// Whether the left implies the right.
  fileprivate static func <= (a: Bool, b: Bool) -> Bool { !a || b }
}
