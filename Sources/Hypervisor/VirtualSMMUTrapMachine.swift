// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import IOMMU
internal import Ownership
internal import SMMU
internal import SMMUDriver
internal import VirtualSMMU

/// What a virtual SMMU needs, with its lock held: the owners of pages, and the SMMU behind it, each asked with the
/// lock of rank `ownership`.
struct VirtualSMMUTrapMachine<Board: BoardPlatform>: VirtualSMMUMachine {
  private let platform: Board
  private let unit: UInt16

  init(_ number: UInt8, _ platform: Board) {
    self.platform = platform
    unit = UInt16(number)
  }

  var memory: Board.Memory { platform.memory }

  /// What the SMMU says of itself.
  var identification: SMMUIdentification? {
    var answer: SMMUIdentification?
    withProtection { answer = $0.mirror?.driver.identification(of: unit) }
    return answer
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    guard !platform.state.shared.reserved.overlaps(pages) else {
      throw .refusedByHypervisor(pages.first)
    }
    return try platform.pages(holding: .smmu).hold(pages, in: &table)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    platform.pages(holding: .smmu).release(slot, of: &table)
  }

  func activate(_ mode: StreamMode) -> Bool {
    var isDone = false
    withProtection { isDone = $0.mirror?.driver.activate(mode, on: unit) ?? false }
    return isDone
  }

  func set(_ stream: StreamID, _ rule: StreamRule) -> StreamUpdate {
    var update = StreamUpdate.notPermitted
    withProtection { update = $0.mirror?.driver.set(stream, rule, on: unit) ?? update }
    return update
  }

  func nextStream(from stream: UInt64, upTo end: UInt64) -> UInt64? {
    var next: UInt64?
    withProtection { next = $0.mirror?.driver.nextStream(from: stream, upTo: end, on: unit) }
    return next
  }

  func invalidate(_ list: borrowing FixedList<32, Stage1Invalidation>) -> Bool {
    // What is borrowed can't be captured.
    let list = copy list
    var isDone = false
    withProtection { isDone = $0.mirror?.driver.invalidate(list.span, on: unit) ?? false }
    return isDone
  }

  func signalEvents(_ isOn: Bool) -> Bool {
    var isDone = false
    withProtection { isDone = $0.mirror?.driver.signalEvents(isOn, on: unit) ?? false }
    return isDone
  }

  func drainEvents(atMost limit: UInt64) -> UInt64 {
    var losses: UInt64 = 0
    withProtection {
      _ = $0.mirror?.driver.drainEvents(of: unit, atMost: limit)
      losses = $0.mirror?.driver.takeHostLosses(of: unit) ?? 0
    }
    return losses
  }

  func takeEvent() -> SMMUEvent? {
    var event: SMMUEvent?
    withProtection { event = $0.mirror?.driver.takeHostEvent(of: unit) }
    return event
  }

  private func withProtection(_ body: (inout DMAProtection<Board>) -> Void) {
    var held = HeldLocks(holding: .smmu)
    platform.state.shared.ownershipLock.withLock(&held) { _ in
      platform.state.shared.ownership.updateObserver { (protection, _, _, _) in
        body(&protection)
      }
    }
  }
}
