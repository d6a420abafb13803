// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Calls of firmware, beside those of PSCI, that are passed on for the host: those whose arguments and
/// results are numbers, and which change nothing that EL2 relies on.
///
/// Beside them the calls that the tree names are passed on, without arguments, where `Board.firmwareCalls` has
/// nothing against it.
///
/// Every other one is answered with NOT_SUPPORTED: services that take addresses, which firmware would
/// read, write or enter behind EL2's back (SDEI, FF-A, MEM_PROTECT, standard secure services), and those
/// of vendors (silicon provider, OEM, trusted applications and operating systems), of which nothing is
/// known.
public enum FirmwareService {
  /// SMCCC_VERSION (Arm DEN 0028, section 7.2).
  public static let smcccVersion: UInt32 = 0x8000_0000
  /// SMCCC_ARCH_FEATURES (DEN 0028, section 7.3).
  static let architectureFeatures: UInt32 = 0x8000_0001
  /// TRNG_FEATURES (Arm DEN 0098, section 2.3.2).
  static let randomFeatures: UInt32 = 0x8400_0051

  /// Whether the function `identifier` is passed on.
  @inline(__always)
  public static func isPassed(_ identifier: UInt32) -> Bool {
    // Fast calls of the architecture (owner 0) and standard secure services (4) alone.
    identifier & 0xbb00_0000 == 0x8000_0000 && isListed(identifier)
  }

  private static func isListed(_ identifier: UInt32) -> Bool {
    switch identifier {
    case smcccVersion, architectureFeatures: true
    case 0x8000_0002, 0xc000_0002: true  // SMCCC_ARCH_SOC_ID
    case 0x8000_8000: true  // SMCCC_ARCH_WORKAROUND_1: branch prediction
    case 0x8000_7fff: true  // SMCCC_ARCH_WORKAROUND_2: speculative store bypass
    case 0x8000_3fff: true  // SMCCC_ARCH_WORKAROUND_3: branch history
    case 0x8000_3ffe: true  // SMCCC_ARCH_WORKAROUND_4: prediction of other contexts
    case 0x8400_0050, randomFeatures, 0x8400_0052: true  // TRNG_VERSION, _FEATURES, _GET_UUID
    case 0x8400_0053, 0xc400_0053: true  // TRNG_RND
    default: false
    }
  }

  /// The numbers of calls that the tree names.
  public typealias TreeCalls = FixedList<4, UInt32>

  /// Serves a call that is no PSCI call; those of `treeCalls` are passed on with their numbers alone.
  public static func serve(
    _ call: SMCCC.Call, treeCalls: borrowing TreeCalls,
    through firmware: borrowing some Firmware & ~Copyable
  ) -> SMCCC.Result {
    for index in treeCalls.indices where treeCalls[index] == call.function {
      return firmware.call(SMCCC.Call(call.function))
    }
    guard isPassed(call.function) else { return SMCCC.Result(SMCCC.notSupported) }
    // A function that asks for another one tells of no more than is passed on.
    if call.function == architectureFeatures || call.function == randomFeatures {
      guard isPassed(UInt32(truncatingIfNeeded: call.argument1)) else {
        return SMCCC.Result(SMCCC.notSupported)
      }
    }
    return firmware.call(call)
  }
}
