// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Where a region lies: one frame of whole pages, or equal frames at a fixed stride.
public struct RegionLayout: Hashable, Sendable {
  /// The first address.
  public let base: PhysicalAddress
  /// The bytes of one frame, a multiple of 4 KiB.
  public let frameSize: UInt64
  /// How many frames.
  public let count: UInt64
  /// log2 of the distance between the starts of two frames; 63 for a region of one frame.
  public let strideShift: UInt64
  /// The bits of a distance from the base that are its offset in a frame.
  private let frameMask: UInt64
  /// The bytes from the start of the first frame to the end of the last.
  public let extent: UInt64

  /// The most frames of one region; the strides of more CPUs than that are a mistake of the board.
  public static var maximumCount: UInt64 { 4096 }

  /// Describes one frame of `pages` 4 KiB pages, or `count` of them `stride` bytes apart.
  ///
  /// With a `count` of one the stride doesn't matter.
  /// - Throws: `misaligned`, `empty`, `stride` or `outOfRange`.
  public init(
    base: PhysicalAddress, pages: UInt64, stride: UInt64 = 0, count: UInt64 = 1
  ) throws(RegistryError) {
    guard base.isAligned(to: PageFrameNumber.size) else { throw .misaligned(base) }
    guard pages > 0, count > 0 else { throw .empty(base) }
    let limit = PageRange.limit << PageFrameNumber.shift
    guard base.rawValue < limit, pages <= PageRange.limit, count <= Self.maximumCount else {
      throw .outOfRange(base)
    }
    let frameSize = pages << PageFrameNumber.shift
    var extent = frameSize
    var strideShift: UInt64 = 63
    if count > 1 {
      guard stride.nonzeroBitCount == 1, stride >= frameSize else { throw .stride(stride) }
      guard stride < limit else { throw .outOfRange(base) }
      strideShift = UInt64(stride.trailingZeroBitCount)
      // At most 2^12 strides of less than 2^52 bytes and a frame of at most 2^52: no overflow.
      extent = (count - 1) << strideShift + frameSize
    }
    guard extent <= limit - base.rawValue else { throw .outOfRange(base) }
    self.base = base
    self.frameSize = frameSize
    self.count = count
    self.strideShift = strideShift
    frameMask = 1 << strideShift - 1
    self.extent = extent
  }

  /// A layout that holds no address, for unused slots.
  public static var nowhere: RegionLayout { RegionLayout() }

  private init() {
    base = PhysicalAddress(0)
    frameSize = 0
    count = 0
    strideShift = 63
    frameMask = 0
    extent = 0
  }

  /// The pages of the frame at `index`, below the count; nil where there is no such frame.
  public func frame(_ index: UInt64) -> PageRange? {
    guard index < count else { return nil }
    return PageRange(
      first: PageFrameNumber(frameBase(index) >> PageFrameNumber.shift),
      count: frameSize >> PageFrameNumber.shift)
  }

  /// The distance in bytes from one frame to the next; 0 for a region of one frame.
  public var stride: UInt64 { count > 1 ? 1 << strideShift : 0 }

  private func frameBase(_ index: UInt64) -> UInt64 { base.rawValue + index << strideShift }

  /// The offset of `address` from the base; nil where no frame holds it.
  @inline(__always)
  public func offset(of address: PhysicalAddress) -> UInt64? {
    // An address below the base wraps to more than any extent.
    let distance = address.rawValue &- base.rawValue
    guard distance < extent, offsetInFrame(distance) < frameSize else { return nil }
    return distance
  }

  /// The offset from the start of its frame of what lies `distance` above the base.
  @inline(__always)
  public func offsetInFrame(_ distance: UInt64) -> UInt64 {
    distance & frameMask
  }

  /// Whether a page belongs to both.
  public func overlaps(_ other: RegionLayout) -> Bool {
    // Frames are tried one by one on the side that has fewer, at most `maximumCount`.
    if count > other.count { return other.overlaps(self) }
    for index in 0..<count {
      let start = base.rawValue + index << strideShift
      if other.touches(first: start, last: start + (frameSize - 1)) { return true }
    }
    return false
  }

  /// Whether a frame holds an address of `first...last`.
  private func touches(first: UInt64, last: UInt64) -> Bool {
    guard count > 0, last >= base.rawValue else { return false }
    let low = first <= base.rawValue ? 0 : first - base.rawValue
    let high = last - base.rawValue
    // The frame at or below the first address, and the next one: between them is a gap, and a range
    // that avoids both lies wholly inside it.
    let index = low >> strideShift
    guard index < count else { return false }
    if low - index << strideShift < frameSize { return true }
    return index + 1 < count && high >= (index + 1) << strideShift
  }
}
