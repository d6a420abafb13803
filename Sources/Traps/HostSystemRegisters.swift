// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The system registers of the host that an abort reads or changes, on the CPU that took it.
///
/// On metal each is one MRS or MSR; in tests a struct of values.
public protocol HostSystemRegisters: ~Copyable {
  /// What the CPU implements.
  var features: HostFeatures { get }

  /// ELR_EL2: where the host continues.
  var elrEL2: UInt64 { get nonmutating set }
  /// SPSR_EL2: the processor state that the host continues with.
  var spsrEL2: UInt64 { get nonmutating set }

  /// ESR_EL1.
  var esrEL1: UInt64 { get nonmutating set }
  /// FAR_EL1.
  var farEL1: UInt64 { get nonmutating set }
  /// ELR_EL1.
  var elrEL1: UInt64 { get nonmutating set }
  /// SPSR_EL1.
  var spsrEL1: UInt64 { get nonmutating set }

  /// VBAR_EL1.
  var vbarEL1: UInt64 { get }
  /// SCTLR_EL1.
  var sctlrEL1: UInt64 { get }
  /// SCTLR2_EL1; asked for only with ``HostFeatures/doubleFault2``.
  var sctlr2EL1: UInt64 { get }
  /// TCR_EL1.
  var tcrEL1: UInt64 { get }
  /// TTBR0_EL1.
  var ttbr0EL1: UInt64 { get }
  /// TTBR1_EL1.
  var ttbr1EL1: UInt64 { get }
}
