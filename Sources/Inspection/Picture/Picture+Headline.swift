// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Boards

extension Picture {
  private static let verdictStyle = TextStyle(size: 22, isBold: true)
  private static let modelStyle = TextStyle(size: 17, isBold: true)

  /// Draws what it comes to, and which board it is.
  mutating func drawHeadline() {
    let verdict = report.verdict
    let name = verdict.name
    let badge = Box(
      x: Self.margin, y: y, width: Self.verdictStyle.width(of: name) + 68, height: 46)
    drawing.rectangle(badge, verdict.tone, corners: 8, fill: verdict.tone.ink)
    drawSign(of: verdict, x: badge.x + 28, y: badge.middle)
    drawing.text(
      name, x: badge.x + 54, y: badge.middle + 8, Self.verdictStyle, limit: badge.width,
      ink: "#ffffff")
    let x = badge.right + 20
    let limit = Self.margin + Self.inner - x
    drawing.text(
      report.model ?? report.file, x: x, y: y + 18, Self.modelStyle, limit: limit)
    drawing.text(
      report.verdictMeaning, x: x, y: y + 40, TextStyle(size: 13), limit: limit,
      ink: verdict.tone.ink)
    y = badge.bottom + 20
    var board = report.file
    if !report.compatible.isEmpty {
      board += " (" + report.compatible.joined(separator: ", ") + ")"
    }
    drawing.text(
      board + ", pages of " + report.granule.bytes.binarySize, x: Self.margin, y: y, Self.normal,
      limit: Self.inner, ink: Tone.plain.ink)
    y += Self.normal.descent + 4
  }

  /// Draws a sign that tells the verdict without colours: a tick, a cross or a bar.
  private mutating func drawSign(of verdict: Verdict, x: Int, y: Int) {
    let white = "#ffffff"
    switch verdict {
    case .protectable:
      drawing.area(
        [
          (x - 13, y + 1), (x - 9, y - 4), (x - 3, y + 3), (x + 9, y - 11), (x + 13, y - 7),
          (x - 2, y + 12),
        ], .taken, fill: white)
    case .refused: drawing.cross(x: x, y: y, reach: 9, ink: white, width: 5)
    case .nothingToProtect:
      drawing.area(
        [(x - 11, y - 3), (x + 11, y - 3), (x + 11, y + 3), (x - 11, y + 3)], .plain, fill: white)
    }
  }
}

extension Report {
  /// What the verdict means.
  fileprivate var verdictMeaning: String {
    switch verdict {
    case .protectable: "EL2 can take every ITS from the host."
    case .nothingToProtect: "The board has no ITS."
    case .refused where status == .refused:
      "EL2 would not start the host, and nothing is protected."
    case .refused: "Nothing can be told of the board."
    }
  }
}

extension Verdict {
  /// How it is drawn.
  var tone: Tone {
    switch self {
    case .protectable: .taken
    case .nothingToProtect: .plain
    case .refused: .refused
    }
  }
}
