// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Memory of the hypervisor that holds a known pattern, for attack tests to aim at.
///
/// Every word differs from every other, so that content that was moved is seen too. Nothing in it
/// means anything to a device: bits [0] and [63], which mark an entry of a table as valid, are clear.
public struct Canary: Sendable {
  /// Where it lies; base and size are multiples of 8.
  public let range: AddressRange

  /// What a check has found.
  public struct Damage: Hashable, Sendable {
    /// How many 64-bit words did not hold the pattern.
    public let words: UInt64
    /// The address of the first of them; 0 where there is none.
    public let first: UInt64
  }

  /// Takes the memory, whose content stays what it is until it is filled.
  public init(range: AddressRange) { self.range = range }

  /// The pattern of the word at `offset` bytes.
  static func pattern(at offset: UInt64) -> UInt64 { 0x4341_4e41_5259_0000 | offset >> 2 & 0xfffe }

  /// Writes the pattern.
  public func fill(_ memory: borrowing some TableMemory) {
    for offset in stride(from: UInt64(0), to: range.size, by: 8) {
      memory.store(Self.pattern(at: offset), at: address(offset))
    }
    memory.publishTables()
  }

  /// Compares every word with the pattern, and writes the pattern where it differs.
  ///
  /// A device that is still writing meanwhile is seen by this check or by the next one.
  public func restore(_ memory: borrowing some TableMemory) -> Damage {
    var words: UInt64 = 0
    var first: UInt64 = 0
    for offset in stride(from: UInt64(0), to: range.size, by: 8)
    where memory.load(address(offset)) != Self.pattern(at: offset) {
      if words == 0 { first = address(offset).rawValue }
      words &+= 1
      memory.store(Self.pattern(at: offset), at: address(offset))
    }
    memory.publishTables()
    return Damage(words: words, first: first)
  }

  private func address(_ offset: UInt64) -> PhysicalAddress {
    PhysicalAddress(range.base.rawValue &+ offset)
  }
}
