// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Hypervisor
internal import Traps

// The SMMUs are EL2's own: whatever the host does to one is refused, and has their events read.
extension HostTrap {
  @inline(never)
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect {
    DMAFaults.drain()
    return .refused(.device)
  }

  @inline(never)
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    DMAFaults.drain()
    return .refused(.device)
  }
}
