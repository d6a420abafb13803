// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Function identifiers and return codes of the Power State Coordination Interface (Arm DEN 0022).
public enum PSCI {
  /// A function, whichever of the two calling conventions names it (DEN 0022, section 5.1).
  ///
  /// Those that are not here are not there for the host: CPU_FREEZE, MIGRATE, MIGRATE_INFO_UP_CPU,
  /// MEM_PROTECT, MEM_PROTECT_CHECK_RANGE, and whatever is newer.
  public enum Function: Sendable {
    /// PSCI_VERSION.
    case version
    /// CPU_SUSPEND.
    case cpuSuspend
    /// CPU_OFF.
    case cpuOff
    /// CPU_ON.
    case cpuOn
    /// AFFINITY_INFO.
    case affinityInfo
    /// MIGRATE_INFO_TYPE.
    case migrateInfoType
    /// SYSTEM_OFF.
    case systemOff
    /// SYSTEM_RESET.
    case systemReset
    /// PSCI_FEATURES.
    case features
    /// CPU_DEFAULT_SUSPEND.
    case cpuDefaultSuspend
    /// NODE_HW_STATE.
    case nodeHardwareState
    /// SYSTEM_SUSPEND.
    case systemSuspend
    /// PSCI_SET_SUSPEND_MODE.
    case setSuspendMode
    /// PSCI_STAT_RESIDENCY.
    case residencyStatistics
    /// PSCI_STAT_COUNT.
    case countStatistics
    /// SYSTEM_RESET2.
    case systemReset2

    /// The function that `identifier` names; nil for one that is not relayed.
    @inline(__always)
    public init?(identifier: UInt32) {
      // Fast calls of the standard secure services, and of those the first 32, by either convention.
      guard identifier & ~(1 << 30 | 0x1f) == 0x8400_0000 else { return nil }
      self.init(relayed: identifier)
    }

    private init?(relayed identifier: UInt32) {
      switch identifier {
      case 0x8400_0000: self = .version
      case 0x8400_0001, 0xc400_0001: self = .cpuSuspend
      case 0x8400_0002: self = .cpuOff
      case 0x8400_0003, 0xc400_0003: self = .cpuOn
      case 0x8400_0004, 0xc400_0004: self = .affinityInfo
      case 0x8400_0006: self = .migrateInfoType
      case 0x8400_0008: self = .systemOff
      case 0x8400_0009: self = .systemReset
      case 0x8400_000a: self = .features
      case 0x8400_000c, 0xc400_000c: self = .cpuDefaultSuspend
      case 0x8400_000d, 0xc400_000d: self = .nodeHardwareState
      case 0x8400_000e, 0xc400_000e: self = .systemSuspend
      case 0x8400_000f: self = .setSuspendMode
      case 0x8400_0010, 0xc400_0010: self = .residencyStatistics
      case 0x8400_0011, 0xc400_0011: self = .countStatistics
      case 0x8400_0012, 0xc400_0012: self = .systemReset2
      default: return nil
      }
    }
  }

  // The identifiers, in the 64-bit convention where there are two, by which this side calls firmware.

  /// The identifier of CPU_ON.
  public static let cpuOn64: UInt32 = 0xc400_0003
  /// The identifier of CPU_SUSPEND.
  public static let cpuSuspend64: UInt32 = 0xc400_0001
  /// The identifier of AFFINITY_INFO.
  public static let affinityInfo64: UInt32 = 0xc400_0004
  /// Whether a CPU of which AFFINITY_INFO answers this does not run: it is off, or firmware knows none (DEN 0022,
  /// section 5.7).
  static func isOff(_ answer: UInt64) -> Bool {
    answer == 1 || Int64(bitPattern: answer) == Status.invalidParameters.rawValue
      || Int64(bitPattern: answer) == -8  // DISABLED
  }
  /// The identifier of CPU_DEFAULT_SUSPEND.
  public static let cpuDefaultSuspend64: UInt32 = 0xc400_000c
  /// The identifier of SYSTEM_SUSPEND.
  public static let systemSuspend64: UInt32 = 0xc400_000e
  /// The identifier of SYSTEM_OFF.
  public static let systemOff: UInt32 = 0x8400_0008
  /// The identifier of PSCI_FEATURES.
  public static let features: UInt32 = 0x8400_000a

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

  /// How firmware reads the parameter `power_state` (DEN 0022, section 5.4.2).
  public enum PowerStateFormat: Equatable, Sendable {
    /// StateType is bit 16.
    case original
    /// StateType is bit 30.
    case extended

    /// What the answer of PSCI_FEATURES for CPU_SUSPEND says in bit 1 (section 5.16.2); an error is
    /// that of firmware that has the original format only, or no CPU_SUSPEND.
    public init(features: UInt64) {
      let flags = Int32(truncatingIfNeeded: features)
      self = flags >= 0 && flags >> 1 & 1 == 1 ? .extended : .original
    }

    /// Whether a CPU in this state loses what it holds, and so wakes at an entry point.
    func isPowerDown(_ state: UInt64) -> Bool {
      switch self {
      case .original: state >> 16 & 1 == 1
      case .extended: state >> 30 & 1 == 1
      }
    }

    /// Whether more than a CPU and its cluster may lose what they hold in this state.
    ///
    /// The original format has PowerLevel in bits [25:24]: 0 for the CPU, 1 for its cluster. What a StateID of
    /// the extended format stands for only firmware knows.
    func mayTakeSystem(_ state: UInt64) -> Bool {
      guard isPowerDown(state) else { return false }
      return switch self {
      case .original: state >> 24 & 0b11 > 1
      case .extended: true
      }
    }
  }
}
