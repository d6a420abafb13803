// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Synchronization

/// The regions whose accesses trap: filled at boot on one CPU, then frozen.
///
/// A frozen registry never changes, so that every CPU looks up without a lock. Publishing it to the
/// other CPUs is the business of whoever starts them.
public struct RegionRegistry<Device: TrapDevice>: ~Copyable, Sendable {
  typealias Slots = InlineArray<128, Region<Device>>

  /// The slots; those from `count` on are unused and hold no address.
  var slots: Slots
  /// How many regions are registered.
  public private(set) var count = 0
  /// Whether the registry takes no more regions.
  public var isFrozen: Bool { frozen.load(ordering: .acquiring) }
  // Atomic for a second reason: it gives the registry an identity in memory, so that a borrow is its
  // address. As a plain value the compiler copied all slots to the stack at each trap.
  private let frozen = Atomic(false)

  /// The most regions that a registry holds.
  public static var capacity: Int { 128 }

  /// Makes an empty registry.
  public init() { slots = Slots(repeating: .unused) }

  /// Adds a region and returns its index.
  ///
  /// - Throws: `frozen`, `full`, `virtualAddress` or `overlap`; nothing has changed then.
  @discardableResult
  public mutating func register(_ region: Region<Device>) throws(RegistryError) -> Int {
    let layout = region.layout
    guard !isFrozen else { throw .frozen(layout.base) }
    guard count < Self.capacity else { throw .full(layout.base) }
    guard region.address.isAligned(to: PageFrameNumber.size),
      region.address.advanced(by: layout.extent - 1) != nil
    else { throw .virtualAddress(region.address) }
    for index in 0..<count where slot(index).layout.overlaps(layout) {
      throw .overlap(layout.base, with: index)
    }
    slots[count] = region
    count += 1
    return count - 1
  }

  /// Takes the regions from `count` on out of a registry that is not frozen.
  public mutating func removeAll(behind count: Int) {
    guard !isFrozen else { return }
    while self.count > count {
      self.count -= 1
      slots[self.count] = .unused
    }
  }

  /// Ends registration for good.
  public mutating func freeze() { frozen.store(true, ordering: .releasing) }

  /// The region at `index`; nil where there is none.
  public subscript(index: Int) -> Region<Device>? {
    index >= 0 && index < count ? slot(index) : nil
  }

  /// The region in a slot.
  @inline(__always)
  func slot(_ index: Int) -> Region<Device> {
    // A leaf. An element of an InlineArray is loaded as if it had no alignment: on a target that
    // loads nothing misaligned that is byte by byte, a hundred instructions a trap. The pointer
    // says what is true. The array has an address for as long as it is borrowed (see `frozen`), and
    // the index is below the capacity.
    unsafe slots.span.withUnsafeBufferPointer { array in
      let stride = UInt(MemoryLayout<Region<Device>>.stride)
      let address = UInt(bitPattern: array.baseAddress) &+ UInt(bitPattern: index) &* stride
      return unsafe UnsafePointer<Region<Device>>(bitPattern: address).unsafelyUnwrapped.pointee
    }
  }

  /// The index of the region that holds `address`.
  ///
  /// - Complexity: linear in the regions, in the order of their registration.
  @inline(__always)
  public func index(of address: PhysicalAddress) -> Int? {
    // Over the capacity and not over `count`, which the compiler then needn't check against the
    // capacity; the first unused slot ends it.
    for index in 0..<128 {
      if slot(index).layout.offset(of: address) != nil { return index }
      if slot(index).layout.extent == 0 { return nil }
    }
    return nil
  }
}
