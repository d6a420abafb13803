// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Draws an SVG 1.1 image, element by element.
///
/// All that is written is ASCII of its own and texts that went through `printable` and had what XML gives a meaning
/// to escaped: nothing that a device tree says becomes markup, or a character that no XML text may have.
struct Drawing {
  /// Where the point that a text is given lies.
  enum Anchor: String {
    /// At its beginning.
    case start
    /// In its middle.
    case middle
    /// At its end.
    case end
  }

  /// A text that was drawn, with the most room that it takes.
  struct Text: Equatable {
    /// What is shown.
    var text: String
    /// Where.
    var box: Box
  }

  /// The texts that were drawn.
  private(set) var texts: [Text] = []
  /// The elements that were drawn.
  private var body = ""

  /// The whole image, `width` by `height`, which is called `title`.
  func image(width: Int, height: Int, title: String) -> String {
    """
    <?xml version="1.0" encoding="UTF-8"?>
    <svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="\(width)" height="\(height)" \
    viewBox="0 0 \(width) \(height)" font-family="sans-serif">
    <title>\(Self.escaped(title))</title>
    <rect width="\(width)" height="\(height)" fill="#ffffff"/>
    \(body)</svg>

    """
  }

  /// Draws a text of one line, elided where it is wider than `limit`.
  ///
  /// What is left out is in its title, which a viewer shows when it is pointed at; `title` is one of other lines.
  mutating func text(
    _ text: String, x: Int, y: Int, _ style: TextStyle, limit: Int, anchor: Anchor = .start,
    ink: String = "#1a1a1a", title: [String] = []
  ) {
    let whole = text.printable
    let shown = style.elided(whole, to: limit)
    guard !shown.isEmpty else { return }
    let lines = title.isEmpty && shown != whole ? [whole] : title.map(\.printable)
    let width = style.width(of: shown)
    let left =
      switch anchor {
      case .start: x
      case .middle: x - (width + 1) / 2
      case .end: x - width
      }
    texts.append(
      Text(
        text: shown,
        box: Box(
          x: left, y: y - style.ascent, width: width, height: style.ascent + style.descent)))
    body += "<text x=\"\(x)\" y=\"\(y)\" font-size=\"\(style.size)\" fill=\"\(ink)\""
    if style.isBold { body += " font-weight=\"bold\"" }
    if anchor != .start { body += " text-anchor=\"\(anchor.rawValue)\"" }
    body += ">"
    if !lines.isEmpty {
      body += "<title>" + lines.map(Self.escaped).joined(separator: "\n") + "</title>"
    }
    body += Self.escaped(shown) + "</text>\n"
  }

  /// Draws a rectangle in the manner of `tone`.
  mutating func rectangle(_ box: Box, _ tone: Tone, corners: Int = 4, fill: String? = nil) {
    body += "<rect x=\"\(box.x)\" y=\"\(box.y)\" width=\"\(box.width)\" height=\"\(box.height)\""
    if corners > 0 { body += " rx=\"\(corners)\"" }
    body += " fill=\"\(fill ?? tone.fill)\"" + Self.stroke(tone) + "/>\n"
  }

  /// Draws a line through `points` in the manner of `tone`.
  mutating func line(_ points: [(x: Int, y: Int)], _ tone: Tone) {
    body += "<polyline points=\"\(Self.list(points))\" fill=\"none\"" + Self.stroke(tone) + "/>\n"
  }

  /// Draws the area between `points` in the ink of `tone`.
  mutating func area(_ points: [(x: Int, y: Int)], _ tone: Tone, fill: String? = nil) {
    body += "<polygon points=\"\(Self.list(points))\" fill=\"\(fill ?? tone.ink)\"/>\n"
  }

  /// Draws an arrow to the right.
  mutating func arrow(from x: Int, to end: Int, y: Int, _ tone: Tone) {
    line([(x, y), (end - 8, y)], tone)
    area([(end - 9, y - 5), (end, y), (end - 9, y + 5)], tone)
  }

  /// Draws a cross with its centre at `x` and `y`.
  mutating func cross(x: Int, y: Int, reach: Int, ink: String, width: Int = 3) {
    body +=
      "<path d=\"M\(x - reach) \(y - reach)L\(x + reach) \(y + reach)M\(x - reach) \(y + reach)"
      + "L\(x + reach) \(y - reach)\" fill=\"none\" stroke=\"\(ink)\" stroke-width=\"\(width)\"/>\n"
  }

  private static func stroke(_ tone: Tone) -> String {
    " stroke=\"\(tone.ink)\" stroke-width=\"\(tone.stroke)\""
      + (tone.dashes.map { " stroke-dasharray=\"\($0)\"" } ?? "")
  }

  private static func list(_ points: [(x: Int, y: Int)]) -> String {
    points.map { "\($0.x),\($0.y)" }.joined(separator: " ")
  }

  /// The text with what XML gives a meaning to escaped.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
