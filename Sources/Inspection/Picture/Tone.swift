// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What something in a picture means: a colour, and with it a border that tells the same without colours.
enum Tone {
  /// EL2 takes it: a thick border.
  case taken
  /// The host keeps it: a thin border.
  case kept
  /// It is set aside: a border of dashes.
  case reserved
  /// Nothing confines it: a thick border of dashes.
  case open
  /// It is refused: a thick border, and a cross.
  case refused
  /// There is nothing to say of it: a thin grey border.
  case plain

  /// The colour of borders, signs and what is written on white.
  var ink: String {
    switch self {
    case .taken: "#0b4f8a"
    case .kept: "#1b6e4b"
    case .reserved: "#5f5f5f"
    case .open: "#a04a00"
    case .refused: "#b3140f"
    case .plain: "#444444"
    }
  }

  /// The colour of areas.
  var fill: String {
    switch self {
    case .taken: "#d6e8f8"
    case .kept: "#e6f5ec"
    case .reserved: "#efefef"
    case .open: "#fff0dc"
    case .refused: "#fde4e1"
    case .plain: "#f7f7f7"
    }
  }

  /// The width of borders.
  var stroke: Int {
    switch self {
    case .taken, .open, .refused: 2
    case .kept, .reserved, .plain: 1
    }
  }

  /// The dashes of borders; nil: they are solid.
  var dashes: String? {
    switch self {
    case .open: "7 4"
    case .reserved: "3 3"
    case .taken, .kept, .refused, .plain: nil
    }
  }
}
