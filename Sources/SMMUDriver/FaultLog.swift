// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import SMMU

/// Faults that wait to be logged, in order; what finds no room is counted alone.
struct FaultLog: Sendable {
  private static var capacity: Int { 32 }
  private var faults: InlineArray<32, SMMUFault>
  private var first = 0
  private var count = 0

  init() {
    faults = InlineArray(repeating: SMMUFault(unit: 0, event: SMMUEvent(0)))
  }

  /// Keeps a fault; false where there is no room, for the first ones tell most.
  mutating func append(_ fault: SMMUFault) -> Bool {
    guard count < Self.capacity else { return false }
    faults[(first + count) % Self.capacity] = fault
    count += 1
    return true
  }

  /// Takes the oldest.
  mutating func takeFirst() -> SMMUFault? {
    guard count > 0 else { return nil }
    let fault = faults[first]
    first = (first + 1) % Self.capacity
    count -= 1
    return fault
  }
}
