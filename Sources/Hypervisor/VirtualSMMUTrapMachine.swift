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
struct VirtualSMMUTrapMachine<Machine: Platform>: VirtualSMMUMachine {
  private let platform: Machine
  private let number: UInt8
  private var unit: UInt16 { UInt16(number) }

  init(_ number: UInt8, _ platform: Machine) {
    self.platform = platform
    self.number = number
  }

  var memory: Machine.Memory { platform.memory }

  /// What the SMMU says of itself.
  var identification: SMMUIdentification? {
    withDriver(nil) { $0.identification(of: unit) }
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try platform.pages(holding: .smmu).hold(pages, in: &table)
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    platform.pages(holding: .smmu).release(slot, of: &table)
  }

  func activate(_ mode: StreamMode) -> Bool { withDriver(false) { $0.activate(mode, on: unit) } }

  func set(_ stream: StreamID, _ rule: StreamRule) -> StreamUpdate {
    withDriver(.notPermitted) { $0.set(stream, rule, on: unit) }
  }

  func nextStream(from stream: UInt64, upTo end: UInt64) -> UInt64? {
    withDriver(nil) { $0.nextStream(from: stream, upTo: end, on: unit) }
  }

  func invalidate(_ list: borrowing FixedList<32, Stage1Invalidation>) -> Bool {
    // What is borrowed can't be captured.
    let list = copy list
    return withDriver(false) { $0.invalidate(list.span, on: unit) }
  }

  func signalEvents(_ isOn: Bool) -> Bool {
    withDriver(false) { $0.signalEvents(isOn, on: unit) }
  }

  func drainEvents(atMost limit: UInt64) -> UInt64 {
    withDriver(0) {
      _ = $0.drainEvents(of: unit, atMost: limit)
      return $0.takeHostLosses(of: unit)
    }
  }

  func takeEvent() -> SMMUEvent? { withDriver(nil) { $0.takeHostEvent(of: unit) } }

  /// Asks the driver of the SMMUs; `absent` where there is none.
  private func withDriver<Result>(
    _ absent: Result, _ body: (inout SMMUGroup<Machine.SMMUs>) -> Result
  ) -> Result {
    platform.withDMA(else: absent) {
      $0.mirror?.withDriver(body) ?? absent
    }
  }
}
