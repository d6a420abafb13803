// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership
public import SMMU
public import SMMUDriver

/// What a virtual SMMU needs of the machine and of the rest of the hypervisor.
///
/// What speaks of the hardware is what `SMMUGroup` offers, for the one SMMU that stands behind the virtual
/// one; it and the pins take the lock of rank `ownership`.
public protocol VirtualSMMUMachine: ~Copyable {
  /// Memory that EL2 owns, or that the host has shared and a pin holds.
  associatedtype Memory: HostMemory

  /// The memory.
  var memory: Memory { get }

  /// Shares pages of the host's memory, if they are not shared yet, and pins them in a slot of `table`.
  ///
  /// - Throws: any `OwnershipError`; nothing has changed then.
  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64
  /// Ends what ``hold(_:in:)`` began.
  func release(_ slot: UInt64, of table: inout PinTable)

  /// Has all streams go by one rule, or each by its own; false where the SMMU has not confirmed.
  func activate(_ mode: StreamMode) -> Bool
  /// Has a stream go by a rule.
  func set(_ stream: StreamID, _ rule: StreamRule) -> StreamUpdate
  /// The first stream from `stream` on, up to `end`, that may have a rule other than `invalid`.
  func nextStream(from stream: UInt64, upTo end: UInt64) -> UInt64?
  /// Has the SMMU forget parts of stage 1; false where it has not confirmed.
  func invalidate(_ list: borrowing FixedList<32, Stage1Invalidation>) -> Bool
  /// Whether the wire of the event queue signals; false where the SMMU does not obey.
  func signalEvents(_ isOn: Bool) -> Bool
  /// Reads at most `limit` events of the hardware; those of the host wait for ``takeEvent()``.
  ///
  /// - Returns: how many events of the host were lost since the last call, because too many waited there or
  ///   in the hardware's queue.
  func drainEvents(atMost limit: UInt64) -> UInt64
  /// Takes the oldest event of the host, as the hardware has recorded it.
  func takeEvent() -> SMMUEvent?
}
