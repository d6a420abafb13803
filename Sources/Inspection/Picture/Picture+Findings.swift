// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards

extension Picture {
  /// How many errors are shown, and how many warnings; the others are counted.
  private static var shownLimit: Int { 5 }

  /// Draws what is refused, with its reason.
  mutating func drawErrors() {
    let errors = report.diagnostics.filter { $0.severity == .error }
    guard !errors.isEmpty else { return }
    let shown = errors.prefix(Self.shownLimit)
    let left = Self.margin + 44
    let limit = Self.inner - 60
    let texts = shown.map { Self.strong.wrapped($0.message.printable, to: limit, lines: 2) }
    let heights = zip(shown, texts).map { ($0.place == nil ? 0 : 18) + 18 * $1.count + 8 }
    let more = errors.count - shown.count
    let panel = Box(
      x: Self.margin, y: y + 8, width: Self.inner,
      height: heights.reduce(12, +) + (more > 0 ? 22 : 0))
    drawing.rectangle(panel, .refused)
    var line = panel.y + 8
    for (index, error) in shown.enumerated() {
      drawing.cross(x: panel.x + 22, y: line + 11, reach: 7, ink: Tone.refused.ink, width: 4)
      let whole = error.line
      for (number, text) in texts[index].enumerated() {
        drawing.text(
          text, x: left, y: line + 16 + 18 * number, Self.strong, limit: limit,
          ink: Tone.refused.ink, title: [whole])
      }
      if let place = error.place {
        drawing.text(
          place, x: left, y: line + 16 + 18 * texts[index].count, Self.normal, limit: limit,
          ink: Tone.refused.ink)
      }
      line += heights[index]
    }
    if more > 0 { drawRest(errors.dropFirst(shown.count), x: left, y: line + 14, .refused) }
    y = panel.bottom
  }

  /// The height that warnings take.
  var warningsHeight: Int {
    let count = report.diagnostics.count { $0.severity == .warning }
    return count > 0 ? 50 + 18 * min(count, Self.shownLimit + 1) : 0
  }

  /// Draws what is warned of, a line each.
  mutating func drawWarnings() {
    let warnings = report.diagnostics.filter { $0.severity == .warning }
    guard !warnings.isEmpty else { return }
    let shown = warnings.prefix(Self.shownLimit)
    let left = Self.margin + 44
    let limit = Self.inner - 60
    let more = warnings.count - shown.count
    let panel = Box(x: Self.margin, y: y, width: Self.inner, height: warningsHeight - 14)
    drawing.rectangle(panel, .open)
    let x = panel.x + 22
    drawing.area([(x - 10, panel.y + 27), (x, panel.y + 9), (x + 10, panel.y + 27)], .open)
    drawing.text(
      warnings.count > 1 ? "\(warnings.count) warnings" : "Warning", x: left, y: panel.y + 22,
      Self.strong, limit: limit, ink: Tone.open.ink)
    var line = panel.y + 40
    for warning in shown {
      drawing.text(
        warning.line, x: left, y: line, Self.normal, limit: limit, ink: Tone.open.ink)
      line += 18
    }
    if more > 0 { drawRest(warnings.dropFirst(shown.count), x: left, y: line, .open) }
    y = panel.bottom + 14
  }

  /// Draws how many more there are.
  private mutating func drawRest(
    _ rest: ArraySlice<Report.Diagnostic>, x: Int, y: Int, _ tone: Tone
  ) {
    drawing.text(
      "and \(rest.count) more", x: x, y: y, Self.normal, limit: Self.inner - 60, ink: tone.ink,
      title: rest.map(\.line))
  }
}

extension Report.Diagnostic {
  /// All of it.
  fileprivate var line: String { [place, message].compactMap(\.self).joined(separator: ": ") }

  /// The node and the property; nil where it is about the whole file.
  fileprivate var place: String? {
    let parts = [node, property].compactMap(\.self)
    return parts.isEmpty ? nil : parts.joined(separator: ": ")
  }
}
