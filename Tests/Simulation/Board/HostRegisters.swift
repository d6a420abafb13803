// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Traps

/// The host's system registers of one CPU.
package final class HostRegisters: HostSystemRegisters {
  package var features: HostFeatures { .none }
  package var elrEL2: UInt64 = 0
  package var spsrEL2: UInt64 = 0b0101
  package var esrEL1: UInt64 = 0
  package var farEL1: UInt64 = 0
  package var elrEL1: UInt64 = 0
  package var spsrEL1: UInt64 = 0
  package var vbarEL1: UInt64 = 0xffff_0000_0000_0000
  package var sctlrEL1: UInt64 = 0
  package var sctlr2EL1: UInt64 = 0
  package var tcrEL1: UInt64 = 0
  package var ttbr0EL1: UInt64 = 0
  package var ttbr1EL1: UInt64 = 0
}
