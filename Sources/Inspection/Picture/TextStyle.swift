// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// How a text is drawn, and the most room that it takes.
///
/// A picture names no font but `sans-serif`, so whoever shows it picks one. Widths are therefore upper bounds, from the
/// widest fonts in common use: DejaVu Sans and Verdana.
struct TextStyle: Equatable {
  /// The size in pixels.
  var size: Int
  /// Whether it is bold.
  var isBold = false

  /// The height of the highest character above the base line.
  var ascent: Int { (size * 80 + 99) / 100 }
  /// The depth of the lowest character below the base line.
  var descent: Int { (size * 26 + 99) / 100 }

  /// The most pixels that `text` is wide.
  func width(of text: String) -> Int {
    let sum = text.unicodeScalars.reduce(0) { $0 + advance($1) }
    return (sum * size + 99) / 100
  }

  /// The text, or as much of its beginning as is `limit` wide with an ellipsis behind it.
  func elided(_ text: String, to limit: Int) -> String {
    guard width(of: text) > limit else { return text }
    var rest = limit * 100 - advance(Self.ellipsis) * size
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      rest -= advance(scalar) * size
      if rest < 0 { break }
      result.append(scalar)
    }
    result.append(Self.ellipsis)
    return String(result)
  }

  /// The text in lines of at most `limit`, broken at blanks; the last of `count` lines is elided.
  func wrapped(_ text: String, to limit: Int, lines count: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ") {
      let longer = line.isEmpty ? String(word) : line + " " + word
      if line.isEmpty || lines.count == count - 1 || width(of: longer) <= limit {
        line = longer
      } else {
        lines.append(line)
        line = String(word)
      }
    }
    return (lines + [line]).map { elided($0, to: limit) }
  }

  private static var ellipsis: Unicode.Scalar { "\u{2026}" }

  /// The most that a character advances, in hundredths of the size.
  private func advance(_ scalar: Unicode.Scalar) -> Int {
    switch scalar {
    case "i", "l", "j", "'", " ": isBold ? 41 : 36
    case "f", "t", "r", "I", "J", ".", ",", "!", "-", "|", "\\", "(", ")", "[", "]", ":", ";", "\"",
      "`":
      isBold ? 60 : 47
    case "/": isBold ? 70 : 47
    case "s", "c", "z", "k", "F", "L", "x", "v", "y", "T", "Y", "P", "a", "e", "o", "E":
      isBold ? 75 : 64
    case "b", "d", "g", "h", "n", "p", "q", "u", "S", "$", "_", "*", "?", "{", "}", "0"..."9":
      isBold ? 75 : 66
    case "A", "B", "C", "D", "G", "H", "K", "N", "O", "Q", "R", "U", "V", "X", "Z", "&":
      isBold ? 89 : 80
    case "w", "M", "#", "+", "<", "=", ">", "^", "~": isBold ? 101 : 88
    default: isBold ? 128 : 108
    }
  }
}
