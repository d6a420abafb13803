// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Finds room in the host's memory for what EL2 hands it before it starts.
///
/// Address 0 is never handed out: programs take it for nothing, Linux a tree there for no tree.
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

  /// The lowest free range of `size` bytes in `memory`; nil where there is none.
  ///
  /// - Parameters:
  ///   - alignment: a power of two.
  ///   - offset: by how many bytes the base is above a multiple of `alignment`.
  ///   - lowest: the base is here or above.
  public func find(
    size: UInt64, alignment: UInt64, offset: UInt64 = 0, from lowest: PhysicalAddress? = nil,
    in memory: Span<AddressRange>
  ) -> AddressRange? {
    for index in memory.indices {
      var start = max(memory[index].base, PhysicalAddress(1))
      if let lowest { start = max(start, lowest) }
      let found = find(
        size: size, alignment: alignment, offset: offset, from: start, in: memory[index])
      if let found { return found }
    }
    return nil
  }

  /// A free range of `size` bytes for what a host reads behind its own `image`: in the same piece of memory and
  /// as far above the image as there is room, up to 64 MiB, else anywhere in `pieces`.
  ///
  /// A host may take more memory behind its image than the image says, and hosts assert that the tree is above
  /// them.
  public func find(
    size: UInt64, alignment: UInt64, above image: AddressRange, in pieces: Span<AddressRange>
  ) -> AddressRange? {
    for index in pieces.indices where pieces[index].contains(image) {
      let piece = pieces.extracting(index..<(index + 1))
      var distance: UInt64 = 64 << 20
      while distance > 0 {
        if let lowest = image.last.advanced(by: distance),
          let found = find(size: size, alignment: alignment, from: lowest, in: piece)
        {
          return found
        }
        distance >>= 1
      }
    }
    return find(size: size, alignment: alignment, in: pieces)
  }

  private func find(
    size: UInt64, alignment: UInt64, offset: UInt64, from lowest: PhysicalAddress,
    in memory: AddressRange
  ) -> AddressRange? {
    var start = lowest
    // Each round passes one taken range for good, so that there are at most as many rounds.
    for _ in 0...taken.count {
      let distance = (offset &- start.rawValue) & (alignment - 1)
      guard let base = start.advanced(by: distance),
        let candidate = AddressRange(base: base, size: size), memory.contains(candidate)
      else { return nil }
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
