// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Synchronization

/// Which physical pages are memory; everything else is MMIO.
///
/// The ranges are sorted, disjoint and as few as they can be: neighbours are joined.
public struct MemoryMap: ~Copyable, Sendable {
  /// The most ranges that a map holds.
  public static let capacity = 64

  private var ranges: InlineArray<64, PageRange?> = InlineArray(repeating: nil)
  /// How many ranges the map holds.
  public private(set) var count = 0

  // It gives the map an identity in memory, so that a borrow is its address. As a plain value the compiler copied all
  // of it to the stack at each use.
  private let identity = Atomic(false)

  /// Makes a map without memory.
  public init() {}

  /// The range at `index`, in ascending order; nil where there is none.
  public func range(_ index: Int) -> PageRange? {
    index >= 0 && index < count ? ranges[index] : nil
  }

  /// Adds a range of memory.
  ///
  /// - Throws: `overlap` with the first frame that is known already, `tooManyRanges`.
  public mutating func add(_ range: PageRange) throws(OwnershipError) {
    var joined = range
    var kept: InlineArray<64, PageRange?> = InlineArray(repeating: nil)
    var keptCount = 0
    for index in 0..<count {
      guard let other = ranges[index] else { continue }
      guard !other.overlaps(range) else {
        throw .overlap(max(other.first, range.first))
      }
      if let union = joined.joined(with: other) {
        joined = union
      } else {
        kept[keptCount] = other
        keptCount += 1
      }
    }
    guard keptCount < Self.capacity else { throw .tooManyRanges(capacity: Self.capacity) }
    // Insertion from above keeps the order.
    var slot = keptCount
    while slot > 0, let below = kept[slot - 1], joined.first < below.first {
      kept[slot] = below
      slot -= 1
    }
    kept[slot] = joined
    ranges = kept
    count = keptCount + 1
  }

  /// What stands behind `frame`.
  public func kind(of frame: PageFrameNumber) -> PageKind {
    for index in 0..<count {
      if let range = ranges[index], range.contains(frame) { return .memory }
    }
    return .mmio
  }

  /// What stands behind `first`, and one more than the last frame of which that is true without a gap.
  public func run(from first: PageFrameNumber) -> (kind: PageKind, end: UInt64) {
    for index in 0..<count {
      guard let range = ranges[index], range.last >= first else { continue }
      let isInside = range.first <= first
      return (isInside ? .memory : .mmio, isInside ? range.last.rawValue + 1 : range.first.rawValue)
    }
    return (.mmio, PageRange.limit)
  }

  /// The first frame of `pages` that is not of `kind`; nil where all of them are.
  public func firstMismatch(in pages: PageRange, _ kind: PageKind) -> PageFrameNumber? {
    var frame = pages.first
    for index in 0..<count {
      guard let range = ranges[index], range.last >= frame else { continue }
      switch kind {
      case .mmio:
        return range.first <= pages.last ? max(range.first, frame) : nil
      case .memory:
        guard range.first <= frame else { return frame }
        guard range.last < pages.last else { return nil }
        frame = PageFrameNumber(range.last.rawValue + 1)
      }
    }
    return kind == .memory ? frame : nil
  }
}

extension PageRange {
  /// The union of two ranges that touch; nil where there is a gap between them.
  func joined(with other: PageRange) -> PageRange? {
    let low = first < other.first ? self : other
    let high = first < other.first ? other : self
    guard low.last.rawValue + 1 >= high.first.rawValue else { return nil }
    let end = max(low.last, high.last)
    return PageRange(first: low.first, count: end.rawValue - low.first.rawValue + 1)
  }

  /// The numbers of the frames.
  var numbers: Range<UInt64> { first.rawValue..<first.rawValue + count }
}
