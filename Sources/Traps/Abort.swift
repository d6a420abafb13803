// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A data or instruction abort that the host took to EL2.
public struct Abort: Hashable, Sendable {
  /// ESR_EL2.
  public let syndrome: ExceptionSyndrome
  /// FAR_EL2: the virtual address that the host used.
  public let faultAddress: UInt64
  /// HPFAR_EL2: the page of the intermediate physical address, where the fault has one.
  public let faultPage: UInt64

  /// Takes the three registers; nil where the exception isn't an abort from a lower Exception level.
  @inline(__always)
  public init?(esr: UInt64, far: UInt64, hpfar: UInt64) {
    syndrome = ExceptionSyndrome(rawValue: esr)
    faultAddress = far
    faultPage = hpfar
    let abortClass = syndrome.exceptionClass
    guard abortClass == .dataAbortLower || abortClass == .instructionAbortLower else { return nil }
  }

  /// Whether the host fetched an instruction.
  public var isInstructionFetch: Bool {
    syndrome.exceptionClass == .instructionAbortLower
  }

  /// The ISS, read as that of a data abort; its common fields hold for an instruction abort too.
  @inline(__always)
  public var data: DataAbortSyndrome { DataAbortSyndrome(rawValue: syndrome.rawValue) }

  /// Whether stage 2 refused the read of a descriptor of the host's own stage-1 tables.
  public var isStage1Walk: Bool { data.isStage1Walk }

  /// The 4 KiB page that HPFAR_EL2 names: FIPA, bits [47:4], is bits [55:12] of the address.
  ///
  /// NS, bit [63], says which physical space a Secure fault is in and is no part of the address.
  /// Bits of an address beyond 52 are kept, so that no such address can pass for a smaller one.
  @inline(__always)
  static func page(_ hpfar: UInt64) -> UInt64 { (hpfar & 0x0000_ffff_ffff_fff0) << 8 }

  /// The intermediate physical address that stage 2 refused; nil where hardware doesn't tell it.
  ///
  /// HPFAR_EL2 is written for address size, translation and access flag faults of stage 2, and for
  /// any stage-2 fault of a stage-1 walk; for a permission fault of the access itself it is UNKNOWN
  /// (Arm ARM DDI 0487, HPFAR_EL2). The offset in the page comes from FAR_EL2, except on a stage-1
  /// walk: then FAR_EL2 is the address under translation, and only the page of the descriptor is
  /// known.
  public var address: IntermediatePhysicalAddress? {
    let page = Self.page(faultPage)
    if isStage1Walk { return IntermediatePhysicalAddress(page) }
    switch data.status.kind {
    case .addressSize, .translation, .accessFlag:
      return IntermediatePhysicalAddress(page | (faultAddress & 0xfff))
    case .permission, .externalAbort, .externalAbortOnWalk, .other:
      return nil
    }
  }
}
