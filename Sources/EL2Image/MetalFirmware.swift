// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import Boards
internal import Hypervisor

/// The firmware below this exception level, as far as the device tree tells of one.
///
/// A call that nobody answers is an exception that nobody expects, so that none is made unless the tree says how.
struct MetalFirmware: Firmware {
  private enum Conduit: UInt8 { case none, smc, hvc }
  /// Zero, as all memory of the image is before it is written to, is none.
  private let conduit: Conduit

  /// No firmware: every call is answered with NOT_SUPPORTED.
  static var none: MetalFirmware { MetalFirmware(.none) }

  private init(_ conduit: Conduit) { self.conduit = conduit }

  /// The firmware of `board` for code at an exception level: an HVC from EL2 is no call of firmware, and from
  /// EL3 nothing is.
  init(_ board: borrowing Board, exceptionLevel: UInt64 = 2) {
    switch board.psci?.conduit {
    case .smc where exceptionLevel < 3: conduit = .smc
    case .hvc where exceptionLevel < 2: conduit = .hvc
    default: conduit = .none
    }
  }

  func call(_ call: SMCCC.Call) -> SMCCC.Result {
    let function = UInt64(call.function)
    let answer: pc_smccc_result
    switch conduit {
    case .none: return SMCCC.Result(SMCCC.notSupported)
    case .smc: answer = pc_smc(function, call.argument1, call.argument2, call.argument3)
    case .hvc: answer = pc_hvc(function, call.argument1, call.argument2, call.argument3)
    }
    var result = SMCCC.Result(answer.x0)
    result.x1 = answer.x1
    result.x2 = answer.x2
    result.x3 = answer.x3
    return result
  }
}
