// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// An exception as the vectors recorded it.
struct TakenException {
  /// The offset of the vector (DDI 0487, D1.4.1: 0x000 SP_EL0, 0x200 SP_EL1, 0x400 from EL0).
  let vector: UInt64
  let syndrome: UInt64
  let faultAddress: UInt64
  /// ELR_EL1 and SPSR_EL1.
  let returnAddress: UInt64
  let savedState: UInt64

  /// The last exception of this CPU.
  init(of cpu: UInt64) {
    vector = el1_record(cpu, UInt64(EL1_WORD_VECTOR))
    syndrome = el1_record(cpu, UInt64(EL1_WORD_ESR))
    faultAddress = el1_record(cpu, UInt64(EL1_WORD_FAR))
    returnAddress = el1_record(cpu, UInt64(EL1_WORD_ELR))
    savedState = el1_record(cpu, UInt64(EL1_WORD_SPSR))
  }

  /// ESR_EL1.EC, and the fields of an abort's ISS (DDI 0487, ESR_EL1).
  var exceptionClass: UInt64 { syndrome >> 26 & 0x3f }
  var instructionLength: UInt64 { syndrome >> 25 & 1 }
  var syndromeValid: UInt64 { syndrome >> 24 & 1 }
  var faultAddressNotValid: UInt64 { syndrome >> 10 & 1 }
  var cacheMaintenance: UInt64 { syndrome >> 8 & 1 }
  var stageOneWalk: UInt64 { syndrome >> 7 & 1 }
  var write: UInt64 { syndrome >> 6 & 1 }
  var faultStatus: UInt64 { syndrome & 0x3f }
}

/// Values of ESR_EL1.EC.
enum ExceptionClass {
  static let unknown: UInt64 = 0x00
  static let svc: UInt64 = 0x15
  static let instructionAbortSameLevel: UInt64 = 0x21
  static let dataAbortLowerLevel: UInt64 = 0x24
  static let dataAbortSameLevel: UInt64 = 0x25
}

/// Values of the fault status code of an abort.
enum FaultStatus {
  static let externalAbort: UInt64 = 0x10
  /// External abort on a translation table walk, levels 0 to 3.
  static let externalAbortOnWalk: ClosedRange<UInt64> = 0x14...0x17
  static let alignment: UInt64 = 0x21
}

/// PSTATE as SPSR_EL1 holds it: level and stack pointer.
enum ProcessorMode {
  static let el0: UInt64 = 0b0000
  static let el1t: UInt64 = 0b0100
  static let el1h: UInt64 = 0b0101
}
