// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

/// The picture of a board: a page that tells what becomes of it, who does DMA, and what is where.
///
/// From left to right stand the DMA masters, what is between them and memory, and the address map. What is refused
/// stands above them, what is only warned of below. However large the board, all of it fits a page of DIN A4: what is
/// alike is drawn once, and the rest is counted.
struct Picture {
  let report: Report
  var drawing = Drawing()
  /// The lower edge of what has been drawn.
  var y = 0

  /// The width of the page.
  static let width = 1200
  /// The most that the page is high: DIN A4 upright.
  static let heightLimit = 1697
  /// What is left blank at each edge.
  static let margin = 32
  /// What is between the margins.
  static var inner: Int { width - 2 * margin }

  static let heading = TextStyle(size: 15, isBold: true)
  static let strong = TextStyle(size: 13, isBold: true)
  static let normal = TextStyle(size: 12)
  static let small = TextStyle(size: 11)

  /// Draws the picture of `report`.
  init(of report: Report) {
    self.report = report
    y = Self.margin
    drawHeadline()
    drawErrors()
    let top = y + 10
    if report.dma.isEmpty && report.places.isEmpty {
      y = top
    } else {
      let below = warningsHeight + Self.legendHeight + Self.margin + 20
      let left = drawMasters(from: top)
      let right = drawMap(from: top, limit: Self.heightLimit - below - top)
      if !report.dma.isEmpty { drawBus(from: top, to: max(left, right)) }
      y = max(left, right) + 20
    }
    drawWarnings()
    drawLegend()
  }

  /// The picture as SVG.
  var svg: String {
    drawing.image(
      width: Self.width, height: y + Self.margin,
      title: "Portcullis: \(report.file.printable): \(report.verdict.name)")
  }

  /// The last part of a path.
  static func leaf(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}

extension Report {
  /// The report as a picture: an SVG 1.1 image that uses nothing but itself.
  public var svg: String { Picture(of: self).svg }
}
