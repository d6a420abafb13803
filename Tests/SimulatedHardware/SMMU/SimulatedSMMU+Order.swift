// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU

// When invalidations take effect: each at any time until the next CMD_SYNC completes, in any order. Whatever is
// still there meanwhile may be used to fill what is gone already.
extension SimulatedSMMU {
  private static var mostRecent: Int { 4 }

  /// Begins with an invalidation.
  func begin(_ command: SMMUCommand) {
    switch configuration.invalidation {
    case .immediate: invalidate(command)
    case .atSync: state.pending.append(command)
    case .anyOrder:
      state.pending.append(command)
      accessAgain()
      while !state.pending.isEmpty, chance(2) == 0 { takeEffect() }
    }
  }

  /// Has everything take effect.
  func complete() {
    guard case .anyOrder = configuration.invalidation else {
      for command in state.pending.reversed() { invalidate(command) }
      state.pending = []
      return
    }
    while !state.pending.isEmpty { takeEffect() }
  }

  private func takeEffect() {
    invalidate(state.pending.remove(at: chance(state.pending.count)))
    accessAgain()
  }

  /// Has the devices access again, or not, what they have accessed lately.
  private func accessAgain() {
    guard control.contains(.translates) else { return }
    checkTables()
    for transaction in state.recent where chance(4) != 0 {
      guard let translated = try? translate(transaction), transaction.type == .request else {
        continue
      }
      answer(transaction, translated)
    }
  }

  /// Remembers what a device has accessed.
  func remember(_ transaction: DeviceTransaction) {
    guard case .anyOrder = configuration.invalidation else { return }
    // A write may not be made twice, and so is a read.
    var transaction = transaction
    transaction.value = nil
    state.recent.removeAll { $0 == transaction }
    if state.recent.count == Self.mostRecent { state.recent.removeFirst() }
    state.recent.append(transaction)
  }

  /// A number below `bound`, by the seed.
  private func chance(_ bound: Int) -> Int { Int(state.chance.next() % UInt64(bound)) }
}
