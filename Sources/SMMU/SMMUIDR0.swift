// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IDR0: what an SMMU can do (IHI 0070, 6.3).
public struct SMMUIDR0: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// What a stalled transaction can come to.
  public enum StallModel: UInt8, Sendable {
    /// Streams choose between stalling and terminating.
    case stallOrTerminate = 0
    /// A fault always terminates.
    case terminateOnly = 1
    /// A fault always stalls.
    case stallOnly = 2
  }

  /// S2P, bit [0].
  public var hasStage2: Bool { bits.bit(0) }
  /// S1P, bit [1].
  public var hasStage1: Bool { bits.bit(1) }
  /// TTF, bits [3:2]: whether tables of AArch64 are understood.
  public var hasAArch64Tables: Bool { bits.bit(3) }
  /// COHACC: queues and tables are read through the caches of the CPUs, bit [4].
  public var isCoherent: Bool { bits.bit(4) }
  /// BTM: the TLB maintenance of the CPUs is obeyed, bit [5].
  public var followsBroadcasts: Bool { bits.bit(5) }
  /// HTTU: Access flag, and dirty state, bits [7:6].
  public var hardwareUpdates: UInt64 { bits.bits(7, 6) }
  /// DORMHINT, bit [8].
  public var hasDormancyHint: Bool { bits.bit(8) }
  /// HYP: stage 1 of EL2, bit [9].
  public var hasHypervisorContexts: Bool { bits.bit(9) }
  /// ATS, bit [10].
  public var hasATS: Bool { bits.bit(10) }
  /// NS1ATS: no split-stage ATS, bit [11].
  public var hasStage1ATSOnly: Bool { bits.bit(11) }
  /// ASID16, bit [12].
  public var hasASID16: Bool { bits.bit(12) }
  /// MSI: it can signal by writing, bit [13].
  public var hasMSI: Bool { bits.bit(13) }
  /// SEV: it can signal by an event, bit [14].
  public var hasSEV: Bool { bits.bit(14) }
  /// ATOS: translation on request of software, bit [15].
  public var hasATOS: Bool { bits.bit(15) }
  /// PRI, bit [16].
  public var hasPRI: Bool { bits.bit(16) }
  /// VMW, bit [17].
  public var hasVMIDWildcards: Bool { bits.bit(17) }
  /// VMID16, bit [18].
  public var hasVMID16: Bool { bits.bit(18) }
  /// CD2L, bit [19].
  public var hasTwoLevelContextTables: Bool { bits.bit(19) }
  /// VATOS, bit [20].
  public var hasVATOS: Bool { bits.bit(20) }
  /// TTENDIAN: 0 mixed, 2 little, 3 big, bits [22:21].
  public var tableEndianness: UInt64 { bits.bits(22, 21) }
  /// ATSRECERR, bit [23].
  public var recordsATSErrors: Bool { bits.bit(23) }
  /// STALL_MODEL, bits [25:24]; nil for a reserved value.
  public var stallModel: StallModel? {
    StallModel(rawValue: UInt8(truncatingIfNeeded: bits.bits(25, 24)))
  }
  /// TERM_MODEL: a terminated transaction aborts, bit [26].
  public var alwaysAborts: Bool { bits.bit(26) }
  /// ST_LEVEL, bits [28:27]: whether a stream table may have two levels.
  public var hasTwoLevelStreamTables: Bool { bits.bits(28, 27) == 1 }
}
