// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why firmware that runs at EL2 can't go on at EL1.
public enum FirmwareRefusal: Error, Hashable, Sendable {
  /// HCR_EL2.E2H is set: the registers have other layouts, and the timer is another.
  case hostExtensions
  /// SCTLR_EL2.M is clear.
  case noTranslation
  /// SCTLR_EL2.EE is set.
  case bigEndian
  /// SCTLR_EL2.TCF is not zero.
  case tagChecks
  /// TCR_EL2 says a granule, a size or addresses of 52 bits that are not read here.
  case geometry
  /// SPSel is zero: exceptions would come by other vectors.
  case stack
  /// CNTHP_CTL_EL2.ENABLE is set: EL1 has no such timer.
  case timer
  /// TCR2_EL2 is not zero: the translation means something else.
  case extendedTranslation
  /// SCTLR2_EL2 is not zero: it has controls that EL1 is not given.
  case extendedControl
  /// GCSCR_EL2 is not zero: it uses Guarded Control Stacks.
  case guardedStacks
  /// SCTLR_EL2.C, or IRGN0 or ORGN0 of TCR_EL2, is zero: it reads memory past the caches.
  case uncached
  /// A table of the translation is not in the firmware's memory.
  case tableOutsideMemory(PhysicalAddress)
  /// There are more ranges than this that it executes and that are not memory.
  case tooManyExecuted(limit: Int)
  /// There are more tables than this.
  case tooManyTables(limit: Int)

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .hostExtensions: "HCR_EL2.E2H is set"
    case .noTranslation: "its MMU is off"
    case .bigEndian: "SCTLR_EL2.EE is set"
    case .tagChecks: "SCTLR_EL2.TCF is set"
    case .geometry: "TCR_EL2 says a translation that EL1 is not given"
    case .stack: "it runs on SP_EL0"
    case .timer: "it uses the timer of EL2, CNTHP"
    case .extendedTranslation: "TCR2_EL2 is not zero"
    case .extendedControl: "SCTLR2_EL2 is not zero"
    case .guardedStacks: "GCSCR_EL2 is not zero"
    case .uncached: "SCTLR_EL2.C, or IRGN0 or ORGN0 of TCR_EL2, is zero: it does not use caches"
    case .tableOutsideMemory: "a table of its translation is not in memory"
    case .tooManyExecuted: "it executes in too many places that are no memory"
    case .tooManyTables: "its translation has too many tables"
    }
  }
}
