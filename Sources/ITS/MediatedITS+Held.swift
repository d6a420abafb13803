// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import Ownership

extension MediatedITS {
  /// A page of `wanted` that is held for the host's queue or for the table of a vPE; nil where none is.
  public func held<Memory: TableMemory & ~Copyable>(
    of wanted: PageRange, memory: borrowing Memory
  ) -> PageFrameNumber? {
    if staging.pin != nil, let queue = staging.pages, queue.overlaps(wanted) {
      return max(queue.first, wanted.first)
    }
    return heldTables.firstHeld(of: wanted, memory: memory)
  }
}
