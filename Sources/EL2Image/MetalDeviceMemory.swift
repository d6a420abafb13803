// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware

/// Device registers by guarded accesses: an external abort is an answer, not the end of EL2.
struct MetalDeviceMemory: DeviceMemory {
  @inline(always)
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    let answer =
      switch width {
      case .byte: pc_try_readb(address.rawValue)
      case .half: pc_try_readw(address.rawValue)
      case .word: pc_try_readl(address.rawValue)
      case .double: pc_try_readq(address.rawValue)
      }
    return answer.aborted == 0 ? answer.value : nil
  }

  @inline(always)
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    let aborted =
      switch width {
      case .byte: pc_try_writeb(address.rawValue, value)
      case .half: pc_try_writew(address.rawValue, value)
      case .word: pc_try_writel(address.rawValue, value)
      case .double: pc_try_writeq(address.rawValue, value)
      }
    return aborted == 0
  }

  @inline(always)
  func orderAccesses() { pc_dmb_sy() }
}
