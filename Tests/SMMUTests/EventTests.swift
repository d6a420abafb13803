// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU
import Testing

@Suite("Events of an SMMUv3")
struct EventTests {
  static let types: [(UInt8, String)] = [
    (0x01, "F_UUT"), (0x02, "C_BAD_STREAMID"), (0x03, "F_STE_FETCH"), (0x04, "C_BAD_STE"),
    (0x05, "F_BAD_ATS_TREQ"), (0x06, "F_STREAM_DISABLED"), (0x07, "F_TRANSL_FORBIDDEN"),
    (0x08, "C_BAD_SUBSTREAMID"), (0x09, "F_CD_FETCH"), (0x0a, "C_BAD_CD"), (0x0b, "F_WALK_EABT"),
    (0x10, "F_TRANSLATION"), (0x11, "F_ADDR_SIZE"), (0x12, "F_ACCESS"), (0x13, "F_PERMISSION"),
    (0x20, "F_TLB_CONFLICT"), (0x21, "F_CFG_CONFLICT"), (0x24, "E_PAGE_REQUEST"),
    (0x25, "F_VMS_FETCH"),
  ]

  @Test("Every event has its number and name")
  func numbers() {
    let all = (UInt8.min...(.max)).compactMap { SMMUEventType(rawValue: $0)?.rawValue }
    #expect(all == Self.types.map(\.0))
    for (number, name) in Self.types {
      let type = SMMUEvent(0xffff_ffff_ffff_ff00 | UInt64(number)).type
      #expect("\(type?.name ?? "none")" == name)
    }
    for number in UInt8.min...(.max) where !Self.types.contains(where: { $0.0 == number }) {
      #expect(SMMUEvent(UInt64(number)).type == nil && SMMUEvent(UInt64(number)).number == number)
    }
  }

  static let everyField: [QueueField<SMMUEvent>] = [
    .init("StreamID", 63, 32) { UInt64($0.stream.rawValue) },
    .init("Reason", 79, 64, \.reason), .init("STAG", 79, 64, \.stallTag),
    .init("Stall", 95, \.isStalled), .init("PnU", 97, \.isPrivileged),
    .init("InD", 98, \.isInstruction), .init("RnW", 99, \.isRead),
    .init("S2", 103, \.isStage2),
  ]

  @Test("A field of a record has its bits, and no others", arguments: everyField)
  func fields(field: QueueField<SMMUEvent>) {
    field.check(bits: 256) { bit in
      let words = (0..<4).map { bit / 64 == $0 ? UInt64(1) << UInt64(bit % 64) : 0 }
      return SMMUEvent(words[0], words[1], words[2], words[3])
    }
  }

  @Test("CLASS tells what was read, but for its reserved value")
  func accessClass() {
    #expect(SMMUEvent(0x10, 0x000 << 32).accessClass == .context)
    #expect(SMMUEvent(0x10, 0x100 << 32).accessClass == .table)
    #expect(SMMUEvent(0x10, 0x200 << 32).accessClass == .input)
    #expect(SMMUEvent(0x10, 0x300 << 32).accessClass == nil)
  }

  @Test("A SubstreamID counts only with SSV")
  func substream() {
    #expect(SMMUEvent(0xffff_f010).substream == nil)
    #expect(SMMUEvent(0xffff_f810).substream == SubstreamID(0xf_ffff))
    #expect(SMMUEvent(0x0000_1810).substream?.rawValue == 1)
  }

  @Test("A write of a device to a claimed page, as an SMMU records it")
  func refusedWrite() {
    // F_TRANSLATION of stream 0x18: stage 2, class IN, a write, address 0x40080008.
    let event = SMMUEvent(0x18_0000_0010, 0x280_0000_0000, 0x4008_0008, 0x4008_0000)
    #expect(event.type == .translation && event.stream == StreamID(0x18))
    #expect(event.isStage2 && !event.isRead && !event.isStalled && event.accessClass == .input)
    let input = event.inputAddress
    #expect(input == 0x4008_0008)
    let refused = event.intermediateAddress
    #expect(refused == 0x4008_0000)
    #expect(event.fetchAddress == nil && event.substream == nil)
  }

  @Test("An address is told only where the type has it", arguments: Self.types)
  func addresses(number: UInt8, name: String) {
    let event = SMMUEvent(UInt64(number), 1 << 39, .max, .max)
    let withInput = [
      "F_UUT", "F_BAD_ATS_TREQ", "F_TRANSL_FORBIDDEN", "F_WALK_EABT", "F_TRANSLATION",
      "F_ADDR_SIZE",
      "F_ACCESS", "F_PERMISSION", "F_TLB_CONFLICT", "E_PAGE_REQUEST",
    ]
    let withFetch = ["F_STE_FETCH", "F_CD_FETCH", "F_WALK_EABT", "F_VMS_FETCH"]
    let withIntermediate = ["F_TRANSLATION", "F_ADDR_SIZE", "F_ACCESS", "F_PERMISSION"]
    #expect(event.inputAddress == (withInput.contains(name) ? .max : nil))
    #expect(event.fetchAddress == (withFetch.contains(name) ? 0x000f_ffff_ffff_fff8 : nil))
    #expect(
      event.intermediateAddress == (withIntermediate.contains(name) ? 0x000f_ffff_ffff_f000 : nil))
    let stage1 = SMMUEvent(UInt64(number), 0, .max, .max)
    #expect(stage1.intermediateAddress == nil)
    #expect(event.type?.hasAccess == (withIntermediate + ["F_WALK_EABT"]).contains(name))
  }
}

@Suite("Numbers of an SMMUv3")
struct NumberTests {
  @Test("A SubstreamID has 20 bits, and streams have an order")
  func identifiers() {
    #expect(SubstreamID(.max).rawValue == 0xf_ffff)
    #expect(StreamID(1) < StreamID(2) && !(StreamID(2) < StreamID(2)))
    #expect(SMMUAddressSize.bits40 < .bits48)
    #expect(SMMUAddressSize.bits52.bits == 52)
  }
}
