// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import CHardware
internal import Hypervisor

/// The firmware below EL2, by SMC.
struct MetalFirmware: Firmware {
  func call(_ call: SMCCC.Call) -> UInt64 {
    pc_smc(UInt64(call.function), call.argument1, call.argument2, call.argument3).x0
  }
}
