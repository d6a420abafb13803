// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU
import Testing

/// A field of a command or of an event record, by its bits among those of the whole.
struct QueueField<Entry: Sendable>: Sendable, CustomTestStringConvertible {
  let testDescription: String
  let high: Int
  let low: Int
  let get: @Sendable (Entry) -> UInt64

  init(_ name: String, _ high: Int, _ low: Int, _ get: @escaping @Sendable (Entry) -> UInt64) {
    testDescription = name
    self.high = high
    self.low = low
    self.get = get
  }

  init(_ name: String, _ bit: Int, _ get: @escaping @Sendable (Entry) -> Bool) {
    self.init(name, bit, bit) { get($0) ? 1 : 0 }
  }

  /// Reads the field from entries in which one bit alone is set; `make` sets bit n of a word.
  func check(bits: Int, _ make: (Int) -> Entry) {
    for bit in 0..<bits {
      let isInside = (low...high).contains(bit)
      let expected: UInt64 = isInside ? 1 << UInt64(bit - low) : 0
      let value = get(make(bit))
      #expect(value == expected, "bit \(bit)")
    }
  }
}

@Suite("Commands of an SMMUv3")
struct CommandTests {
  @Test("Every command has its number and name")
  func opcodes() {
    let expected: [(UInt8, String)] = [
      (0x01, "PREFETCH_CONFIG"), (0x02, "PREFETCH_ADDR"), (0x03, "CFGI_STE"),
      (0x04, "CFGI_STE_RANGE"), (0x05, "CFGI_CD"), (0x06, "CFGI_CD_ALL"), (0x07, "CFGI_VMS_PIDM"),
      (0x10, "TLBI_NH_ALL"), (0x11, "TLBI_NH_ASID"), (0x12, "TLBI_NH_VA"), (0x13, "TLBI_NH_VAA"),
      (0x18, "TLBI_EL3_ALL"), (0x1a, "TLBI_EL3_VA"), (0x20, "TLBI_EL2_ALL"),
      (0x21, "TLBI_EL2_ASID"), (0x22, "TLBI_EL2_VA"), (0x23, "TLBI_EL2_VAA"),
      (0x28, "TLBI_S12_VMALL"), (0x2a, "TLBI_S2_IPA"), (0x30, "TLBI_NSNH_ALL"), (0x40, "ATC_INV"),
      (0x41, "PRI_RESP"), (0x44, "RESUME"), (0x45, "STALL_TERM"), (0x46, "SYNC"),
      (0x50, "TLBI_S_EL2_ALL"), (0x51, "TLBI_S_EL2_ASID"), (0x52, "TLBI_S_EL2_VA"),
      (0x53, "TLBI_S_EL2_VAA"), (0x58, "TLBI_S_S12_VMALL"), (0x5a, "TLBI_S_S2_IPA"),
      (0x60, "TLBI_SNH_ALL"), (0x70, "DPTI_ALL"), (0x73, "DPTI_PA"),
    ]
    let all = (UInt8.min...(.max)).compactMap { SMMUOpcode(rawValue: $0)?.rawValue }
    #expect(all == expected.map(\.0))
    for (number, name) in expected {
      let opcode = SMMUCommand(0xffff_ffff_ffff_ff00 | UInt64(number)).opcode
      #expect(opcode?.rawValue == number && "\(opcode?.name ?? "none")" == "CMD_" + name)
    }
    for number in UInt8.min...(.max) where !expected.contains(where: { $0.0 == number }) {
      #expect(SMMUCommand(UInt64(number)).opcode == nil)
      #expect(SMMUCommand(UInt64(number)).number == number)
    }
  }

  static let everyField: [QueueField<SMMUCommand>] = [
    .init("SSec", 10, \.isSecure), .init("SSV", 11, \.hasSubstream),
    .init("SubstreamID", 31, 12) { UInt64($0.substream.rawValue) },
    .init("StreamID", 63, 32) { UInt64($0.stream.rawValue) },
    .init("Leaf", 64, \.isLeaf), .init("Range", 68, 64, \.streamRange),
    .init("VMID", 47, 32) { UInt64($0.vmid.rawValue) },
    .init("ASID", 63, 48) { UInt64($0.asid.rawValue) },
    .init("NUM", 16, 12, \.rangeCount), .init("SCALE", 24, 20, \.rangeScale),
    .init("TTL", 73, 72, \.levelHint), .init("TG", 75, 74, \.granule),
    .init("Address", 127, 76) { $0.address >> 12 },
    .init("Size", 69, 64, \.invalidationSize), .init("G", 9, \.isGlobal),
    .init("PRGIndex", 72, 64, \.requestGroup), .init("Ac", 12, \.retries),
    .init("Ab", 13, \.aborts), .init("STAG", 79, 64, \.stallTag),
    .init("MSIAttr", 27, 24, \.messageType),
    .init("MSIData", 63, 32) { UInt64($0.messageData) },
    .init("MSIAddress", 115, 66) { $0.messageAddress >> 2 },
  ]

  @Test("A field of a command has its bits, and no others", arguments: everyField)
  func fields(field: QueueField<SMMUCommand>) {
    field.check(bits: 128) { bit in
      SMMUCommand(bit < 64 ? 1 << UInt64(bit) : 0, bit < 64 ? 0 : 1 << UInt64(bit - 64))
    }
  }

  @Test("Fields of few values")
  func values() {
    #expect(SMMUCommand(0x0046).completion == SMMUCommand.Completion.none)
    #expect(SMMUCommand(0x1046).completion == .interrupt)
    #expect(SMMUCommand(0x2046).completion == .event && SMMUCommand(0x3046).completion == nil)
    #expect(SMMUCommand(0x00c0_0046).messageShareability == .inner)
    #expect(SMMUCommand(0x0080_0046).messageShareability == .outer)
    #expect(SMMUCommand(0x0040_0046).messageShareability == nil)
    #expect(SMMUCommand(0x41, 0x0000).pageResponse == .failure)
    #expect(SMMUCommand(0x41, 0x1000).pageResponse == .invalid)
    #expect(SMMUCommand(0x41, 0x2000).pageResponse == .success)
    #expect(SMMUCommand(0x41, 0x3000).pageResponse == nil)
    #expect(SMMUCommand(0x04, 31).isWholeRange && !SMMUCommand(0x04, 30).isWholeRange)
  }

  @Test("What a hypervisor issues, as computed by hand")
  func built() {
    let stream = StreamID(0xdead_beef)
    let built: [(SMMUCommand, UInt64, UInt64)] = [
      (.invalidateEntry(stream, leaf: true), 0xdead_beef_0000_0003, 1),
      (.invalidateEntry(stream, leaf: false), 0xdead_beef_0000_0003, 0),
      (.invalidateEntries(stream, range: 7), 0xdead_beef_0000_0004, 7),
      (.invalidateEntries(stream, range: .max), 0xdead_beef_0000_0004, 31),
      (.invalidateConfiguration, 0x04, 31), (.invalidateAll, 0x30, 0),
      (.invalidateBothStages(VMID(0x1234)), 0x1234_0000_0028, 0),
      (.invalidateStage1(VMID(0xffff)), 0xffff_0000_0010, 0),
      (
        .invalidateStage2(VMID(2), address: .max, leaf: true), 0x2_0000_002a, 0x000f_ffff_ffff_f001
      ),
      (.invalidateStage2(VMID(0), address: 0x4444_5000, leaf: false), 0x2a, 0x4444_5000),
      (
        .invalidateStage2(VMID(1), address: 0x4000_0000, count: 3, scale: 9, leaf: true),
        0x1_0090_302a, 0x4000_0401
      ),
      (
        .invalidateStage2(VMID(0), address: 0, count: .max, scale: .max, leaf: false),
        0x01f1_f02a, 0x400
      ),
      (.synchronise, 0x46, 0),
    ]
    for (command, word0, word1) in built {
      #expect(command == SMMUCommand(word0, word1), "\(command)")
    }
    let range = SMMUCommand.invalidateStage2(
      VMID(1), address: 0x4000_0000, count: 3, scale: 9, leaf: true)
    #expect(range.rangeCount == 3 && range.rangeScale == 9 && range.granule == 1 && range.isLeaf)
    #expect(range.opcode == .invalidateStage2Address && range.vmid == VMID(1))
  }
}
