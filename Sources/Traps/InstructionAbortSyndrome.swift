// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The ISS of an instruction abort taken to EL2 (Arm ARM DDI 0487, ESR_EL2, "ISS encoding for an
/// exception from an Instruction Abort").
public struct InstructionAbortSyndrome: RawRepresentable, Hashable, Sendable {
  /// ESR_EL2, of which bits [24:0] count.
  public let rawValue: UInt64
  /// Makes the syndrome from ESR_EL2 or from its ISS.
  @inline(__always)
  public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// SET, bits [12:11]: the state of the PE after an external abort.
  public var errorType: UInt8 { UInt8(truncatingIfNeeded: rawValue >> 11) & 3 }
  /// FnV, bit [10]: whether FAR is not valid; only external aborts set it.
  public var isFaultAddressInvalid: Bool { rawValue.bit(10) }
  /// EA, bit [9]: how an external abort is classified; implementation defined.
  public var isExternal: Bool { rawValue.bit(9) }
  /// S1PTW, bit [7]: whether stage 2 refused the read of a stage-1 descriptor.
  public var isStage1Walk: Bool { rawValue.bit(7) }
  /// IFSC, bits [5:0]: what went wrong.
  public var status: FaultStatus { FaultStatus(rawValue: UInt8(truncatingIfNeeded: rawValue)) }
}
