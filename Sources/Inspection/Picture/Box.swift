// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// A rectangle of a picture, in whole pixels.
struct Box: Equatable {
  /// The left edge.
  var x: Int
  /// The upper edge.
  var y: Int
  /// From the left edge to the right one.
  var width: Int
  /// From the upper edge to the lower one.
  var height: Int

  /// The right edge.
  var right: Int { x + width }
  /// The lower edge.
  var bottom: Int { y + height }
  /// Half way down.
  var middle: Int { y + height / 2 }

  /// Whether the two have a pixel in common.
  func overlaps(_ other: Box) -> Bool {
    x < other.right && other.x < right && y < other.bottom && other.y < bottom
  }

  /// Whether all of the other is in it.
  func contains(_ other: Box) -> Bool {
    x <= other.x && other.right <= right && y <= other.y && other.bottom <= bottom
  }
}
