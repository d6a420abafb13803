// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The saved processor state of the host: SPSR_EL2 (Arm ARM DDI 0487, SPSR_EL2).
struct ProcessorState: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  var rawValue: UInt64
  @inline(__always)
  init(rawValue: UInt64) { self.rawValue = rawValue }

  /// N, Z, C and V, which an exception leaves as they are.
  static var conditionFlags: UInt64 { 0xf << 28 }
  /// TCO, of MTE: tag checks are off.
  static var tagCheckOverride: UInt64 { 1 << 25 }
  /// DIT: data-independent timing; the same bit whether the host ran AArch64 or AArch32.
  static var dataIndependentTiming: UInt64 { 1 << 24 }
  /// PAN: privileged access never; the same bit whether the host ran AArch64 or AArch32.
  static var privilegedAccessNever: UInt64 { 1 << 22 }
  /// SS: a software step is active and not pending.
  @inline(__always)
  static var softwareStep: UInt64 { 1 << 21 }
  /// ALLINT: all interrupts are masked, of FEAT_NMI.
  static var allInterruptMask: UInt64 { 1 << 13 }
  /// SSBS: speculative store bypass is safe, in AArch64.
  static var speculativeStoreBypassSafe: UInt64 { 1 << 12 }
  /// BTYPE: the kind of the last branch, of FEAT_BTI.
  @inline(__always)
  static var branchType: UInt64 { 0b11 << 10 }
  /// D, A, I and F: debug, SError, IRQ and FIQ are masked.
  static var exceptionMasks: UInt64 { 0xf << 6 }
  /// M[4]: the host ran AArch32.
  @inline(__always)
  static var aarch32: UInt64 { 1 << 4 }
  /// M[3:0] of EL1 with its own stack pointer.
  static var el1h: UInt64 { 0b0101 }
  /// T, of AArch32: the host ran T32.
  static var thumb: UInt64 { 1 << 5 }
  /// E, of AArch32: data is big-endian.
  static var aarch32BigEndian: UInt64 { 1 << 9 }
  /// IT[7:2] and IT[1:0], of AArch32.
  static var ifThen: UInt64 { 0b11 << 25 | 0b11_1111 << 10 }

  /// Whether the host ran AArch32, which only its EL0 can (HCR_EL2.RW is set).
  var isAArch32: Bool { rawValue & Self.aarch32 != 0 }
  /// Whether the host ran at EL0.
  var isEL0: Bool { isAArch32 || rawValue & 0b1100 == 0 }
  /// Whether the host used the stack pointer of its Exception level, not SP_EL0.
  var usesOwnStackPointer: Bool { rawValue & 1 != 0 }

  /// The offset of the vector for a synchronous exception to EL1 (Arm ARM DDI 0487, D1.3.1).
  var vectorOffset: UInt64 {
    if isAArch32 { return 0x600 }
    if isEL0 { return 0x400 }
    return usesOwnStackPointer ? 0x200 : 0
  }
}
