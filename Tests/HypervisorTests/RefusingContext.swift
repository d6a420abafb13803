// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor
import Traps

/// A context in which nobody answers, but for what a test gives it.
protocol RefusingContext: ProtectionContext {}

extension RefusingContext {
  func readITS(_ number: UInt8, _ access: Access) -> ReadEffect { .refused(.noHandler) }
  func writeITS(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    .refused(.noHandler)
  }
  func readRedistributor(_ number: Int, _ access: Access) -> ReadEffect { .refused(.noHandler) }
  func writeRedistributor(_ number: Int, _ access: Access, _ value: UInt64) -> WriteEffect {
    .refused(.noHandler)
  }
  func readSMMU(_ number: UInt8, _ access: Access) -> ReadEffect { .refused(.noHandler) }
  func writeSMMU(_ number: UInt8, _ access: Access, _ value: UInt64) -> WriteEffect {
    .refused(.noHandler)
  }
}
