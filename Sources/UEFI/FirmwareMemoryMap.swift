// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the firmware's memory map says of memory (UEFI 2.10, section 7.2.3): descriptors of one size, in any order.
public struct FirmwareMemoryMap: ~Escapable {
  /// What stands behind a range.
  public enum Kind: Sendable {
    /// Memory that is free, or will be once the firmware has gone.
    case memory
    /// Memory that stays the firmware's, cacheable all the same.
    case reserved
  }

  /// The bytes of a descriptor of version 1; newer ones may be larger.
  private static var leastSize: Int { 40 }
  /// The most descriptors that are read.
  public static var limit: Int { 1024 }

  private let bytes: Span<UInt8>
  private let size: Int
  private let count: Int

  /// Takes the bytes of the map; nil for a size that no descriptor has, and for too many.
  @_lifetime(copy bytes)
  public init?(_ bytes: Span<UInt8>, descriptorSize size: Int) {
    guard size >= Self.leastSize, size % 8 == 0, bytes.count / size <= Self.limit else {
      return nil
    }
    self.bytes = bytes
    self.size = size
    count = bytes.count / size
  }

  private func word(_ index: Int, _ offset: Int) -> UInt64 {
    var value: UInt64 = 0
    for byte in 0..<8 { value |= UInt64(bytes[index * size + offset + byte]) << UInt64(8 * byte) }
    return value
  }

  /// The range of a descriptor and what stands behind it; nil for registers and for what is broken.
  private func entry(_ index: Int) -> (range: AddressRange, kind: Kind)? {
    let pages = word(index, 24)
    guard pages > 0, pages < 1 << 40,
      let range = AddressRange(base: PhysicalAddress(word(index, 8)), size: pages << 12)
    else { return nil }
    switch word(index, 0) & 0xffff_ffff {
    // Loader, boot services, runtime services, conventional, ACPI, persistent.
    case 1...7, 9, 10, 14: return (range, .memory)
    // Registers and ports.
    case 11, 12: return nil
    // Reserved, unusable, unaccepted, and what firmware's makers and operating systems have types of their own for:
    // EFI_MEMORY_WB tells memory from registers.
    default: return word(index, 32) >> 3 & 1 == 1 ? (range, .reserved) : nil
    }
  }

  /// Whether all of `range` is memory, reserved or not.
  public func isMemory(_ range: AddressRange) -> Bool {
    var next = range.base
    // Each round gets to the end of another descriptor.
    for _ in 0..<count {
      var end: PhysicalAddress?
      for index in 0..<count {
        guard let entry = entry(index), entry.range.contains(next) else { continue }
        end = entry.range.last
      }
      guard let end else { return false }
      guard end < range.last else { return true }
      next = PhysicalAddress(end.rawValue + 1)
    }
    return false
  }

  /// Whether any of `range` is memory.
  public func touchesMemory(_ range: AddressRange) -> Bool {
    for index in 0..<count where entry(index)?.range.overlaps(range) == true { return true }
    return false
  }

  /// Hands ranges to `body` in ascending order: those of `kind`, or with nil all memory, joined where they touch.
  ///
  /// What overlaps a range before it is left out as far as it does.
  public func forEach<Failure: Error>(
    _ kind: Kind?, _ body: (AddressRange) throws(Failure) -> Void
  ) throws(Failure) {
    var next: UInt64 = 0
    var joined: AddressRange?
    for _ in 0..<count {
      guard let found = lowest(from: next, kind) else { break }
      next = found.last.rawValue &+ 1
      if let before = joined, before.last.rawValue + 1 == found.base.rawValue {
        joined = AddressRange(base: before.base, size: before.size + found.size)
      } else {
        if let joined { try body(joined) }
        joined = found
      }
      if next == 0 { break }
    }
    if let joined { try body(joined) }
  }

  /// What of the map lies lowest, from an address on.
  private func lowest(from address: UInt64, _ kind: Kind?) -> AddressRange? {
    var found: AddressRange?
    for index in 0..<count {
      guard let entry = entry(index), kind.map({ $0 == entry.kind }) ?? true,
        entry.range.last.rawValue >= address
      else { continue }
      let base = max(entry.range.base.rawValue, address)
      if let found, found.base.rawValue <= base { continue }
      found = AddressRange(
        base: PhysicalAddress(base), size: entry.range.last.rawValue - base + 1)
    }
    return found
  }
}
