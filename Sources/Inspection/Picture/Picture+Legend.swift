// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension Picture {
  /// The height that the legend takes.
  static let legendHeight = 20

  /// Draws what colours and borders mean.
  mutating func drawLegend() {
    let entries: [(Tone, String)] = [
      (.taken, "EL2 only"), (.kept, "stays with the host"), (.reserved, "reserved"),
      (.open, "not confined"), (.refused, "refused"),
    ]
    var x = Self.margin
    for (tone, text) in entries {
      let sample = Box(x: x, y: y + 2, width: 30, height: 16)
      drawing.rectangle(sample, tone, corners: 2)
      if tone == .refused {
        drawing.cross(x: x + 15, y: y + 10, reach: 5, ink: tone.ink)
      }
      drawing.text(text, x: x + 40, y: y + 15, Self.normal, limit: 150)
      x += 40 + Self.normal.width(of: text) + 28
    }
    y += Self.legendHeight
  }
}
