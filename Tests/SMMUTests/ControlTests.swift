// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU
import Testing

@Suite("Registers that control an SMMUv3")
struct ControlTests {
  /// Every register, by offset.
  static let registers = (0..<SMMURegister.frameSize).compactMap { SMMURegister(rawValue: $0) }

  @Test("Every register is where the map of the specification has it, with its size and name")
  func map() {
    let expected: [(SMMURegister, UInt64, UInt64, String)] = [
      (.identification0, 0x00, 4, "SMMU_IDR0"), (.identification1, 0x04, 4, "SMMU_IDR1"),
      (.identification2, 0x08, 4, "SMMU_IDR2"), (.identification3, 0x0c, 4, "SMMU_IDR3"),
      (.identification4, 0x10, 4, "SMMU_IDR4"), (.identification5, 0x14, 4, "SMMU_IDR5"),
      (.implementer, 0x18, 4, "SMMU_IIDR"), (.architecture, 0x1c, 4, "SMMU_AIDR"),
      (.control0, 0x20, 4, "SMMU_CR0"), (.control0Acknowledged, 0x24, 4, "SMMU_CR0ACK"),
      (.control1, 0x28, 4, "SMMU_CR1"), (.control2, 0x2c, 4, "SMMU_CR2"),
      (.status, 0x40, 4, "SMMU_STATUSR"), (.globalBypass, 0x44, 4, "SMMU_GBPA"),
      (.alternateGlobalBypass, 0x48, 4, "SMMU_AGBPA"),
      (.interruptControl, 0x50, 4, "SMMU_IRQ_CTRL"),
      (.interruptControlAcknowledged, 0x54, 4, "SMMU_IRQ_CTRLACK"),
      (.globalError, 0x60, 4, "SMMU_GERROR"), (.globalErrorAcknowledged, 0x64, 4, "SMMU_GERRORN"),
      (.globalErrorInterrupt0, 0x68, 8, "SMMU_GERROR_IRQ_CFG0"),
      (.globalErrorInterrupt1, 0x70, 4, "SMMU_GERROR_IRQ_CFG1"),
      (.globalErrorInterrupt2, 0x74, 4, "SMMU_GERROR_IRQ_CFG2"),
      (.streamTableBase, 0x80, 8, "SMMU_STRTAB_BASE"),
      (.streamTableBaseConfiguration, 0x88, 4, "SMMU_STRTAB_BASE_CFG"),
      (.commandQueueBase, 0x90, 8, "SMMU_CMDQ_BASE"),
      (.commandQueueProduced, 0x98, 4, "SMMU_CMDQ_PROD"),
      (.commandQueueConsumed, 0x9c, 4, "SMMU_CMDQ_CONS"),
      (.eventQueueBase, 0xa0, 8, "SMMU_EVENTQ_BASE"),
      (.eventQueueInterrupt0, 0xb0, 8, "SMMU_EVENTQ_IRQ_CFG0"),
      (.eventQueueInterrupt1, 0xb8, 4, "SMMU_EVENTQ_IRQ_CFG1"),
      (.eventQueueInterrupt2, 0xbc, 4, "SMMU_EVENTQ_IRQ_CFG2"),
      (.requestQueueBase, 0xc0, 8, "SMMU_PRIQ_BASE"),
      (.requestQueueInterrupt0, 0xd0, 8, "SMMU_PRIQ_IRQ_CFG0"),
      (.requestQueueInterrupt1, 0xd8, 4, "SMMU_PRIQ_IRQ_CFG1"),
      (.requestQueueInterrupt2, 0xdc, 4, "SMMU_PRIQ_IRQ_CFG2"),
      (.addressTranslationControl, 0x100, 4, "SMMU_GATOS_CTRL"),
      (.addressTranslationStream, 0x108, 8, "SMMU_GATOS_SID"),
      (.addressTranslationAddress, 0x110, 8, "SMMU_GATOS_ADDR"),
      (.addressTranslationResult, 0x118, 8, "SMMU_GATOS_PAR"),
      (.eventQueueProduced, 0x1_00a8, 4, "SMMU_EVENTQ_PROD"),
      (.eventQueueConsumed, 0x1_00ac, 4, "SMMU_EVENTQ_CONS"),
      (.requestQueueProduced, 0x1_00c8, 4, "SMMU_PRIQ_PROD"),
      (.requestQueueConsumed, 0x1_00cc, 4, "SMMU_PRIQ_CONS"),
    ]
    #expect(expected.map(\.0) == Self.registers)
    for (register, offset, size, name) in expected {
      #expect(register.offset == offset && register.size == size, "\(name)")
      #expect("\(register.name)" == name)
    }
    #expect(SMMURegister.frameSize == 0x2_0000 && SMMURegister.secondPage == 0x1_0000)
  }

  @Test("What tells something may only be read")
  func readOnly() {
    let readOnly = Set(Self.registers.filter(\.isReadOnly).map { "\($0.name)" })
    #expect(
      readOnly == [
        "SMMU_IDR0", "SMMU_IDR1", "SMMU_IDR2", "SMMU_IDR3", "SMMU_IDR4", "SMMU_IDR5", "SMMU_IIDR",
        "SMMU_AIDR", "SMMU_CR0ACK", "SMMU_STATUSR", "SMMU_IRQ_CTRLACK", "SMMU_GERROR",
        "SMMU_GATOS_PAR",
      ])
  }

  @Test("Registers of bits have each bit where the specification has it")
  func bits() {
    let cr0: [(SMMUCR0, UInt32)] = [
      (.translates, 0x01), (.requestQueue, 0x02), (.eventQueue, 0x04), (.commandQueue, 0x08),
      (.checksATS, 0x10),
    ]
    for (bit, value) in cr0 { #expect(bit.rawValue == value) }
    #expect(
      SMMUCR0(rawValue: 0x1c0).ignoredVMIDBits == 7
        && SMMUCR0(rawValue: ~0x1c0).ignoredVMIDBits == 0)
    let cr2: [(SMMUCR2, UInt32)] = [
      (.hasEL2Host, 1), (.recordsUnknownStreams, 2), (.ignoresBroadcasts, 4),
      (.recordsATSConfigurationErrors, 8),
    ]
    for (bit, value) in cr2 { #expect(bit.rawValue == value) }
    let interrupts: [(SMMUInterruptControl, UInt32)] = [
      (.globalError, 1), (.requestQueue, 2), (.eventQueue, 4),
    ]
    for (bit, value) in interrupts { #expect(bit.rawValue == value) }
    let errors: [(SMMUGlobalError, UInt32)] = [
      (.command, 0x001), (.eventQueueAborted, 0x004), (.requestQueueAborted, 0x008),
      (.commandMSIAborted, 0x010), (.eventMSIAborted, 0x020), (.requestMSIAborted, 0x040),
      (.errorMSIAborted, 0x080), (.serviceFailure, 0x100), (.enhancedCommand, 0x200),
      (.permissionTable, 0x400),
    ]
    for (bit, value) in errors { #expect(bit.rawValue == value) }
  }

  @Test("An error is active while GERROR and GERRORN differ, whichever of the two has the bit")
  func activeErrors() {
    let active = SMMUGlobalError(rawValue: 0x105).active(acknowledged: .init(rawValue: 0x00c))
    #expect(active.rawValue == 0x109)
    #expect(active.contains(.command) && active.contains(.requestQueueAborted))
    #expect(active.contains(.serviceFailure) && !active.contains(.eventQueueAborted))
    let both = SMMUGlobalError.command.union(.serviceFailure)
    #expect(both.rawValue == 0x101 && active.contains(both))
    #expect(!both.contains(active) && active.subtracting(both) == .requestQueueAborted)
  }

  @Test("SMMU_CR1 holds cacheability and shareability of queues and tables")
  func cr1() {
    #expect(SMMUCR1.coherent.rawValue == 0xd75)
    let register = SMMUCR1(rawValue: 0b10_00_01_11_10_01)
    #expect(register.queueInner == .writeBack && register.queueOuter == .writeThrough)
    #expect(register.queueShareability == .inner)
    #expect(register.tableInner == .writeBack && register.tableOuter == SMMUCR1.Cacheability.none)
    #expect(register.tableShareability == .outer)
    #expect(SMMUCR1(rawValue: 0x3).queueInner == nil)
    #expect(SMMUCR1(rawValue: 0x10).queueShareability == nil)
    #expect(SMMUCR1(rawValue: 0).tableShareability == SMMUShareability.none)
  }

  static let gbpaFields: [Field<SMMUGBPA>] = [
    .init("MemAttr", 3, 0, \.memoryType), .init("MTCFG", 4, \.replacesType),
    .init("ALLOCCFG", 11, 8, \.allocation), .init("SHCFG", 13, 12, \.shareability),
    .init("PRIVCFG", 17, 16, \.privilege), .init("INSTCFG", 19, 18, \.instruction),
    .init("ABORT", 20, \.aborts), .init("Update", 31, \.update),
  ]

  @Test("SMMU_GBPA", arguments: gbpaFields)
  func gbpa(field: Field<SMMUGBPA>) { field.check() }

  @Test("An update of SMMU_GBPA to abort keeps the rest")
  func abort() {
    #expect(SMMUGBPA(rawValue: 0x1234).abortingUpdate.rawValue == 0x8010_1234)
  }

  @Test("An interrupt's message has its address, data and attributes in three registers")
  func message() {
    let message = SMMUInterruptMessage(.max, 0xdead_beef, 0x3f)
    #expect(message.address == 0x000f_ffff_ffff_fffc && message.data == 0xdead_beef)
    #expect(message.memoryType == 0xf && message.shareability == .inner)
    let other = SMMUInterruptMessage(~0x000f_ffff_ffff_fffc, 0, ~0x3f)
    #expect(other.address == 0 && other.memoryType == 0)
    #expect(other.shareability == SMMUShareability.none)
    #expect(SMMUInterruptMessage(0, 0, 0x10).shareability == nil)
  }

  @Test("Bases of the stream table and of queues")
  func bases() {
    let stream = StreamTableBase(base: .max, allocates: true)
    #expect(stream.rawValue == 0x400f_ffff_ffff_ffc0)
    #expect(stream.base == 0x000f_ffff_ffff_ffc0 && stream.allocates)
    #expect(!StreamTableBase(base: 0x8000_0000, allocates: false).allocates)
    #expect(StreamTableBase(base: 0x8000_0000, allocates: false).rawValue == 0x8000_0000)
    let queue = SMMUQueueBase(base: .max, log2: .max, allocates: true)
    #expect(queue.rawValue == 0x400f_ffff_ffff_ffff)
    #expect(queue.base == 0x000f_ffff_ffff_ffe0 && queue.log2 == 31 && queue.allocates)
    #expect(SMMUQueueBase(base: 0x4_0000_0000, log2: 8, allocates: false).rawValue == 0x4_0000_0008)
  }

  @Test("SMMU_STRTAB_BASE_CFG tells the levels of the stream table")
  func shape() {
    #expect(StreamTableShape.linear(log2: 16).rawValue == 0x10)
    #expect(StreamTableShape.linear(log2: .max).rawValue == 0x3f)
    #expect(StreamTableShape.twoLevel(log2: 16, .kib4).rawValue == 0x1_0190)
    #expect(StreamTableShape.twoLevel(log2: 16, .kib16).rawValue == 0x1_0210)
    let shape = StreamTableShape.twoLevel(log2: 24, .kib64)
    #expect(shape.rawValue == 0x1_0298)
    #expect(shape.log2 == 24 && shape.split == .kib64 && shape.isTwoLevel == true)
    #expect(StreamTableShape.linear(log2: 1).isTwoLevel == false)
    #expect(StreamTableShape.linear(log2: 1).split == nil)
    #expect(StreamTableShape(rawValue: 0x2_0000).isTwoLevel == nil)
    #expect(StreamTableShape(rawValue: 0x3_0000).isTwoLevel == nil)
  }

  @Test(
    "A queue's pointers wrap with a bit that tells full from empty", arguments: [0, 1, 3, 8, 19])
  func pointers(log2: UInt64) {
    let entries = 1 << log2
    var produced = SMMUQueuePointer(rawValue: 0)
    let consumed = SMMUQueuePointer(rawValue: 0)
    for step in 0..<entries {
      #expect(produced.isEmpty(consumed: consumed, log2: log2) == (step == 0))
      #expect(!produced.isFull(consumed: consumed, log2: log2))
      #expect(produced.index(log2: log2) == UInt32(step))
      produced = produced.advanced(log2: log2)
    }
    #expect(produced.isFull(consumed: consumed, log2: log2))
    #expect(!produced.isEmpty(consumed: consumed, log2: log2))
    #expect(produced.index(log2: log2) == 0 && produced.rawValue == UInt32(entries))
    for _ in 0..<entries { produced = produced.advanced(log2: log2) }
    #expect(produced.rawValue == 0)
  }

  @Test("A pointer carries the flag of an overflow, and CMDQ_CONS why it stopped")
  func pointerFields() {
    let pointer = SMMUQueuePointer(rawValue: 0x810f_fff0)
    #expect(pointer.position == 0xf_fff0 && pointer.hasOverflowFlag && pointer.error == .illegal)
    #expect(SMMUQueuePointer(rawValue: 0x0200_0000).error == .abort)
    #expect(SMMUQueuePointer(rawValue: 0x0300_0000).error == .invalidation)
    #expect(SMMUQueuePointer(rawValue: 0x8000_0000).error == SMMUCommandError.none)
    #expect(SMMUQueuePointer(rawValue: 0x7f00_0000).error == nil)
    #expect(!SMMUQueuePointer(rawValue: 0x7fff_ffff).hasOverflowFlag)
    #expect(SMMUQueuePointer(rawValue: 0x8300_0003).advanced(log2: 2).rawValue == 4)
  }
}
