// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor
import Testing

@Suite("SMC Calling Convention")
struct SMCCCTests {
  @Test("A 32-bit call has 32-bit arguments; a 64-bit call keeps them", arguments: [true, false])
  func normalized(is64Bit: Bool) {
    let function: UInt32 = is64Bit ? 0xc400_0003 : 0x8400_0003
    let call = SMCCC.Call(function, 0x1_2345_6789, .max, 0xffff_ffff_0000_0000)
    #expect(call.is64Bit == is64Bit)
    let expected =
      is64Bit ? call : SMCCC.Call(function, 0x2345_6789, 0xffff_ffff, 0)
    #expect(call.normalized == expected)
    #expect(call.normalized.normalized == expected)
  }

  @Test(
    "F-27: The hint of a fast call is no part of its name, and reaches nobody",
    arguments: [
      (0x8401_0003, 0x8400_0003), (0xc401_0003, 0xc400_0003), (0xc601_5043, 0xc600_5043),
      (0x8001_0000, 0x8000_0000),
      // The bits above it must be zero, and a yielding call has no hint.
      (0x8402_0003, 0x8402_0003), (0x8480_0003, 0x8480_0003), (0x0401_0003, 0x0401_0003),
    ] as [(UInt32, UInt32)])
  func hint(asked: UInt32, name: UInt32) {
    let call = SMCCC.Call(asked, 1, 2, 3).normalized
    #expect(call == SMCCC.Call(name, 1, 2, 3))
    // A function that is asked for is named without it.
    #expect(PSCI.Function(identifier: 0x8401_0003) == nil)
  }

  @Test("A result of one value has zeroes beside it and keeps x4")
  func result() {
    let result = SMCCC.Result(SMCCC.notSupported)
    #expect(result.x0 == .max && result.x1 == 0 && result.x2 == 0 && result.x3 == 0)
    #expect(result.x4 == nil)
  }

  @Test(
    "PSCI functions are known by the identifiers of both conventions, and no others",
    arguments: 0...0x1f as ClosedRange<UInt32>)
  func functions(number: UInt32) {
    let known: [UInt32: PSCI.Function] = [
      0: .version, 1: .cpuSuspend, 2: .cpuOff, 3: .cpuOn, 4: .affinityInfo, 6: .migrateInfoType,
      8: .systemOff, 9: .systemReset, 10: .features, 12: .cpuDefaultSuspend,
      13: .nodeHardwareState, 14: .systemSuspend, 15: .setSuspendMode, 16: .residencyStatistics,
      17: .countStatistics, 18: .systemReset2,
    ]
    #expect(PSCI.Function(identifier: 0x8400_0000 | number) == known[number])
    // Only what has an address, an affinity or a cookie among its arguments has a 64-bit form.
    #expect(
      PSCI.Function(identifier: 0xc400_0000 | number)
        == ([1, 3, 4, 12, 13, 14, 16, 17, 18].contains(number) ? known[number] : nil))
    // Yielding calls, other owners.
    #expect(PSCI.Function(identifier: 0x0400_0000 | number) == nil)
    #expect(PSCI.Function(identifier: 0x8600_0000 | number) == nil)
  }
}
