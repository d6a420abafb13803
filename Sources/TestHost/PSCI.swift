// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The Power State Coordination Interface as the tests use it (Arm DEN 0022).
struct PSCI {
  let conduit: Conduit

  /// Uses SMC, or HVC on a machine whose SMC is undefined.
  init() {
    conduit = Conduit.smc.call(Self.version).undefined ? .hvc : .smc
  }

  static let version: UInt64 = 0x8400_0000
  static let cpuOff: UInt64 = 0x8400_0002
  static let cpuOn: UInt64 = 0xc400_0003
  static let affinityInfo: UInt64 = 0xc400_0004
  static let features: UInt64 = 0x8400_000a

  static let on: UInt64 = 0
  static let off: UInt64 = 1

  static let invalidParameters = UInt64(bitPattern: -2)
  static let alreadyOn = UInt64(bitPattern: -4)
  static let invalidAddress = UInt64(bitPattern: -9)

  func affinityInfo(of cpu: UInt64) -> UInt64 {
    Self.extended(conduit.call(Self.affinityInfo, cpu, 0).x0)
  }

  func start(_ cpu: UInt64, at entry: UInt64, context: UInt64) -> UInt64 {
    Self.extended(conduit.call(Self.cpuOn, cpu, entry, context).x0)
  }

  /// A status code is 32 bits, and signed; what's above it is the firmware's choice.
  static func extended(_ status: UInt64) -> UInt64 {
    UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: status)))
  }
}
