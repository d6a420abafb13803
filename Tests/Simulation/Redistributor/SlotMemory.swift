// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Redistributor

/// Memory for the places of Redistributors, as long as it lives.
package final class SlotMemory {
  private let memory = UnsafeMutableRawPointer.allocate(
    byteCount: Int(RedistributorSlots.size), alignment: 16)
  package var slots: RedistributorSlots { unsafe RedistributorSlots(memory) }

  package init() {}
  deinit { unsafe memory.deallocate() }
}
