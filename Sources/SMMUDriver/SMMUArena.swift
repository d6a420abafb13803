// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The memory that one SMMU's queues and stream table come from: handed out in order, for good.
struct SMMUArena {
  private var next: UInt64
  private let end: UInt64

  init(_ pages: PageRange) {
    next = pages.first.address.rawValue
    end = next + pages.count << PageFrameNumber.shift
  }

  /// Takes `size` zeroed bytes, a power of two and at least 64, aligned to their size; nil where there is
  /// no room.
  mutating func take<Memory: BusMemory>(_ size: UInt64, _ memory: Memory) -> PhysicalAddress? {
    let start = (next + size - 1) & ~(size - 1)
    guard start <= end, size <= end - start else { return nil }
    next = start + size
    let address = PhysicalAddress(start)
    memory.zero(address, size: size)
    return address
  }
}
