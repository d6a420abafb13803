// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// GICR_CTLR: the control register of a Redistributor (IHI 0069, 12.11.2).
public struct GICRControl: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt64
  /// Makes it from the register's value.
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// EnableLPIs, bit [0], as a mask.
  public static var enable: UInt64 { 1 }
  /// DPG0, DPG1NS and DPG1S, bits [26:24], as a mask: which interrupts of the 1 of N model it takes.
  public static var groups: UInt64 { 0b111 << 24 }

  /// EnableLPIs, bit [0].
  public var isEnabled: Bool { rawValue & Self.enable != 0 }
  /// CES, bit [1]: EnableLPIs can be cleared; without it that is the implementation's choice.
  public var canBeDisabled: Bool { rawValue & 1 << 1 != 0 }
  /// IR, bit [2]: GICR_INVLPIR and GICR_INVALLR are there, without GICR_TYPER.DirectLPI as well.
  public var hasInvalidation: Bool { rawValue & 1 << 2 != 0 }
  /// RWP, bit [3]: a write has not taken effect everywhere yet.
  public var isWritePending: Bool { rawValue & 1 << 3 != 0 }

  /// Whether the Redistributor does not touch its LPI tables: neither enabled nor on the way there.
  public var isIdle: Bool { !isEnabled && !isWritePending }
}
