// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why a live ITS was not taken over; the host's ITS works as before then.
public enum HandoverError: Error, Hashable, Sendable {
  /// The descriptor can't be read: it is not the host's own memory, or not aligned to a page. Or memory at this
  /// address, of the descriptor or of what it names, answers with an external abort.
  case unreadable(PhysicalAddress)
  /// The descriptor has another version, reserved words that are set, or counts beyond the limits.
  case malformed
  /// The register at this offset answers with an external abort.
  case silent(offset: UInt64)
  /// The ITS is not enabled: it is set up from boot instead.
  case notEnabled
  /// Commands are under way: GITS_CREADR and GITS_CWRITER differ, or the queue has stalled.
  case busy
  /// The register at this offset holds something else than the descriptor says.
  case mismatch(offset: UInt64)
  /// The hardware's queue has a size that is not a power of two, or no room for a SYNC to each Redistributor.
  case queueSize
  /// A second table of devices or a table of a reserved type is Valid, or there is no device table.
  case table(index: UInt64)
  /// An entry of the first level of a table has reserved bits, or points beyond the address space.
  case firstLevelEntry(PhysicalAddress)
  /// A device is beyond the table or is not permitted, is named twice, has too many events, or its table
  /// is not aligned.
  case device(UInt32)
  /// A collection is beyond the table, or its target is no Redistributor.
  case collection(UInt16)
  /// A page is not the host's own memory.
  case ownership(OwnershipErrorCode)
  /// The arena, or the list of what is claimed, is too small, or the ITS doesn't reach the arena.
  case outOfMemory
  /// There are more Redistributors than the directory holds.
  case tooManyRedistributors
  /// The translation table of this device has bytes in common with one that was named before.
  case overlap(UInt32)

  /// What a hypercall answers, from -16 downwards; the order of the cases above.
  public var code: Int64 {
    switch self {
    case .unreadable: -16
    case .malformed: -17
    case .silent: -18
    case .notEnabled: -19
    case .busy: -20
    case .mismatch: -21
    case .queueSize: -22
    case .table: -23
    case .firstLevelEntry: -24
    case .device: -25
    case .collection: -26
    case .ownership: -27
    case .outOfMemory: -28
    case .tooManyRedistributors: -29
    case .overlap: -30
    }
  }
}

/// The page that could not be claimed.
public struct OwnershipErrorCode: Hashable, Sendable {
  /// Its first address.
  public let page: PhysicalAddress
}
