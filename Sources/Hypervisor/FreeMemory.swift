// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Finds room in the host's memory for what EL2 hands it before it starts.
public struct FreeMemory {
  /// Ranges that can be marked as taken.
  public static var capacity: Int { 192 }

  private var taken: FixedList<192, AddressRange>

  /// Nothing is taken yet.
  ///
  /// - Parameter first: what is taken in any case, such as the EL2 image.
  public init(taken first: AddressRange) {
    taken = FixedList(filler: first)
    _ = taken.append(first)
  }

  /// Marks a range as taken; false where too many are.
  public mutating func take(_ range: AddressRange) -> Bool { taken.append(range) }

  /// The lowest free range of `size` bytes in `memory`, its base a multiple of `alignment` (a power
  /// of two); nil where there is none.
  public func find(size: UInt64, alignment: UInt64, in memory: Span<AddressRange>) -> AddressRange?
  {
    for index in memory.indices {
      if let found = find(size: size, alignment: alignment, in: memory[index]) { return found }
    }
    return nil
  }

  private func find(size: UInt64, alignment: UInt64, in memory: AddressRange) -> AddressRange? {
    var start = memory.base
    // Each round passes one taken range for good, so that there are at most as many rounds.
    for _ in 0...taken.count {
      guard let aligned = start.advanced(by: alignment - 1) else { return nil }
      let base = PhysicalAddress(aligned.rawValue & ~(alignment - 1))
      guard let candidate = AddressRange(base: base, size: size), memory.contains(candidate) else {
        return nil
      }
      guard let obstacle = firstTaken(overlapping: candidate) else { return candidate }
      guard let next = obstacle.last.advanced(by: 1) else { return nil }
      start = next
    }
    return nil
  }

  private func firstTaken(overlapping range: AddressRange) -> AddressRange? {
    for index in taken.indices where taken[index].overlaps(range) { return taken[index] }
    return nil
  }
}
