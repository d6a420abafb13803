// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Traps

@Suite("Aborts as EL1 finds them")
struct InjectionTests {
  struct Origin: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let spsr: UInt64
    let vector: UInt64
    let exceptionClass: UInt64
  }
  static let origins = [
    Origin(testDescription: "EL1t", spsr: 0x4, vector: 0x000, exceptionClass: 0x25),
    Origin(testDescription: "EL1h", spsr: 0x5, vector: 0x200, exceptionClass: 0x25),
    Origin(testDescription: "EL0", spsr: 0x0, vector: 0x400, exceptionClass: 0x24),
    Origin(testDescription: "AArch32 EL0", spsr: 0x10, vector: 0x600, exceptionClass: 0x24),
    Origin(testDescription: "AArch32 EL0, T32", spsr: 0x30, vector: 0x600, exceptionClass: 0x24),
  ]

  @Test("Vector, class, link and saved state follow the origin", arguments: origins, [false, true])
  func origin(_ origin: Origin, isFetch: Bool) throws {
    let host = SimulatedRegisters()
    host.spsrEL2 = 0xa000_0000 | origin.spsr
    // IL of EL2's syndrome is zero, for a 16-bit instruction: with ISV zero EL1's is one all the same.
    let esr = isFetch ? 0x20 << 26 | 0x07 : dataAbort(wnr: 1, il: 0)
    let abort = try #require(Abort(esr: esr, far: 0xffff_0000_dead_bee0, hpfar: 0x80800))
    abort.inject(into: host)
    let exceptionClass = origin.exceptionClass - (isFetch ? 4 : 0)
    #expect(host.esrEL1 == exceptionClass << 26 | 1 << 25 | (isFetch ? 0 : 1 << 6) | 0x10)
    #expect(host.farEL1 == 0xffff_0000_dead_bee0)
    #expect(host.elrEL1 == 0xffff_0000_1234_5678)
    #expect(host.spsrEL1 == 0xa000_0000 | origin.spsr)
    #expect(host.elrEL2 == 0xffff_8000_0001_0800 + origin.vector)
    #expect(host.spsrEL2 == 0xa000_03c5)
  }

  struct State: Sendable, CustomTestStringConvertible {
    let testDescription: String
    var features: HostFeatures = .none
    var spsr: UInt64 = 0x5
    var sctlr: UInt64 = 0
    let expected: UInt64
  }
  // Expectations from AArch64.TakeException, written out by hand.
  static let states = [
    State(testDescription: "no feature, no bit", expected: 0x3c5),
    State(testDescription: "flags and DIT stay", spsr: 0xf100_0005, expected: 0xf100_03c5),
    State(
      testDescription: "UAO, SS, IL, ALLINT, SSBS and BTYPE go", spsr: 0x00b0_3c05,
      expected: 0x3c5),
    State(
      testDescription: "IT, Q, GE, E and T of AArch32 go", spsr: 0x0e0f_fe30, expected: 0x3c5),
    State(testDescription: "PAN is set where SPAN is clear", features: .pan, expected: 0x0040_03c5),
    State(
      testDescription: "PAN stays clear where SPAN is set", features: .pan, sctlr: 1 << 23,
      expected: 0x3c5),
    State(
      testDescription: "PAN stays set where SPAN is set", features: .pan, spsr: 0x0040_0005,
      sctlr: 1 << 23, expected: 0x0040_03c5),
    State(
      testDescription: "SSBS is DSSBS, set", features: .ssbs, sctlr: 1 << 44, expected: 0x13c5),
    State(
      testDescription: "SSBS is DSSBS, clear", features: .ssbs, spsr: 0x1005, expected: 0x3c5),
    State(testDescription: "DSSBS without SSBS", sctlr: 1 << 44, expected: 0x3c5),
    State(testDescription: "TCO is set with MTE", features: .mte, expected: 0x0200_03c5),
    State(testDescription: "NMI masks all", features: .nmi, expected: 0x23c5),
    State(
      testDescription: "NMI with SPINTMASK", features: .nmi, sctlr: 1 << 62, expected: 0x3c5),
  ]

  @Test("The state at the vector is what the architecture makes of it", arguments: states)
  func state(_ state: State) throws {
    let host = SimulatedRegisters()
    host.features = state.features
    host.spsrEL2 = state.spsr
    host.sctlrEL1 = state.sctlr
    try #require(Abort(esr: dataAbort(), far: 0, hpfar: 0)).inject(into: host)
    #expect(host.spsrEL2 == state.expected)
    #expect(host.spsrEL1 == state.spsr)
  }

  @Test("EASE sends the abort to the vector of SError, where the feature is there")
  func ease() throws {
    let abort = try #require(Abort(esr: dataAbort(), far: 0, hpfar: 0))
    let host = SimulatedRegisters()
    host.sctlr2EL1 = 1 << 3
    abort.inject(into: host)
    #expect(host.elrEL2 & 0x7ff == 0x200)
    let newer = SimulatedRegisters()
    newer.sctlr2EL1 = 1 << 3
    newer.features = .doubleFault2
    abort.inject(into: newer)
    #expect(newer.elrEL2 & 0x7ff == 0x380)
  }

  @Test(
    "An external abort of hardware's own keeps SET, FnV, EA and its status",
    arguments: [0x10, 0x14, 0x17, 0x18] as [UInt64])
  func hardware(status: UInt64) throws {
    let host = SimulatedRegisters()
    let esr = dataAbort(isv: 0, lst: 2, wnr: 1, dfsc: status) | 1 << 10 | 1 << 9
    try #require(Abort(esr: esr, far: 0, hpfar: 0)).inject(into: host)
    #expect(host.esrEL1 == 0x9600_1640 | status)
  }

  // TTBR0 at 0x4000_0000; addresses select an entry of the first table by their upper bits.
  @Test(
    "The level of a refused stage-1 walk is the first level in the first table, else the last",
    arguments: [
      (tcr: 16, va: 0x1234, page: 0x4000_0000, level: 0),  // 4K, 48 bits
      (tcr: 16, va: 0x1234, page: 0x4000_1000, level: 3),
      (tcr: 25, va: 0x1234, page: 0x4000_0000, level: 1),  // 4K, 39 bits
      (tcr: 34, va: 0x1234, page: 0x4000_0000, level: 2),  // 4K, 30 bits
      (tcr: 48, va: 0x1234, page: 0x4000_0000, level: 3),  // 4K, 16 bits
      (tcr: 12, va: 0x1234, page: 0x4000_0000, level: -1),  // 4K, 52 bits
      (tcr: 17 | 2 << 14, va: 0x1234, page: 0x4000_0000, level: 1),  // 16K, 47 bits
      (tcr: 22 | 1 << 14, va: 0x1234, page: 0x4000_0000, level: 2),  // 64K, 42 bits
      // The last of 8192 entries of a 64K table lies in its sixteenth 4K page.
      (tcr: 22 | 1 << 14, va: 0x3ff_ffff_ffff, page: 0x4000_f000, level: 2),
      (tcr: 22 | 1 << 14, va: 0x3ff_ffff_ffff, page: 0x4000_0000, level: 3),
    ] as [(tcr: UInt64, va: UInt64, page: UInt64, level: Int)])
  func walk(tcr: UInt64, va: UInt64, page: UInt64, level: Int) {
    #expect(
      stage1WalkLevel(
        address: va, descriptorPage: page, tcr: tcr, ttbr0: 0x4000_0000, ttbr1: 0) == level)
  }

  @Test("No value of the host's registers stops the walk level")
  func hostile() {
    var seed: UInt64 = 1
    for _ in 0..<20_000 {
      func next() -> UInt64 {
        seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return seed ^ seed >> 29
      }
      let level = stage1WalkLevel(
        address: next(), descriptorPage: next(), tcr: next(), ttbr0: next(), ttbr1: next())
      #expect(-1...3 ~= level)
    }
  }

  @Test(
    "Stepping over an instruction moves the program counter, BTYPE, SS and the IT state",
    arguments: [
      (spsr: 0x6000_0005, il: 1, pc: 0x1004, after: 0x6000_0005),
      (spsr: 0x6020_0c05, il: 1, pc: 0x1004, after: 0x6000_0005),
      (spsr: 0x10, il: 1, pc: 0x1004, after: 0x10),
      (spsr: 0x0020_0030, il: 0, pc: 0x1002, after: 0x30),
      // IT = 0b0000_1100 (two left) becomes 0b0001_1000, and 0b0001_1000 (one left) becomes zero.
      (spsr: 0x0c30, il: 0, pc: 0x1002, after: 0x1830),
      (spsr: 0x1830, il: 1, pc: 0x1004, after: 0x30),
      // IT[1:0] stand apart: 0b1010_0001 (four left) becomes 0b1010_0010.
      (spsr: 0x0200_a030, il: 1, pc: 0x1004, after: 0x0400_a030),
    ] as [(spsr: UInt64, il: UInt64, pc: UInt64, after: UInt64)])
  func step(spsr: UInt64, il: UInt64, pc: UInt64, after: UInt64) throws {
    let cpu = TestCPU()
    cpu.host.spsrEL2 = spsr
    cpu.host.elrEL2 = 0x1000
    #expect(try cpu.handle(dataAbort(il: il)) == .completed)
    #expect(cpu.host.elrEL2 == pc && cpu.host.spsrEL2 == after)
  }
}
