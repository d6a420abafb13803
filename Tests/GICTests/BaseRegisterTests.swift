// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import Testing

extension Every {
  static let bases: [(TablePageSize, UInt64, UInt64)] = [
    (.kib4, 0xedcb_a987_6000, 0xedcb_a987_6000),
    (.kib16, 0xedcb_a987_4000, 0xedcb_a987_4000),
    (.kib64, 0xedcb_a987_0000, 0xedcb_a987_0000),
    (.kib64, 0x000f_edcb_a987_0000, 0xedcb_a987_f000),
    (.kib64, 0x0008_0000_0001_0000, 0x0000_0001_8000),
  ]

  static let shareability: [(UInt64, Bool)] = [(0, false), (1, true), (2, true), (3, false)]
}

@Suite("GITS_CBASER, GITS_BASER<n>, and the pointers of the queue")
struct BaseRegisterTests {
  @Test("GITS_CBASER holds an address of 52 bits and 1 to 256 pages", arguments: [1, 2, 16, 256])
  func commandBase(pages: UInt64) {
    let base: UInt64 = 0x000f_edcb_a987_6000
    let register = GITSCommandBase(
      base: base, pages: pages, attributes: MemoryAttributes.coherent)
    #expect(register.isValid && register.base == base && register.size == pages * 4096)
    #expect(register.attributes == MemoryAttributes.coherent)
    #expect(register.rawValue & ~GITSCommandBase.writable == 0)
  }

  @Test("What doesn't belong in GITS_CBASER is left out")
  func commandBaseConfined() {
    let register = GITSCommandBase(base: .max, pages: 1, attributes: .max)
    #expect(register.rawValue == 0xb8ef_ffff_ffff_fc00)
    #expect(register.base == 0x000f_ffff_ffff_f000 && register.size == 4096)
    #expect(GITSCommandBase.writable == 0xb8ef_ffff_ffff_fcff)
    #expect(!GITSCommandBase(rawValue: 0).isValid)
  }

  @Test(
    "An address folds into GITS_BASER<n> as the page size asks, and unfolds", arguments: Every.bases
  )
  func folding(pageSize: TablePageSize, base: UInt64, field: UInt64) {
    for isIndirect in [false, true] {
      let register = GITSTableBase(
        base: base, pages: 3, pageSize: pageSize, isIndirect: isIndirect,
        attributes: MemoryAttributes.nonCacheable)
      #expect(register.rawValue & 0xffff_ffff_f000 == field)
      #expect(register.base == base && register.pageSize == pageSize && register.pages == 3)
      #expect(register.isValid && register.isIndirect == isIndirect)
      #expect(register.size == 3 * pageSize.bytes)
      #expect(register.rawValue & GITSTableBase.fixed == 0)
      #expect(register.attributes == MemoryAttributes.nonCacheable)
    }
  }

  @Test("Bits above [47:0] don't reach another field with pages below 64 KiB")
  func narrow() {
    let register = GITSTableBase(
      base: 0x000f_0000_0000_1000, pages: 1, pageSize: .kib4, isIndirect: false, attributes: 0)
    #expect(register.base == 0x1000)
    #expect(register.rawValue == 1 << 63 as UInt64 | 0x1000)
  }

  @Test("The reserved page size is as 64 KiB, and reserved types are as none")
  func reserved() {
    let register = GITSTableBase(rawValue: 0b11 << 8 | 0x1234_5678_9000 | 3 << 56)
    #expect(register.pageSize == .kib64 && register.base == 0x0009_1234_5678_0000)
    #expect(register.kind == .none)
    let kinds = (0..<8).map { GITSTableBase(rawValue: $0 << 56).kind }
    #expect(kinds == [.none, .devices, .vpes, .none, .collections, .none, .none, .none])
  }

  @Test("The capacity is what fits: entries of a direct table, of all pages of an indirect one")
  func capacity() {
    func capacity(_ pages: UInt64, _ size: TablePageSize, _ indirect: Bool, _ entry: UInt64)
      -> UInt64
    {
      let base = GITSTableBase(
        base: 0, pages: pages, pageSize: size, isIndirect: indirect, attributes: 0)
      return GITSTableBase(rawValue: base.rawValue | (entry - 1) << 48).capacity
    }
    #expect(capacity(1, .kib4, false, 8) == 512)
    #expect(capacity(2, .kib16, false, 12) == 2730)
    #expect(capacity(1, .kib4, true, 8) == 512 * 512)
    #expect(capacity(256, .kib64, true, 8) == 1 << 34)
    #expect(capacity(1, .kib64, true, 12) == 8192 * 5461)
    #expect(capacity(1, .kib4, true, 32) == 512 * 128)
  }

  @Test("An entry of the first level holds bits [51:12] of its page")
  func firstLevel() {
    let entry = TableFirstLevelEntry(page: .max)
    #expect(entry.rawValue == 0x800f_ffff_ffff_f000 && entry.isValid)
    #expect(entry.page == 0x000f_ffff_ffff_f000)
    #expect(!TableFirstLevelEntry(rawValue: .max >> 1).isValid)
  }

  @Test("A pointer of the queue is a multiple of 32 below 1 MiB, and a flag")
  func pointer() {
    let pointer = GITSQueuePointer(offset: .max, flag: true)
    #expect(pointer.rawValue == 0xf_ffe1 && pointer.offset == 0xf_ffe0)
    #expect(pointer.isRetry && pointer.isStalled)
    #expect(GITSQueuePointer(offset: 0x1234).rawValue == 0x1220)
    #expect(GITSQueuePointer(rawValue: .max).offset == 0xf_ffe0)
  }

  @Test("Coherent is what is shareable and cacheable", arguments: Every.shareability)
  func coherence(share: UInt64, isShareable: Bool) {
    for cache in 0..<8 as Range<UInt64> {
      #expect(
        MemoryAttributes.isCoherent(share << 10 | cache << 59) == (isShareable && cache > 1))
    }
    #expect(MemoryAttributes.isCoherent(MemoryAttributes.coherent))
    #expect(!MemoryAttributes.isCoherent(MemoryAttributes.nonCacheable))
  }
}

@Suite("What an ITS and a Redistributor say of themselves")
struct TyperTests {
  @Test("GITS_TYPER without virtual LPIs keeps all that isn't about them")
  func withoutVirtualLPIs() {
    let all = GITSTyper(rawValue: .max).withoutVirtualLPIs
    #expect(!all.hasVirtualLPIs && !all.movesVPEsAlone && !all.hasGICv41)
    #expect(all.hasPhysicalLPIs && all.targetsAreAddresses && all.hardwareCollections == 255)
    #expect(all.deviceIDBits == 32 && all.eventIDBits == 32 && all.translationEntrySize == 16)
    #expect(all.collectionIDBits == 16)
    #expect(all.rawValue.nonzeroBitCount == 64 - 7)
  }

  @Test("Without CIL a collection ID has 16 bits, whatever CIDbits says")
  func collectionIDBits() {
    #expect(GITSTyper(rawValue: 7 << 32).collectionIDBits == 16)
    #expect(GITSTyper(rawValue: 1 << 36 | 7 << 32).collectionIDBits == 8)
    #expect(GITSTyper(rawValue: 1 << 36).collectionIDBits == 1)
  }

  @Test("The fields of GICR_TYPER decode, and VLPIS doubles the frames")
  func redistributor() {
    let typer = GICRTyper(rawValue: 0x8102_0304_0212_3419)
    #expect(typer.affinity == 0x8102_0304 && typer.processorNumber == 0x1234)
    #expect(typer.commonLPIAffinity == 2 && typer.isLast && typer.hasDirectLPIs)
    #expect(typer.hasPhysicalLPIs && !typer.hasVirtualLPIs && typer.size == 0x2_0000)
    let virtual = GICRTyper(rawValue: 0b10)
    #expect(virtual.hasVirtualLPIs && virtual.size == 0x4_0000)
    #expect(!virtual.hasPhysicalLPIs && !virtual.isLast)
  }
}
