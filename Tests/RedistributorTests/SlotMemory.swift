// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Redistributor

/// Memory for the places of Redistributors, as long as it lives.
final class SlotMemory {
  private let memory = UnsafeMutableRawPointer.allocate(
    byteCount: Int(RedistributorSlots.size), alignment: 16)
  var slots: RedistributorSlots { unsafe RedistributorSlots(memory) }

  deinit { unsafe memory.deallocate() }
}
