// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Traps

@Suite("Dispatch of aborts")
struct DispatchTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let esr: UInt64
    var offset: UInt64 = 0
    var widths: AccessWidths = .all
    var kinds: AccessKinds = .readWrite
    var device: TestDevice? = .forwarded
    let outcome: Outcome
    /// ESR_EL1 where an abort is injected into EL1 from EL1h.
    var el1: UInt64 = 0
  }

  static let injected: UInt64 = 0x25 << 26 | 1 << 25 | 0x10
  static let cases: [Case] = [
    Case(
      testDescription: "no valid syndrome", esr: dataAbort(isv: 0), outcome: .injected(.noSyndrome),
      el1: injected),
    Case(
      testDescription: "no valid syndrome, store", esr: dataAbort(isv: 0, wnr: 1),
      outcome: .injected(.noSyndrome), el1: injected | 1 << 6),
    Case(
      testDescription: "64-byte access", esr: dataAbort(lst: 1), outcome: .injected(.noSyndrome),
      el1: injected),
    Case(
      testDescription: "in place of a system register", esr: dataAbort(vncr: 1),
      outcome: .injected(.noSyndrome), el1: injected),
    Case(
      testDescription: "byte where words are permitted", esr: dataAbort(sas: 0),
      widths: [.word, .double], outcome: .injected(.width), el1: injected),
    Case(
      testDescription: "doubleword where words are permitted", esr: dataAbort(sas: 3, wnr: 1),
      widths: .word, outcome: .injected(.width), el1: injected | 1 << 6),
    Case(
      testDescription: "misaligned word", esr: dataAbort(), offset: 2,
      outcome: .injected(.misaligned), el1: injected),
    Case(
      testDescription: "misaligned doubleword", esr: dataAbort(sas: 3), offset: 0x104,
      outcome: .injected(.misaligned), el1: injected),
    Case(
      testDescription: "load from what is written only", esr: dataAbort(), kinds: .write,
      outcome: .injected(.notReadable), el1: injected),
    Case(
      testDescription: "store to what is read only", esr: dataAbort(wnr: 1), kinds: .read,
      outcome: .injected(.notWritable), el1: injected | 1 << 6),
    Case(
      testDescription: "claimed page without a device", esr: dataAbort(), device: nil,
      outcome: .injected(.noHandler), el1: injected),
    Case(
      testDescription: "refused by the device", esr: dataAbort(), device: .refusing,
      outcome: .injected(.device), el1: injected),
    Case(
      testDescription: "instruction fetch", esr: 0x20 << 26 | 1 << 25 | 0x07,
      outcome: .injected(.instructionFetch), el1: 0x21 << 26 | 1 << 25 | 0x10),
    Case(
      testDescription: "stage-1 walk of a load", esr: dataAbort(s1ptw: 1, dfsc: 0x06),
      outcome: .injected(.tableWalk), el1: 0x25 << 26 | 1 << 25 | 0x17),
    Case(
      testDescription: "stage-1 walk of AT, which sets CM and WnR",
      esr: dataAbort(isv: 0, cm: 1, s1ptw: 1, wnr: 1), outcome: .injected(.tableWalk),
      el1: 0x25 << 26 | 1 << 25 | 1 << 8 | 1 << 6 | 0x17),
    Case(
      testDescription: "stage-1 walk of an instruction fetch",
      esr: 0x20 << 26 | 1 << 25 | 1 << 7 | 0x07, outcome: .injected(.tableWalk),
      el1: 0x21 << 26 | 1 << 25 | 0x17),
    Case(
      testDescription: "cache maintenance", esr: dataAbort(isv: 0, cm: 1, wnr: 1), outcome: .skipped),
    Case(
      testDescription: "beyond the region", esr: dataAbort(), offset: 0x10000,
      outcome: .unclaimed(IntermediatePhysicalAddress(TestCPU.base + 0x10000))),
    Case(
      testDescription: "permission fault, whose page is unknown", esr: dataAbort(dfsc: 0x0f),
      outcome: .unclaimed(nil)),
    Case(
      testDescription: "external abort from hardware", esr: dataAbort(isv: 0, dfsc: 0x10),
      outcome: .unclaimed(nil)),
    Case(testDescription: "an HVC", esr: 0x16 << 26, outcome: .notAnAbort),
  ]

  @Test("What isn't permitted never reaches a device and leaves no trace but the abort", arguments: cases)
  func refused(_ test: Case) throws {
    for rare in [false, true] {
      let cpu = TestCPU()
      let before = cpu.registers
      let outcome = try cpu.handle(
        test.esr, at: TestCPU.base + test.offset, rare: rare, widths: test.widths,
        kinds: test.kinds, device: test.device)
      #expect(outcome == test.outcome)
      #expect(cpu.registers == before)
      #expect(cpu.context.memory.operations == [])
      #expect(cpu.context.accesses.count == (test.outcome == .injected(.device) ? 1 : 0))
      switch test.outcome {
      case .injected:
        #expect(cpu.host.esrEL1 == test.el1)
        #expect(cpu.host.elrEL2 == 0xffff_8000_0001_0a00)
        #expect(cpu.host.elrEL1 == 0xffff_0000_1234_5678)
      case .skipped:
        #expect(cpu.host.elrEL2 == 0xffff_0000_1234_567c && cpu.host.esrEL1 == 0xdead)
      default:
        #expect(cpu.host.elrEL2 == 0xffff_0000_1234_5678 && cpu.host.esrEL1 == 0xdead)
      }
    }
  }

  @Test("The short cut takes exactly the plain syndromes: one bit changed leaves it")
  func plain() {
    let plain = dataAbort()
    #expect(RegionRegistry<TestDevice>.isPlain(plain))
    // SAS, SSE, SRT, SF, EA, FnV, WnR, IL and the level say how, not whether.
    let free: Set<UInt64> = [25, 23, 22, 21, 20, 19, 18, 17, 16, 15, 10, 9, 6, 1, 0]
    for position in UInt64(0)..<32 {
      #expect(
        RegionRegistry<TestDevice>.isPlain(plain ^ 1 << position) == free.contains(position),
        "bit \(position)")
    }
  }

  @Test("An external abort from the device is the host's, not EL2's", arguments: [false, true])
  func reflected(isWrite: Bool) throws {
    let cpu = TestCPU()
    cpu.context.memory.answer = nil
    cpu.context.memory.acceptsWrites = false
    let before = cpu.registers
    let outcome = try cpu.handle(dataAbort(wnr: isWrite ? 1 : 0))
    #expect(outcome == .injected(.externalAbort))
    #expect(cpu.registers == before)
    #expect(cpu.context.memory.operations.count == 1)
    #expect(cpu.host.esrEL1 == Self.injected | (isWrite ? 1 << 6 : 0))
  }

  @Test("A plain access is one operation; acquire and release come between two full barriers")
  func order() throws {
    let cpu = TestCPU()
    #expect(try cpu.handle(dataAbort(srt: 0, wnr: 1)) == .completed)
    #expect(try cpu.handle(dataAbort()) == .completed)
    #expect(
      cpu.context.memory.operations == [
        .write(.word, 0x1111_1111, TestCPU.mapped), .read(.word, TestCPU.mapped),
      ])
    cpu.context.memory.operations = []
    #expect(try cpu.handle(dataAbort(srt: 0, ar: 1, wnr: 1)) == .completed)
    #expect(try cpu.handle(dataAbort(ar: 1)) == .completed)
    #expect(
      cpu.context.memory.operations == [
        .order, .write(.word, 0x1111_1111, TestCPU.mapped), .order,
        .order, .read(.word, TestCPU.mapped), .order,
      ])
  }
}
