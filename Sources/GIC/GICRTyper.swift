// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GICR_TYPER: what a Redistributor implements, and whose it is (IHI 0069, 12.11.35).
public struct GICRTyper: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// PLPIS, bit [0].
  public var hasPhysicalLPIs: Bool { rawValue & 1 != 0 }
  /// VLPIS, bit [1]: two more frames of 64 KiB follow.
  public var hasVirtualLPIs: Bool { rawValue & 1 << 1 != 0 }
  /// RVPEID, bit [7]: GICv4.1, whose vPEs are named by number and found in a table.
  public var hasVPETable: Bool { rawValue & 1 << 7 != 0 }
  /// DirectLPI, bit [3].
  public var hasDirectLPIs: Bool { rawValue & 1 << 3 != 0 }
  /// Last, bit [4]: no Redistributor follows in the region.
  public var isLast: Bool { rawValue & 1 << 4 != 0 }
  /// Processor_Number, bits [23:8]: how an ITS with GITS_TYPER.PTA clear names it.
  public var processorNumber: UInt64 { rawValue >> 8 & 0xffff }
  /// CommonLPIAff, bits [25:24].
  public var commonLPIAffinity: UInt64 { rawValue >> 24 & 0b11 }
  /// Affinity_Value, bits [63:32]: Aff3 to Aff0 of the PE.
  public var affinity: UInt32 { UInt32(truncatingIfNeeded: rawValue >> 32) }
  /// The bytes from this Redistributor to the next one.
  public var size: UInt64 { hasVirtualLPIs ? 0x4_0000 : 0x2_0000 }

  /// The value without what makes virtual LPIs usable: Dirty, bit [2], and RVPEID, bit [7].
  ///
  /// VLPIS stays: it also says how far away the next Redistributor is.
  public var withoutVPEs: GICRTyper { GICRTyper(rawValue: rawValue & ~(1 << 2 | 1 << 7)) }

  /// Whether two Redistributors must have the same LPI Configuration table (CommonLPIAff).
  public func sharesConfiguration(with other: GICRTyper) -> Bool {
    guard commonLPIAffinity == other.commonLPIAffinity else { return false }
    // 0: all of them; 1: the same Aff3; 2: the same Aff3 and Aff2; 3: the same Aff3 to Aff1.
    let shift = 32 - 8 * UInt32(truncatingIfNeeded: commonLPIAffinity)
    return UInt64(affinity) >> shift == UInt64(other.affinity) >> shift
  }
}
