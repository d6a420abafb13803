// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the application of UEFI hands to EL2 beside the CPU: one block of memory, which begins with the places of its
/// parts, and which the host has again afterwards.
///
///     0            header: 16 words, little-endian
///     0x1000       the text that EL2 leaves, each line ended by CR LF
///     0x8000       the firmware's memory map, the options, the description of the board, room for the host's
public struct FirmwareOffer: Equatable, Sendable {
  /// The bytes of the header.
  public static var headerSize: UInt64 { 128 }
  /// How far the text lies behind the beginning of the block.
  public static var textOffset: UInt64 { 0x1000 }
  /// How far what follows the text lies behind the beginning of the block: a board has lines for 256 masters at most.
  public static var partsOffset: UInt64 { 0x8000 }

  /// A word of the header.
  public enum Word: UInt64, Sendable {
    case mapOffset, mapSize, descriptorSize
    case optionsOffset, optionsSize
    case descriptionOffset, descriptionSize
    case hostOffset, hostSize
    case memoryBase, memorySize
    /// How many bytes of text there are; EL2 counts.
    case textUsed
    /// How many bytes of the host's description EL2 has written; 0: the host keeps its own.
    case hostUsed

    /// How far it lies behind the beginning of the block.
    public var offset: UInt64 { 8 * rawValue }
  }

  /// All of it, whole pages.
  public let block: AddressRange
  /// The memory map.
  public let map: AddressRange
  /// The bytes of one of its descriptors.
  public let descriptorSize: UInt64
  /// The options, bytes of ASCII; nil for none.
  public let options: AddressRange?
  /// What describes the board.
  public let description: AddressRange
  /// Room for what describes it to the host.
  public let host: AddressRange
  /// Memory beside the image that is EL2's from now on.
  public let memory: AddressRange

  /// Reads the header of a block; nil where a part is not inside.
  public init?(_ block: AddressRange, word: (PhysicalAddress) -> UInt64) {
    func load(_ name: Word) -> UInt64 {
      word(PhysicalAddress(block.base.rawValue &+ name.offset))
    }
    func part(_ offset: Word, _ size: Word) -> AddressRange? {
      let offset = load(offset)
      guard offset >= Self.partsOffset, offset < block.size,
        let range = AddressRange(
          base: PhysicalAddress(block.base.rawValue + offset), size: load(size)),
        block.contains(range)
      else { return nil }
      return range
    }
    guard block.base.isAligned(to: PageFrameNumber.size), block.size >= Self.partsOffset,
      let map = part(.mapOffset, .mapSize), let host = part(.hostOffset, .hostSize),
      let description = part(.descriptionOffset, .descriptionSize),
      let memory = AddressRange(base: PhysicalAddress(load(.memoryBase)), size: load(.memorySize))
    else { return nil }
    self.block = block
    self.map = map
    descriptorSize = load(.descriptorSize)
    options = part(.optionsOffset, .optionsSize)
    self.description = description
    self.host = host
    self.memory = memory
  }
}
