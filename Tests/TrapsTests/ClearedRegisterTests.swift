// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Traps

/// The registers that are set on a CPU.
private func cleared(
  _ register: WritableKeyPath<ProcessorIdentity, UInt64>? = nil, _ shift: UInt64 = 0,
  ownsProfiler: Bool = true
) -> Set<ClearedRegister> {
  var identity = ProcessorIdentity()
  if let register { identity[keyPath: register] = 1 << shift }
  var found: Set<ClearedRegister> = []
  var next: ClearedRegister? = .tcr2EL1
  while let register = next {
    if register.isPresent(on: identity, ownsProfiler: ownsProfiler) { found.insert(register) }
    next = register.next
  }
  return found
}

@Suite("Registers that a reset leaves UNKNOWN") struct ClearedRegisterTests {
  /// What every CPU has.
  private static let always: Set<ClearedRegister> = [.cnthpEL2, .hacrEL2]

  @Test("F-36: Each feature's registers are set where the CPU has it, and no other")
  func features() {
    #expect(cleared() == Self.always)
    #expect(cleared(\.memoryModel3, 0) == Self.always.union([.tcr2EL1]))
    #expect(cleared(\.memoryModel3, 4) == Self.always.union([.sctlr2EL1]))
    #expect(cleared(\.processorFeature1, 44) == Self.always.union([.gcscrEL1, .gcscre0EL1]))
    #expect(cleared(\.debugFeature0, 40) == Self.always.union([.trfcrEL2]))
    #expect(cleared(\.debugFeature0, 52) == Self.always.union([.brbcrEL2]))
    #expect(cleared(\.debugFeature0, 32) == Self.always.union([.pmscrEL2]))
    #expect(cleared(\.debugFeature0, 32, ownsProfiler: false) == Self.always)
    #expect(cleared(\.memoryModel1, 8) == Self.always.union([.cnthvEL2]))
  }

  @Test(
    "F-36: What HCRX_EL2 gives the host is cleared for it", arguments: [14, 15, 22] as [UInt64])
  func enabled(_ bit: UInt64) {
    var identity = ProcessorIdentity()
    identity.memoryModel3 = .max
    identity.processorFeature1 = .max
    let controls = HostControls(for: identity, counters: 0)
    #expect(controls.extendedConfiguration >> bit & 1 == 1)
    let due: [UInt64: [ClearedRegister]] = [
      14: [.tcr2EL1], 15: [.sctlr2EL1], 22: [.gcscrEL1, .gcscre0EL1],
    ]
    for register in due[bit] ?? [] {
      #expect(register.isPresent(on: identity, ownsProfiler: true))
      #expect(register.value == 0)
    }
  }

  @Test(
    "F-36: PMSCR_EL2 samples nothing of EL2, and keeps from the host nothing that it may record")
  func profiler() {
    // E0HSPE, E2SPE and CX are clear; PA and the physical counter of PCT are set.
    #expect(ClearedRegister.pmscrEL2.value & 0b1011 == 0)
    #expect(ClearedRegister.pmscrEL2.value == 1 << 4 | 0b01 << 6)
  }
}
