// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import Hypervisor

/// The firmware below EL2, by SMC.
struct MetalFirmware: Firmware {
  func call(_ call: SMCCC.Call) -> SMCCC.Result {
    let answer = pc_smc(UInt64(call.function), call.argument1, call.argument2, call.argument3)
    var result = SMCCC.Result(answer.x0)
    result.x1 = answer.x1
    result.x2 = answer.x2
    result.x3 = answer.x3
    return result
  }
}
