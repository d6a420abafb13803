// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Traps

@Suite("Loads and stores as the syndrome describes them")
struct AccessDecodeTests {
  static let sizes: [UInt64] = [0, 1, 2, 3]

  /// The Arm ARM's LDR, LDRB, LDRH and LDRS* for a pattern whose top bit is set in every width.
  static func expected(sas: UInt64, sse: UInt64, sf: UInt64) -> UInt64 {
    switch (sas, sse, sf) {
    case (0, 0, _): 0xf8
    case (1, 0, _): 0xe7f8
    case (2, 0, _): 0xc5d6_e7f8
    case (3, _, 1): 0x8192_a3b4_c5d6_e7f8
    case (0, 1, 0): 0xffff_fff8
    case (0, 1, _): 0xffff_ffff_ffff_fff8
    case (1, 1, 0): 0xffff_e7f8
    case (1, 1, _): 0xffff_ffff_ffff_e7f8
    case (2, 1, 0): 0xc5d6_e7f8
    default: 0xffff_ffff_c5d6_e7f8
    }
  }

  @Test(
    "A load extends, truncates and goes to its register alone", arguments: sizes, 0..<4 as Range)
  func load(sas: UInt64, flags: Int) throws {
    let sse = UInt64(flags & 1)
    // No load of 64 bits has a 32-bit register.
    let sf = sas == 3 ? 1 : UInt64(flags >> 1)
    for srt in UInt64(0)..<32 {
      for rare in [false, true] {
        let cpu = TestCPU()
        cpu.context.memory.answer = 0x8192_a3b4_c5d6_e7f8
        var after = cpu.registers
        if srt < 31 { after[Int(srt)] = Self.expected(sas: sas, sse: sse, sf: sf) }
        let outcome = try cpu.handle(
          dataAbort(sas: sas, sse: sse, srt: srt, sf: sf), at: TestCPU.base + 0x1008, rare: rare)
        #expect(outcome == .completed)
        #expect(cpu.registers == after)
        let width = try #require(AccessWidth(rawValue: UInt8(sas)))
        #expect(cpu.context.memory.operations == [.read(width, TestCPU.mapped + 0x1008)])
        #expect(cpu.host.elrEL2 == 0xffff_0000_1234_567c)
      }
    }
  }

  @Test("A store hands the low bits of its register on, and of XZR zero", arguments: sizes)
  func store(sas: UInt64) throws {
    for srt in UInt64(0)..<32 {
      for rare in [false, true] {
        let cpu = TestCPU()
        let before = cpu.registers
        let outcome = try cpu.handle(
          dataAbort(sas: sas, srt: srt, wnr: 1), at: TestCPU.base + 0xff8, rare: rare)
        #expect(outcome == .completed && cpu.registers == before)
        let masks: [UInt64] = [0xff, 0xffff, 0xffff_ffff, .max]
        let value = srt == 31 ? 0 : before[Int(srt)] & masks[Int(sas)]
        let width = try #require(AccessWidth(rawValue: UInt8(sas)))
        #expect(cpu.context.memory.operations == [.write(width, value, TestCPU.mapped + 0xff8)])
      }
    }
  }

  @Test("A big-endian host finds the bytes reversed", arguments: sizes)
  func bigEndian(sas: UInt64) throws {
    let reversed: [UInt64] = [0xf8, 0xf8e7, 0xf8e7_d6c5, 0xf8e7_d6c5_b4a3_9281]
    let cpu = TestCPU()
    cpu.host.sctlrEL1 |= 1 << 25
    cpu.context.memory.answer = 0x8192_a3b4_c5d6_e7f8
    #expect(try cpu.handle(dataAbort(sas: sas, srt: 0, sf: 1)) == .completed)
    #expect(cpu.registers[0] == reversed[Int(sas)])
    cpu.registers[1] = 0x8192_a3b4_c5d6_e7f8
    #expect(try cpu.handle(dataAbort(sas: sas, srt: 1, wnr: 1)) == .completed)
    let width = try #require(AccessWidth(rawValue: UInt8(sas)))
    #expect(cpu.context.memory.operations.last == .write(width, reversed[Int(sas)], TestCPU.mapped))
    // E0E alone doesn't concern EL1.
    cpu.host.sctlrEL1 = 1 << 24
    #expect(try cpu.handle(dataAbort(sas: sas, srt: 0, sf: 1)) == .completed)
    #expect(cpu.registers[0] == Self.expected(sas: sas, sse: 0, sf: 1))
  }

  @Test("The fields of ISS stand where the Arm ARM puts them")
  func fields() {
    let all = DataAbortSyndrome(rawValue: dataAbort(sas: 1, srt: 17, lst: 2, dfsc: 0x2b))
    #expect(all.isValid && all.accessSize == 1 && all.register.rawValue == 17)
    #expect(all.loadStoreType == 2 && all.status.rawValue == 0x2b)
    for position in UInt64(0)..<25 {
      let one = DataAbortSyndrome(rawValue: 1 << position)
      #expect(one.isValid == (position == 24))
      #expect(one.extendsSign == (position == 21))
      #expect(one.is64BitRegister == (position == 15))
      #expect(one.isAcquireRelease == (position == 14))
      #expect(one.isVNCR == (position == 13))
      #expect(one.isFaultAddressInvalid == (position == 10))
      #expect(one.isExternal == (position == 9))
      #expect(one.isCacheMaintenance == (position == 8))
      #expect(one.isStage1Walk == (position == 7))
      #expect(one.isWrite == (position == 6))
    }
  }

  @Test("The faulting address joins HPFAR and FAR where both are valid, and NS is no part of it")
  func address() throws {
    func address(_ esr: UInt64, _ hpfar: UInt64) throws -> UInt64? {
      try #require(Abort(esr: esr, far: 0xffff_8000_0000_0abc, hpfar: hpfar)).address?.rawValue
    }
    #expect(try address(dataAbort(), 0x8080_10) == 0x8080_1abc)
    #expect(try address(dataAbort(), 1 << 63 | 0x8080_1f) == 0x8080_1abc)
    #expect(try address(dataAbort(), 0x0fff_ffff_fff0) == 0xf_ffff_ffff_fabc)
    #expect(try address(dataAbort(), 0x1000_0000_0010) == 0x10_0000_0000_1abc)
    #expect(try address(dataAbort(s1ptw: 1), 0x8080_10) == 0x8080_1000)
    #expect(try address(dataAbort(s1ptw: 1, dfsc: 0x0f), 0x8080_10) == 0x8080_1000)
    for status: UInt64 in [0x0c, 0x0f, 0x10, 0x14, 0x21, 0x30, 0x35] {
      #expect(try address(dataAbort(dfsc: status), 0x8080_10) == nil)
    }
    #expect(Abort(esr: 0x16 << 26, far: 0, hpfar: 0) == nil)
    #expect(Abort(esr: 0x25 << 26, far: 0, hpfar: 0) == nil)
  }
}
