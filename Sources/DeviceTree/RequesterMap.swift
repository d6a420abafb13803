// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Boards

/// A property that gives ranges of requesters a target and numbers there: `iommu-map`, `msi-map`.
///
/// An entry has four cells: the first requester, the phandle of the target, the first number there,
/// and how many. A requester is looked up after the property's mask.
struct RequesterMap {
  /// The bits of a requester that are looked at.
  let mask: UInt32
  private let value: BlobBytes
  private var start = 0
  private var complaints = 0

  /// What a property comes to.
  enum Opened {
    case map(RequesterMap)
    /// The map has this length, which it cannot have.
    case badMap(Int)
    /// The mask has this length, which it cannot have.
    case badMask(Int)
  }

  /// An entry that has a length.
  struct Entry {
    /// The first requester as the tree gives it.
    let base: UInt32
    /// The requesters, as far as the mask lets them through; nil where the entry makes no sense.
    let requesters: IDRange?
    let phandle: UInt32
    /// The numbers at the target, as many.
    let targets: IDRange?
  }

  /// Opens `value`, of a bus with the requesters `all`; nil: any 32 bits.
  static func open(
    _ value: BlobBytes, mask: BlobBytes?, _ all: IDRange?, _ blob: DeviceTreeBlob
  ) -> Opened {
    guard value.count > 0, value.count % 16 == 0 else { return .badMap(value.count) }
    var bits = all?.last ?? UInt32.max
    if let mask {
      guard mask.count == 4, let word = blob.word(mask) else { return .badMask(mask.count) }
      bits &= word
    }
    return .map(RequesterMap(mask: bits, value: value))
  }

  private init(mask: UInt32, value: BlobBytes) {
    self.mask = mask
    self.value = value
  }

  /// Whether nothing was said of this property yet; once is enough, however long it is.
  var isFirstComplaint: Bool {
    mutating get {
      complaints += 1
      return complaints == 1
    }
  }

  /// The next entry that is not empty.
  mutating func next(in blob: DeviceTreeBlob) -> Entry? {
    while let base = blob.word(value, at: start), let phandle = blob.word(value, at: start + 4),
      let target = blob.word(value, at: start + 8), let count = blob.word(value, at: start + 12)
    {
      start += 16
      // A tree leaves it to the boot loader to fill in what has no length.
      if count == 0 { continue }
      guard base & ~mask == 0, let whole = IDRange(base, count: count),
        IDRange(target, count: count) != nil,
        // What the mask takes away can't be asked for.
        let requesters = IDRange(base, through: Self.requester(upTo: whole.last, mask: mask))
      else { return Entry(base: base, requesters: nil, phandle: phandle, targets: nil) }
      return Entry(
        base: base, requesters: requesters, phandle: phandle,
        targets: IDRange(target, through: target + (requesters.last - base)))
    }
    return nil
  }

  /// The largest requester up to `end` that `mask` leaves as it is.
  static func requester(upTo end: UInt32, mask: UInt32) -> UInt32 {
    let extra = end & ~mask
    guard extra != 0 else { return end }
    // Below the highest extra bit all that the mask has may be set.
    let top: UInt32 = 1 << UInt32(31 - extra.leadingZeroBitCount)
    return (end & ~(top | (top - 1)) | (top - 1)) & mask
  }

  /// The least requester from `start` on that `mask` leaves as it is; nil beyond 16 bits.
  static func requester(from start: UInt32, mask: UInt32) -> UInt32? {
    var candidate = start
    while candidate <= 0xffff {
      let extra = candidate & ~mask
      guard extra != 0 else { return candidate }
      // Whatever lies below the highest extra bit starts over, behind a carry.
      let top = UInt32(31 - extra.leadingZeroBitCount)
      candidate = ((candidate >> top) + 1) << top
    }
    return nil
  }
}
