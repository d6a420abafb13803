// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing
import UEFI

@Suite struct FirmwareOfferTests {
  private static let base: UInt64 = 0x4200_0000
  /// A header as the application writes it; parts follow one another.
  private static let usual: [FirmwareOffer.Word: UInt64] = [
    .mapOffset: 0x8000, .mapSize: 0x1000, .descriptorSize: 48, .optionsOffset: 0x9000,
    .optionsSize: 8, .descriptionOffset: 0xa000, .descriptionSize: 0x1000, .hostOffset: 0xb000,
    .hostSize: 0x1000, .memoryBase: 0x4600_0000, .memorySize: 0x20_0000,
  ]

  private func read(
    _ change: [FirmwareOffer.Word: UInt64] = [:], base: UInt64 = base, size: UInt64 = 0xc000
  ) throws -> FirmwareOffer? {
    let words = Self.usual.merging(change) { $1 }
    let block = try #require(AddressRange(base: PhysicalAddress(base), size: size))
    return FirmwareOffer(block) { address in
      FirmwareOffer.Word(rawValue: (address.rawValue &- base) / 8).flatMap { words[$0] } ?? 0
    }
  }

  @Test func hasItsPartsWhereTheHeaderSays() throws {
    let offer = try #require(try read())
    #expect(offer.map == AddressRange(base: PhysicalAddress(0x4200_8000), size: 0x1000))
    #expect(offer.options == AddressRange(base: PhysicalAddress(0x4200_9000), size: 8))
    #expect(offer.description == AddressRange(base: PhysicalAddress(0x4200_a000), size: 0x1000))
    #expect(offer.host == AddressRange(base: PhysicalAddress(0x4200_b000), size: 0x1000))
    #expect(offer.memory == AddressRange(base: PhysicalAddress(0x4600_0000), size: 0x20_0000))
    #expect(offer.descriptorSize == 48)
    #expect(try #require(try read([.optionsSize: 0])).options == nil)
  }

  @Test(
    arguments: [
      (.mapOffset, .mapSize), (.descriptionOffset, .descriptionSize), (.hostOffset, .hostSize),
    ] as [(FirmwareOffer.Word, FirmwareOffer.Word)])
  func refusesAPartOutsideTheBlock(offset: FirmwareOffer.Word, size: FirmwareOffer.Word) throws {
    // The header and the text are no part, and neither is what lies behind the block.
    #expect(try read([offset: 0x7fff]) == nil)
    #expect(try read([offset: 0xbfff, size: 1]) != nil)
    #expect(try read([offset: 0xbfff, size: 2]) == nil)
    #expect(try read([offset: 0xc000, size: 1]) == nil)
    #expect(try read([offset: .max, size: 1]) == nil)
    #expect(try read([size: .max]) == nil)
    #expect(try read([size: 0]) == nil)
  }

  @Test func refusesABlockThatIsNotWholePages() throws {
    #expect(try read(base: Self.base + 8) == nil)
    #expect(try read([.memorySize: 0]) == nil)
  }
}
