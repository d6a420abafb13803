// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing
import UEFI

@Suite struct FirmwareMemoryMapTests {
  private struct Descriptor {
    var type: UInt64
    var base: UInt64
    var pages: UInt64
    var attributes: UInt64 = 8
  }

  private func bytes(_ descriptors: [Descriptor], size: Int = 48) -> [UInt8] {
    descriptors.flatMap { descriptor -> [UInt8] in
      let words = [descriptor.type, descriptor.base, 0, descriptor.pages, descriptor.attributes]
      let bytes = words.flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
      }
      return bytes + [UInt8](repeating: 0xaa, count: size - 40)
    }
  }

  private func ranges(
    _ descriptors: [Descriptor], _ kind: FirmwareMemoryMap.Kind? = nil, size: Int = 48
  ) -> [[UInt64]] {
    let bytes = bytes(descriptors, size: size)
    var found: [[UInt64]] = []
    guard let map = FirmwareMemoryMap(bytes.span, descriptorSize: size) else { return [[]] }
    map.forEach(kind) { found.append([$0.base.rawValue, $0.size]) }
    return found
  }

  @Test func joinsWhatTouchesInAnyOrder() {
    let descriptors = [
      Descriptor(type: 7, base: 0x4010_0000, pages: 0x100),
      Descriptor(type: 4, base: 0x4000_0000, pages: 0x100),
      Descriptor(type: 11, base: 0x900_0000, pages: 1, attributes: 1),
      Descriptor(type: 0, base: 0x4020_0000, pages: 0x10),
      Descriptor(type: 7, base: 0x5000_0000, pages: 1),
    ]
    #expect(ranges(descriptors) == [[0x4000_0000, 0x21_0000], [0x5000_0000, 0x1000]])
    #expect(ranges(descriptors, .reserved) == [[0x4020_0000, 0x1_0000]])
    #expect(ranges(descriptors, .memory) == [[0x4000_0000, 0x20_0000], [0x5000_0000, 0x1000]])
    #expect(ranges(descriptors, size: 40) == ranges(descriptors))
  }

  @Test(arguments: 0...16 as ClosedRange<UInt64>)
  func knowsTheTypes(type: UInt64) {
    let found = ranges([Descriptor(type: type, base: 0x4000_0000, pages: 1)], .memory)
    #expect(found.count == ([1, 2, 3, 4, 5, 6, 7, 9, 10, 14].contains(type) ? 1 : 0))
  }

  @Test(arguments: [0, 8, 13, 15, 16, 0x7000_0000, 0x8000_0001, 0xffff_ffff])
  func reservedThatIsNotCacheableIsNoMemory(type: UInt64) {
    #expect(ranges([Descriptor(type: type, base: 0, pages: 1, attributes: 1)]).isEmpty)
    #expect(
      ranges([Descriptor(type: type, base: 0, pages: 1, attributes: 8)], .reserved)
        == [[0, 0x1000]])
  }

  @Test(arguments: [11, 12])
  func registersAreNoMemory(type: UInt64) {
    #expect(ranges([Descriptor(type: type, base: 0, pages: 1, attributes: 8)]).isEmpty)
  }

  /// A type has 32 bits; what fills the word up is not the firmware's to clear.
  @Test func takesNoPaddingForTheType() {
    let padded = Descriptor(type: 0xaaaa_aaaa_0000_0007, base: 0x1000, pages: 1)
    #expect(ranges([padded]) == [[0x1000, 0x1000]])
  }

  @Test func leavesOutWhatIsBroken() {
    let last = UInt64.max & ~0xfff
    #expect(ranges([Descriptor(type: 7, base: last, pages: 2)]).isEmpty)
    #expect(ranges([Descriptor(type: 7, base: last, pages: 1)]) == [[last, 0x1000]])
    #expect(ranges([Descriptor(type: 7, base: 0, pages: 0)]).isEmpty)
    #expect(ranges([Descriptor(type: 7, base: 0, pages: 1 << 52)]).isEmpty)
    // A count whose bytes are as many as a page's, but for 64 bits.
    #expect(ranges([Descriptor(type: 7, base: 0, pages: 1 << 52 + 1)]).isEmpty)
    // Behind the last address comes none.
    let ends = [
      Descriptor(type: 7, base: last, pages: 1), Descriptor(type: 7, base: 0x1000, pages: 1),
      Descriptor(type: 7, base: 0x1000, pages: 1),
    ]
    #expect(ranges(ends) == [[0x1000, 0x1000], [last, 0x1000]])
    // What overlaps is told once.
    let twice = [
      Descriptor(type: 7, base: 0x1000, pages: 4), Descriptor(type: 7, base: 0x2000, pages: 4),
    ]
    #expect(ranges(twice) == [[0x1000, 0x5000]])
  }

  @Test func refusesSizesOfNoDescriptor() {
    let bytes = [UInt8](repeating: 0, count: 1025 * 40)
    func isRead(_ count: Int, _ size: Int) -> Bool {
      if let _ = FirmwareMemoryMap(bytes.span.extracting(0..<count), descriptorSize: size) {
        return true
      }
      return false
    }
    #expect(isRead(1024 * 40, 40))
    #expect(!isRead(1025 * 40, 40))
    #expect(!isRead(320, 32))
    #expect(!isRead(440, 44))
  }

  @Test func knowsWhatIsMemory() throws {
    let bytes = bytes([
      Descriptor(type: 7, base: 0x3000, pages: 1), Descriptor(type: 0, base: 0x1000, pages: 2),
    ])
    guard let map = FirmwareMemoryMap(bytes.span, descriptorSize: 48) else {
      Issue.record("not read")
      return
    }
    func range(_ base: UInt64, _ size: UInt64) throws -> AddressRange {
      try #require(AddressRange(base: PhysicalAddress(base), size: size))
    }
    let whole = [
      map.isMemory(try range(0x1000, 0x3000)), map.isMemory(try range(0x1000, 0x3001)),
      map.isMemory(try range(0xfff, 8)),
    ]
    #expect(whole == [true, false, false])
    let touched = [map.touchesMemory(try range(0xfff, 8)), map.touchesMemory(try range(0x4000, 8))]
    #expect(touched == [true, false])
  }
}
