// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Traps

/// An ID register of a CPU.
private typealias Register = WritableKeyPath<ProcessorIdentity, UInt64>

/// A field of an ID register with a value, and what follows from it.
private struct Feature<Outcome: Sendable>: CustomTestStringConvertible, @unchecked Sendable {
  let testDescription: String
  let register: Register
  let shift: UInt64
  let value: UInt64
  let outcome: Outcome

  init(_ name: String, _ register: Register, _ shift: UInt64, _ value: UInt64, _ outcome: Outcome) {
    testDescription = name
    self.register = register
    self.shift = shift
    self.value = value
    self.outcome = outcome
  }

  var identity: ProcessorIdentity {
    var identity = ProcessorIdentity()
    identity[keyPath: register] = value << shift
    return identity
  }
}

/// What every host has in HCR_EL2: VM, SWIO, TSC, RW, APK and API.
private let alwaysConfigured: UInt64 = 1 | 1 << 1 | 1 << 19 | 1 << 31 | 1 << 40 | 1 << 41

/// Bits that are set in HCR_EL2 beside those.
private let configurations: [Feature<UInt64>] = [
  Feature("nothing", \.processorFeature0, 0, 0, 0),
  Feature("MTE, instructions only", \.processorFeature1, 8, 1, 0),
  Feature("MTE2", \.processorFeature1, 8, 2, 1 << 56),
  Feature("MTE3", \.processorFeature1, 8, 3, 1 << 56),
  Feature("CSV2", \.processorFeature0, 56, 1, 0),
  Feature("CSV2_2", \.processorFeature0, 56, 2, 1 << 53),
  Feature("CSV2_1p1", \.processorFeature1, 32, 1, 0),
  Feature("CSV2_1p2", \.processorFeature1, 32, 2, 1 << 53),
]

/// Bits that are set in HCRX_EL2.
private let extendedConfigurations: [Feature<UInt64>] = [
  Feature("nothing", \.processorFeature0, 0, 0, 0),
  Feature("LS64", \.instructionSet1, 60, 1, 0b010),
  Feature("LS64_V", \.instructionSet1, 60, 2, 0b110),
  Feature("LS64_ACCDATA", \.instructionSet1, 60, 3, 0b111),
  Feature("MOPS", \.instructionSet2, 16, 1, 1 << 11),
  Feature("TCR2", \.memoryModel3, 0, 1, 1 << 14),
  Feature("SCTLR2", \.memoryModel3, 4, 1, 1 << 15),
  Feature("D128", \.memoryModel3, 32, 1, 1 << 17),
  Feature("SYSREG128", \.instructionSet2, 32, 1, 1 << 21),
  Feature("GCS", \.processorFeature1, 44, 1, 1 << 22),
  Feature("FPMR", \.processorFeature2, 32, 1, 1 << 23),
]

/// What MDCR_EL2 is with 6 counters.
private let debugs: [Feature<UInt64>] = [
  Feature("no PMU", \.debugFeature0, 8, 0, 0),
  Feature("a PMU of another kind", \.debugFeature0, 8, 0xf, 0),
  Feature("PMUv3", \.debugFeature0, 8, 1, 6),
  Feature("PMUv3p7", \.debugFeature0, 8, 7, 6),
  Feature("SPE", \.debugFeature0, 32, 1, 0b11 << 12),
  Feature("TRBE", \.debugFeature0, 44, 1, 0b11 << 24),
]

/// What CPTR_EL2 is.
private let featureTraps: [Feature<UInt64>] = [
  Feature("nothing", \.processorFeature0, 0, 0, 0x33ff),
  Feature("SVE", \.processorFeature0, 32, 1, 0x32ff),
  Feature("SME", \.processorFeature1, 24, 1, 0x23ff),
]

/// What SMCR_EL2 is.
private let streamingControls: [Feature<UInt64>] = [
  Feature("SME", \.processorFeature1, 24, 1, 0xf),
  Feature("SME2", \.matrixFeature0, 56, 1, 1 << 30 | 0xf),
  Feature("FA64", \.matrixFeature0, 63, 1, 1 << 31 | 0xf),
]

/// What changes exceptions.
private let exceptionFeatures: [Feature<HostFeatures>] = [
  Feature("nothing", \.processorFeature0, 0, 0, .none),
  Feature("PAN", \.memoryModel1, 20, 1, .pan),
  Feature("SSBS", \.processorFeature1, 4, 2, .ssbs),
  Feature("MTE", \.processorFeature1, 8, 1, .mte),
  Feature("NMI", \.processorFeature1, 36, 1, .nmi),
  Feature("DoubleFault2 without SCTLR2_EL1", \.processorFeature1, 56, 1, .none),
]

/// A register in which these bits are set.
private func bits(_ ranges: ClosedRange<UInt64>...) -> UInt64 {
  ranges.joined().reduce(0) { $0 | 1 << $1 }
}

@Suite("What of the host's own instructions traps")
struct HostControlsTests {
  @Test("HCR_EL2 gives the host what the CPU has", arguments: configurations)
  fileprivate func configuration(feature: Feature<UInt64>) {
    let controls = HostControls(for: feature.identity, counters: 6)
    #expect(controls.configuration == alwaysConfigured | feature.outcome)
  }

  @Test("HCRX_EL2 enables what the CPU has", arguments: extendedConfigurations)
  fileprivate func extendedConfiguration(feature: Feature<UInt64>) {
    let controls = HostControls(for: feature.identity, counters: 6)
    #expect(controls.extendedConfiguration == feature.outcome)
  }

  @Test("MDCR_EL2 gives the host counters and buffers", arguments: debugs)
  fileprivate func debug(feature: Feature<UInt64>) {
    let controls = HostControls(for: feature.identity, counters: 6)
    #expect(controls.debug == feature.outcome)
  }

  @Test("CPTR_EL2 traps nothing that the CPU has", arguments: featureTraps)
  fileprivate func traps(feature: Feature<UInt64>) {
    let controls = HostControls(for: feature.identity, counters: 6)
    #expect(controls.featureTraps == feature.outcome)
  }

  @Test("SMCR_EL2 limits nothing that the CPU has", arguments: streamingControls)
  fileprivate func streaming(feature: Feature<UInt64>) {
    let controls = HostControls(for: feature.identity, counters: 6)
    #expect(controls.streamingControl == feature.outcome)
  }

  @Test("No fine-grained trap is left on, and none of positive polarity is set")
  func fineGrainedTraps() {
    let controls = HostControls(for: ProcessorIdentity(), counters: 6)
    // The numbers of the bits that trap where they are zero, register by register.
    #expect(controls.registerReadTraps2 == bits(0...14))
    #expect(controls.registerWriteTraps2 == bits(0...0, 2...14))
    #expect(controls.instructionTraps2 == bits(1...1))
    #expect(controls.debugReadTraps2 == bits(0...20, 22...24))
    #expect(controls.debugWriteTraps2 == bits(0...5, 7...16, 19...24))
  }

  @Test("Exceptions follow what the CPU has", arguments: exceptionFeatures)
  fileprivate func exceptions(feature: Feature<HostFeatures>) {
    #expect(HostFeatures(of: feature.identity) == feature.outcome)
  }

  @Test("DoubleFault2 counts together with SCTLR2_EL1")
  func doubleFault2() {
    var identity = ProcessorIdentity()
    identity.processorFeature1 = 1 << 56
    identity.memoryModel3 = 1 << 4
    #expect(HostFeatures(of: identity) == .doubleFault2)
  }

  @Test("A control that the CPU tells of nothing for is of no use, and the others are found")
  func presence() {
    var identity = ProcessorIdentity()
    #expect(!identity.hasSVE && !identity.hasSME && !identity.hasPartitions)
    #expect(!identity.hasExtendedConfiguration && !identity.hasFineGrainedTraps)
    #expect(!identity.hasActivityMonitors && !identity.hasPerformanceMonitors)
    identity.processorFeature1 = 1 << 16  // MPAM 0.1
    #expect(identity.hasPartitions)
    identity.processorFeature1 = 0
    identity.processorFeature0 = 1 << 32 | 1 << 40 | 1 << 44
    identity.memoryModel0 = 1 << 56
    identity.memoryModel1 = 1 << 40
    #expect(identity.hasSVE && identity.hasPartitions && identity.hasActivityMonitors)
    #expect(identity.hasFineGrainedTraps && identity.hasExtendedConfiguration)
    #expect(!identity.hasFineGrainedTraps2)
    identity.memoryModel0 = 2 << 56
    #expect(identity.hasFineGrainedTraps && identity.hasFineGrainedTraps2)
  }
}
