// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import GIC
internal import Architecture
internal import Ownership

/// How much an ITS uses now of what EL2 has set aside for it.
///
/// A host that maps and unmaps the same things over and over comes back to the same figures, once the
/// hardware has completed its commands and a further doorbell has seen it.
public struct ITSUsage: Hashable, Sendable {
  /// Pages of the arena that are taken.
  public let pages: UInt64
  /// Pages of the arena that are free.
  public let freePages: UInt64
  /// Devices that are mapped.
  public let devices: UInt64
  /// Collections that are mapped.
  public let collections: UInt64
  /// Translation tables and pins that wait until the hardware has let go of them.
  public let retiring: UInt64
  /// Stores of the host to GITS_CWRITER that are unfinished.
  public let doorbells: UInt64
  /// Pending tables of vPEs that are held.
  public let heldTables: UInt64
}

extension MediatedITS {
  /// How much is used now.
  public var usage: ITSUsage {
    ITSUsage(
      pages: arena.pages.count - arena.freeCount, freePages: arena.freeCount,
      devices: devices.count, collections: collections.count, retiring: retirement.count,
      doorbells: tokens.count, heldTables: heldTables.count)
  }

  /// The bytes of the least arena that holds what is in use, with tables as large as they are.
  public var leastArena: UInt64 {
    var least = (arena.pages.count - arena.freeCount) << PageFrameNumber.shift
    for index in 0..<8 {
      let table = GITSTableBase(rawValue: installed.tableBases[index])
      // Set-up makes none that is larger than half of the arena.
      if table.isValid { least = max(least, table.size * 2) }
    }
    return least
  }
}
