// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// The frames by which devices send MSIs, such as GITS_TRANSLATER's: for them to write, whoever owns them.
public struct Doorbells: Sendable {
  /// The most ranges.
  public static let capacity = 32
  private var ranges: FixedList<32, PageRange>?

  /// None.
  public init() { ranges = nil }

  /// Adds a range; false where there is no room.
  public mutating func add(_ range: PageRange) -> Bool {
    var list = ranges ?? FixedList<32, PageRange>(filler: range)
    let isAdded = list.append(range)
    ranges = list
    return isAdded
  }

  /// How many ranges there are.
  public var count: Int { ranges?.count ?? 0 }

  /// The range at `index`, which is below the count.
  public func range(_ index: Int) -> PageRange? {
    guard let ranges, ranges.indices.contains(index) else { return nil }
    return ranges[index]
  }

  /// The first pages of `pages`, up to where a doorbell begins or ends, and whether they are one.
  func firstPart(of pages: PageRange) -> (part: PageRange, isDoorbell: Bool) {
    var end = pages.first.rawValue + pages.count
    for index in 0..<count {
      guard let doorbell = range(index) else { continue }
      if doorbell.contains(pages.first) {
        let last = min(doorbell.last, pages.last)
        return (pages.upTo(last.rawValue + 1), true)
      }
      if doorbell.first > pages.first { end = min(end, doorbell.first.rawValue) }
    }
    return (pages.upTo(end), false)
  }
}
