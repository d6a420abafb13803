// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Function identifiers and return codes of the Power State Coordination Interface (Arm DEN 0022).
public enum PSCI {
  /// A function, whichever of the two calling conventions names it (DEN 0022, section 5.1).
  public enum Function: Sendable {
    /// PSCI_VERSION.
    case version
    /// CPU_OFF.
    case cpuOff
    /// CPU_ON.
    case cpuOn
    /// AFFINITY_INFO.
    case affinityInfo
    /// SYSTEM_OFF.
    case systemOff
    /// SYSTEM_RESET.
    case systemReset
    /// PSCI_FEATURES.
    case features

    /// The function that `identifier` names; nil for one that is not relayed.
    public init?(identifier: UInt32) {
      switch identifier {
      case 0x8400_0000: self = .version
      case 0x8400_0002: self = .cpuOff
      case 0x8400_0003, 0xc400_0003: self = .cpuOn
      case 0x8400_0004, 0xc400_0004: self = .affinityInfo
      case 0x8400_0008: self = .systemOff
      case 0x8400_0009: self = .systemReset
      case 0x8400_000a: self = .features
      default: return nil
      }
    }
  }

  /// The identifier of CPU_ON in the 64-bit convention, by which this side calls firmware.
  public static let cpuOn64: UInt32 = 0xc400_0003
  /// The identifier of SYSTEM_OFF.
  public static let systemOff: UInt32 = 0x8400_0008

  /// Return codes (DEN 0022, section 5.2.2), as x0 carries them.
  public enum Status: Int64, Sendable {
    /// The function did what was asked.
    case success = 0
    /// The function is not there.
    case notSupported = -1
    /// An argument is wrong.
    case invalidParameters = -2
    /// The CPU may not do this now.
    case denied = -3
    /// CPU_ON of a CPU that runs.
    case alreadyOn = -4
    /// CPU_ON of a CPU that is on its way.
    case onPending = -5
    /// The entry point is not memory of the caller.
    case invalidAddress = -9

    /// The code as x0 holds it.
    public var register: UInt64 { UInt64(bitPattern: rawValue) }
  }
}
