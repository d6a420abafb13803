// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards
import DeviceTree
import Foundation
import Testing

@testable import Inspection

@Suite("Picture of a board")
struct PictureTests {
  private func report(on url: URL) throws -> Report {
    Report(
      on: [UInt8](try Fixtures.contents(of: url)), file: url.lastPathComponent, granule: .kib4)
  }

  private func report(on sample: String) throws -> Report {
    try report(on: Fixtures.blobs.appending(path: sample + ".dtb"))
  }

  /// Checks what every picture must be: small enough, well-formed, with texts in the page that do not meet.
  private func check(_ report: Report) {
    let picture = Picture(of: report)
    let svg = picture.svg
    let height = picture.y + Picture.margin
    #expect(height <= Picture.heightLimit)
    let blank = 16
    let page = Box(
      x: blank, y: blank, width: Picture.width - 2 * blank, height: height - 2 * blank)
    let texts = picture.drawing.texts
    #expect(texts.count > 2)
    for (index, text) in texts.enumerated() {
      #expect(page.contains(text.box), "\(text)")
      for other in texts[..<index] {
        #expect(!text.box.overlaps(other.box), "\(text) \(other)")
      }
    }
    // Of what is not ASCII there is the ellipsis, and of what controls a terminal the end of a line.
    for scalar in svg.unicodeScalars {
      #expect((0x20..<0x7f).contains(scalar.value) || scalar == "\n" || scalar == "\u{2026}")
    }
    #expect(Markup(svg).fault == nil)
    // As the same tree gives it again.
    #expect(Picture(of: report).svg == svg)
  }

  @Test("Texts of each sample lie in the page, apart from each other", arguments: Sample.all)
  func samples(sample: Sample) throws { check(try report(on: sample.blob)) }

  @Test(
    "So do those of hostile blobs, and no name of theirs is markup", arguments: Fixtures.hostile)
  func hostile(blob: URL) throws { check(try report(on: blob)) }

  @Test("Names of any bytes and any length are shortened and escaped")
  func hostileNames() throws {
    var report = try report(on: "dma-platform")
    let name =
      "/</text><script>&\"'\u{1b}[31m\u{0}\u{202e}\u{fffe}" + String(repeating: "W", count: 5000)
    report.model = name
    report.file = name
    report.compatible = [name, name]
    for index in report.dma.indices {
      report.dma[index].node = name + String(index)
      report.dma[index].iommu = report.dma[index].iommu.map { _ in name }
      report.dma[index].msi = [name]
    }
    for index in report.places.indices { report.places[index].node = name }
    for severity in [Diagnostic.Severity.error, .warning] {
      for _ in 0..<9 {
        report.diagnostics.append(
          Report.Diagnostic(severity: severity, node: name, property: name, message: name))
      }
    }
    report.verdict = .refused
    check(report)
    let svg = report.svg
    #expect(!svg.contains("<script"))
    // The whole of it can be had by pointing at it.
    #expect(
      svg.contains("&lt;/text&gt;&lt;script&gt;&amp;&quot;'\\x1b[31m\\x00\\u{202e}\\u{fffe}WWW"))
    #expect(svg.contains(String(repeating: "W", count: 5000)))
  }

  @Test("200 masters are groups with the first names, and how many more there are")
  func manyMasters() throws {
    var report = try report(on: "one-its")
    let its = try #require(report.regions.first?.node)
    for index in 0..<200 {
      report.dma.append(
        Report.DMA(
          node: "/soc/device@\(index)", evidence: .iommus, iommu: index < 150 ? "/soc/smmu" : nil,
          kind: index < 150 ? .smmuV3 : nil, streams: [], msi: index < 50 ? [its] : [],
          confinement: index < 150 ? .confined : .noIOMMU))
    }
    check(report)
    let texts = Picture(of: report).drawing.texts.map(\.text)
    #expect(texts.contains("50 masters"))
    #expect(texts.contains("100 masters"))
    #expect(texts.filter { $0 == "no MSIs to an ITS" }.count == 2)
    #expect(texts.contains("MSIs to ITS 0"))
    #expect(texts.contains { $0.hasPrefix("device@0, ") })
    let more = try #require(
      texts.lazy.compactMap { $0.firstMatch(of: /^(.*) and (\d+) more$/) }.first)
    let first = try #require(texts.first { $0.hasPrefix("device@0, ") })
    let shown = first.split(separator: ",").count + more.1.split(separator: ",").count
    #expect(shown + (Int(more.2) ?? 0) == 50)
  }

  @Test("However many IOMMUs and ITSes there are, groups are few and all masters are in them")
  func manyGroups() throws {
    var report = try report(on: "one-its")
    let reasons: [DMAPath.Confinement] = [
      .confined, .noIOMMU, .notMapped, .notDriven, .disabled, .unreadable,
    ]
    for index in 0..<240 {
      let reason = reasons[index % reasons.count]
      let kinds: [DMATranslator.Kind?] = [.smmuV3, .smmuV2, .other]
      report.dma.append(
        Report.DMA(
          node: "/device@\(index)", evidence: index % 7 == 0 ? .debug : .iommus,
          iommu: "/iommu@\(index % 40)", kind: reason == .confined ? .smmuV3 : kinds[index % 3],
          streams: [], msi: ["/its@\(index % 9)"], confinement: reason))
    }
    let groups = report.dmaGroups(limit: 7)
    #expect(groups.count <= 7)
    #expect(Set(groups.flatMap(\.nodes)).count == 240)
    check(report)
  }

  @Test("A master that nothing confines is told apart by words, not by a colour alone")
  func open() throws {
    let report = try report(on: "dma-platform")
    let texts = Picture(of: report).drawing.texts.map(\.text)
    #expect(texts.contains("Nothing"))
    #expect(texts.contains("behind no IOMMU"))
    #expect(texts.contains("SMMUv3"))
    #expect(texts.contains("reaches what the host may"))
    #expect(texts.contains("reaches all memory, EL2's too"))
  }

  @Test("Without an SMMU no gate is drawn, and without a master none at all")
  func noSMMU() throws {
    var report = try report(on: "one-its")
    check(report)
    #expect(Picture(of: report).drawing.texts.contains { $0.text == "The tree tells of none." })
    report.dma = [
      Report.DMA(
        node: "/disk", evidence: .compatible, iommu: nil, kind: nil, streams: [], msi: [],
        confinement: .noIOMMU)
    ]
    check(report)
    let texts = Picture(of: report).drawing.texts.map(\.text)
    #expect(texts.contains("Nothing"))
    #expect(!texts.contains("SMMUv3"))
  }

  @Test("Where EL2 does not start, nothing is said to be confined")
  func confinedIfStarted() throws {
    var report = try report(on: "dma-platform")
    report.verdict = .refused
    check(report)
    let texts = Picture(of: report).drawing.texts.map(\.text)
    #expect(!texts.contains("reaches what the host may"))
    #expect(texts.contains("would reach what the host may"))
    #expect(texts.contains("Address map, if EL2 started"))
  }

  @Test("SMMUs that the boot arguments leave to the host confine nothing")
  func hostsSMMU() throws {
    var report = try report(on: "dma-platform")
    report.ownsSMMUs = false
    check(report)
    let texts = Picture(of: report).drawing.texts.map(\.text)
    #expect(!texts.contains("reaches what the host may"))
    #expect(texts.contains("the host's: smmu=off"))
  }

  @Test(
    "The headline is the verdict",
    arguments: ["one-its", "no-its", "too-many-its", "misaligned-base"])
  func headline(sample: String) throws {
    let report = try report(on: sample)
    let texts = Picture(of: report).drawing.texts
    #expect(texts.first?.text == report.verdict.name)
  }

  @Test("What is refused is told in red with its reason, and what is more than fits is counted")
  func refused() throws {
    var report = try report(on: "misaligned-base")
    let error = try #require(report.diagnostics.first { $0.severity == .error })
    #expect(report.svg.contains("fill=\"\(Tone.refused.ink)\" font-weight=\"bold\"><title>"))
    #expect(report.svg.contains(Drawing.escaped(error.message)))
    report.diagnostics = Array(repeating: error, count: 12)
    check(report)
    #expect(Picture(of: report).drawing.texts.contains { $0.text == "and 7 more" })
  }

  @Test("A file that can't be read has a picture that says so")
  func unreadable() {
    let report = Report.unreadable("gone.dtb", granule: .kib4, reason: "No such file")
    check(report)
    let texts = Picture(of: report).drawing.texts.map(\.text)
    #expect(texts.first == "refused")
    #expect(texts.contains("No such file"))
  }

  @Test("The map has each ITS once, in the order of addresses")
  func mapOrder() throws {
    let report = try report(on: "eight-its")
    let rows = report.mapRows(runLimit: 100)
    #expect(rows.map(\.first) == rows.map(\.first).sorted())
    #expect(rows.filter { $0.kind == .its }.flatMap(\.numbers).sorted() == Array(0..<8))
    // Runs become one row, in which none is lost.
    let short = report.mapRows(runLimit: 1)
    #expect(short.count <= rows.count)
    #expect(short.reduce(0) { $0 + $1.count } == rows.count)
    #expect(short.filter { $0.kind == .its }.flatMap(\.numbers).sorted() == Array(0..<8))
  }

  @Test("A map of any length ends in the page")
  func longMap() throws {
    var report = try report(on: "one-its")
    let place = try #require(report.places.first { $0.kind == .its })
    var places: [Report.Place] = []
    for index in 0..<200 {
      var next = place
      next.kind = index % 2 == 0 ? .its : .smmu
      next.range = try #require(
        AddressRange(base: PhysicalAddress(UInt64(index) << 20), size: 0x20000))
      places.append(next)
    }
    report.places = places
    check(report)
    #expect(
      Picture(of: report).drawing.texts.contains { $0.text.wholeMatch(of: /and \d+ more/) != nil })
  }

  @Test("A text is as wide as allowed, or is shortened to less")
  func elision() {
    let style = TextStyle(size: 12)
    for limit in 20..<200 {
      for text in ["", "i", "interrupt-controller@8000000", "WWWWWWWWWWWWWWWWWWWW"] {
        let shown = style.elided(text, to: limit)
        #expect(style.width(of: shown) <= limit)
        #expect((shown == text) == (style.width(of: text) <= limit))
        #expect(shown == text || shown.hasSuffix("\u{2026}"))
      }
    }
    let lines = style.wrapped("one two three four five six", to: 60, lines: 2)
    #expect(lines.count == 2)
    #expect(lines.allSatisfy { style.width(of: $0) <= 60 })
  }
}

/// The markup of a picture, read more strictly than XML asks for.
private struct Markup {
  /// All that a picture is made of.
  private static let known: Set = ["svg", "title", "rect", "text", "polyline", "polygon", "path"]

  /// What is wrong, if anything is.
  private(set) var fault: String?

  init(_ text: String) {
    var open: [Substring] = []
    guard let start = text.firstMatch(of: /^<\?xml version="1.0" encoding="UTF-8"\?>\n/) else {
      fault = "no declaration"
      return
    }
    let body = text[start.range.upperBound...]
    for match in body.matches(of: /<(\/?)([^\s>\/]*)([^>]*)>/) {
      let name = match.2
      if !Self.known.contains(String(name)) { fault = "element \(name)" }
      if !match.1.isEmpty {
        if open.popLast() != name { fault = "end of \(name)" }
      } else {
        if match.3.wholeMatch(of: /( [A-Za-z-]+="[^"<]*")*\/?/) == nil { fault = "\(match.0)" }
        if !match.3.hasSuffix("/") { open.append(name) }
      }
    }
    if !open.isEmpty { fault = "no end" }
    let rest = body.replacing(/<[^<>]*>/, with: "")
    if rest.contains(where: { "<>".contains($0) }) { fault = "a bracket" }
    if body.replacing(/&(amp|lt|gt|quot);/, with: "").contains("&") { fault = "an ampersand" }
  }
}
