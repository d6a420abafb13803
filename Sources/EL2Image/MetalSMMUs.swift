// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMUDriver

/// What the driver of the SMMUs needs of this machine; it gives one a million looks, each a read of a register.
struct MetalSMMUs: SMMUMachine {
  let memory = MetalBusMemory()
  let registers = MetalDeviceMemory()
}
