// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The ISS of a data abort taken to EL2 (Arm ARM DDI 0487, ESR_EL2, "ISS encoding for an exception
/// from a Data Abort").
public struct DataAbortSyndrome: RawRepresentable, Hashable, Sendable {
  /// ESR_EL2, of which bits [24:0] count.
  public let rawValue: UInt64
  /// Makes the syndrome from ESR_EL2 or from its ISS.
  @inline(__always)
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// ISV, bit [24]: whether width, extension and register, bits [23:14], are valid.
  @inline(__always)
  public var isValid: Bool { rawValue.bit(24) }
  /// SAS, bits [23:22]: log2 of the bytes accessed.
  @inline(__always)
  public var accessSize: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 22) & 3 }
  /// SSE, bit [21]: whether a load extends the sign.
  @inline(__always)
  public var extendsSign: Bool { rawValue.bit(21) }
  /// SRT, bits [20:16]: the general-purpose register; 31 is XZR.
  @inline(__always)
  public var register: RegisterNumber { RegisterNumber(rawValue >> 16) }
  /// SF, bit [15]: whether a load writes all 64 bits of the register, not 32.
  @inline(__always)
  public var is64BitRegister: Bool { rawValue.bit(15) }
  /// AR, bit [14]: whether the instruction has acquire or release semantics.
  @inline(__always)
  public var isAcquireRelease: Bool { rawValue.bit(14) }
  /// VNCR, bit [13]: whether the access was made in place of one to a system register.
  @inline(__always)
  public var isVNCR: Bool { rawValue.bit(13) }
  /// LST or SET, bits [12:11]: the 64-byte access of a stage-2 fault; of an external abort, the
  /// state of the PE.
  @inline(__always)
  public var loadStoreType: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 11) & 3 }
  /// FnV, bit [10]: whether FAR is not valid; only external aborts set it.
  @inline(__always)
  public var isFaultAddressInvalid: Bool { rawValue.bit(10) }
  /// EA, bit [9]: how an external abort is classified; implementation defined.
  @inline(__always)
  public var isExternal: Bool { rawValue.bit(9) }
  /// CM, bit [8]: whether the instruction is cache maintenance or address translation.
  @inline(__always)
  public var isCacheMaintenance: Bool { rawValue.bit(8) }
  /// S1PTW, bit [7]: whether stage 2 refused the read of a stage-1 descriptor.
  @inline(__always)
  public var isStage1Walk: Bool { rawValue.bit(7) }
  /// WnR, bit [6]: whether the access is a write; always set with ``isCacheMaintenance``.
  @inline(__always)
  public var isWrite: Bool { rawValue.bit(6) }
  /// DFSC, bits [5:0]: what went wrong.
  @inline(__always)
  public var status: FaultStatus { FaultStatus(rawValue: UInt8(truncatingIfNeeded: rawValue)) }
}
