// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IDR1: sizes, and what is fixed (IHI 0070, 6.3).
public struct SMMUIDR1: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public var rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// SIDSIZE: the bits of a StreamID, bits [5:0].
  public var streamIDBits: UInt64 { bits.bits(5, 0) }
  /// SSIDSIZE: the bits of a SubstreamID, bits [10:6].
  public var substreamIDBits: UInt64 { bits.bits(10, 6) }
  /// PRIQS: log2 of the most entries, bits [15:11].
  public var requestQueueLog2: UInt64 { bits.bits(15, 11) }
  /// EVENTQS: log2 of the most entries, bits [20:16].
  public var eventQueueLog2: UInt64 { bits.bits(20, 16) }
  /// CMDQS: log2 of the most entries, bits [25:21].
  public var commandQueueLog2: UInt64 { bits.bits(25, 21) }
  /// ATTR_PERMS_OVR, bit [26].
  public var overridesPermissions: Bool { bits.bit(26) }
  /// ATTR_TYPES_OVR, bit [27].
  public var overridesTypes: Bool { bits.bit(27) }
  /// REL: preset bases are relative, bit [28].
  public var hasRelativeBases: Bool { bits.bit(28) }
  /// QUEUES_PRESET, bit [29].
  public var hasPresetQueues: Bool { bits.bit(29) }
  /// TABLES_PRESET, bit [30].
  public var hasPresetTables: Bool { bits.bit(30) }
  /// ECMDQ, bit [31].
  public var hasEnhancedCommandQueues: Bool { bits.bit(31) }
}
