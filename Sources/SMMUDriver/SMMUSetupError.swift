// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why SMMUs can't be driven: one reason a case, with the number of the SMMU that it is about.
public enum SMMUSetupError: Error, Hashable, Sendable {
  /// There is none.
  case noUnits
  /// There are more than the driver holds.
  case tooManyUnits
  /// Two are at the same place.
  case unitTwice(unit: UInt16)
  /// The register at this offset answers with an external abort.
  case silent(unit: UInt16, offset: UInt64)
  /// IDR0.S2P is clear.
  case noStage2(unit: UInt16)
  /// IDR0.TTF is without AArch64.
  case noAArch64Tables(unit: UInt16)
  /// IDR0.COHACC is clear: it does not look into caches.
  case notCoherent(unit: UInt16)
  /// IDR0.TTENDIAN has no little-endian tables.
  case bigEndianTables(unit: UInt16)
  /// IDR0.STALL_MODEL: a fault always stalls, and stalled devices hold what they have begun.
  case alwaysStalls(unit: UInt16)
  /// IDR1.TABLES_PRESET: its stream table is where it was built.
  case presetTables(unit: UInt16)
  /// IDR1.QUEUES_PRESET: its queues are where they were built.
  case presetQueues(unit: UInt16)
  /// IDR1.REL: its bases are relative to itself.
  case relativeBases(unit: UInt16)
  /// IDR1.CMDQS: its command queue has no room for an invalidation and a SYNC.
  case commandQueueTooSmall(unit: UInt16, log2: UInt64)
  /// IDR5.GRAN4K is clear.
  case noGranule4K(unit: UInt16)
  /// IDR5.OAS is reserved.
  case unknownAddressSize(unit: UInt16)
  /// The VMID has more than 8 bits, and IDR0.VMID16 is clear.
  case vmidTooWide(unit: UInt16)
  /// IIDR names a revision that is known not to keep what it promises.
  case unsoundRevision(unit: UInt16, product: UInt64)
  /// The arena is too small for its queues and its stream table.
  case outOfMemory(unit: UInt16)
  /// Memory that it is to read lies beyond its addresses.
  case unreachable(unit: UInt16, PhysicalAddress)
  /// The register at this offset does not become what was written.
  case notAcknowledged(unit: UInt16, offset: UInt64)
  /// The register at this offset has not taken what was written.
  case refused(unit: UInt16, offset: UInt64)
  /// GERROR.SFM_ERR: it has given up.
  case serviceFailure(unit: UInt16)
  /// It does not carry out the commands with which it begins.
  case commandsNotConfirmed(unit: UInt16)
  /// IDR0.S1P is clear, and the host is to have a stage 1.
  case noStage1(unit: UInt16)
  /// IDR0.ST_LEVEL is clear, and the host is to have a stage 1: its streams need a table each of their own.
  case noTwoLevelTables(unit: UInt16)
  /// IDR1.ECMDQ: it has more command queues, whose registers lie outside its own.
  case moreCommandQueues(unit: UInt16)

  /// The number of the reason, from one in the order of the cases: `IOMMUError.unsupported`.
  public var reason: UInt16 {
    switch self {
    case .noUnits: 1
    case .tooManyUnits: 2
    case .unitTwice: 3
    case .silent: 4
    case .noStage2: 5
    case .noAArch64Tables: 6
    case .notCoherent: 7
    case .bigEndianTables: 8
    case .alwaysStalls: 9
    case .presetTables: 10
    case .presetQueues: 11
    case .relativeBases: 12
    case .commandQueueTooSmall: 13
    case .noGranule4K: 14
    case .unknownAddressSize: 15
    case .vmidTooWide: 16
    case .unsoundRevision: 17
    case .outOfMemory: 18
    case .unreachable: 19
    case .notAcknowledged: 20
    case .refused: 21
    case .serviceFailure: 22
    case .commandsNotConfirmed: 23
    case .noStage1: 24
    case .noTwoLevelTables: 25
    case .moreCommandQueues: 26
    }
  }

  /// The number of the SMMU; nil where it is about none in particular.
  public var unit: UInt16? {
    switch self {
    case .noUnits, .tooManyUnits: nil
    case .unitTwice(let unit): unit
    case .noStage2(let unit): unit
    case .noAArch64Tables(let unit): unit
    case .notCoherent(let unit): unit
    case .bigEndianTables(let unit): unit
    case .alwaysStalls(let unit): unit
    case .presetTables(let unit): unit
    case .presetQueues(let unit): unit
    case .relativeBases(let unit): unit
    case .noGranule4K(let unit): unit
    case .unknownAddressSize(let unit): unit
    case .vmidTooWide(let unit): unit
    case .outOfMemory(let unit): unit
    case .serviceFailure(let unit): unit
    case .commandsNotConfirmed(let unit): unit
    case .noStage1(let unit): unit
    case .noTwoLevelTables(let unit): unit
    case .moreCommandQueues(let unit): unit
    case .silent(let unit, _): unit
    case .commandQueueTooSmall(let unit, _): unit
    case .unsoundRevision(let unit, _): unit
    case .unreachable(let unit, _): unit
    case .notAcknowledged(let unit, _): unit
    case .refused(let unit, _): unit
    }
  }

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .noUnits: "there is none"
    case .tooManyUnits: "there are too many"
    case .unitTwice: "two are at the same place"
    case .silent: "it answers with aborts"
    case .noStage2: "it has no stage 2"
    case .noAArch64Tables: "it does not read tables of AArch64"
    case .notCoherent: "it does not look into caches"
    case .bigEndianTables: "its tables are not little-endian"
    case .alwaysStalls: "its faults always stall"
    case .presetTables: "its stream table is preset"
    case .presetQueues: "its queues are preset"
    case .relativeBases: "its bases are relative"
    case .commandQueueTooSmall: "its command queue is too small"
    case .noGranule4K: "it has no 4 KiB granule"
    case .unknownAddressSize: "its address size is unknown"
    case .vmidTooWide: "its VMIDs are too narrow"
    case .unsoundRevision: "its revision has known defects"
    case .outOfMemory: "its memory is too small"
    case .unreachable: "its memory is out of its reach"
    case .notAcknowledged: "it does not acknowledge"
    case .refused: "it does not take what is written"
    case .serviceFailure: "it has given up"
    case .commandsNotConfirmed: "it does not carry out commands"
    case .noStage1: "it has no stage 1"
    case .noTwoLevelTables: "its stream table has one level"
    case .moreCommandQueues: "it has command queues outside its registers (IDR1.ECMDQ)"
    }
  }
}
