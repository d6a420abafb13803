// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC

/// What a simulated ITS implements, and how it behaves where the architecture leaves a choice.
package struct ITSConfiguration: Sendable {
  /// The version of the GIC.
  package enum Version: Int, Comparable, Sendable {
    /// Physical LPIs only.
    case gicv3 = 30
    /// Direct injection of virtual LPIs.
    case gicv40 = 40
    /// Virtual SGIs; the vPE table is shared, and VMAPP names a VCONF.
    case gicv41 = 41

    package static func < (a: Version, b: Version) -> Bool { a.rawValue < b.rawValue }
  }

  /// One GITS_BASER<n>.
  package struct TableRegister: Sendable {
    /// What it is for.
    package var kind: TableKind
    /// Entry_Size in bytes; nil for the least that the simulation needs.
    package var entrySize: UInt64?
    /// The only Page_Size it has; nil where software may choose.
    package var fixedPageSize: TablePageSize?
    /// Whether Indirect may be set.
    package var permitsTwoLevels: Bool
    /// What the fields that software may set hold at reset.
    package var reset: UInt64 = 0

    /// Makes it; without arguments, a register that software is free to set.
    package init(
      _ kind: TableKind, entrySize: UInt64? = nil, fixedPageSize: TablePageSize? = nil,
      permitsTwoLevels: Bool = true
    ) {
      self.kind = kind
      self.entrySize = entrySize
      self.fixedPageSize = fixedPageSize
      self.permitsTwoLevels = permitsTwoLevels
    }
  }

  /// What happens at a command that can't be carried out.
  package enum ErrorResponse: Sendable {
    /// The queue stops with GITS_CREADR.Stalled.
    case stall
    /// The command has no effect and the next one follows.
    case ignore
  }

  /// Which entries stay in the ITS once used.
  package enum EntryCache: Sendable {
    /// None: memory is read each time.
    case none
    /// Valid entries; what commands write goes to memory too.
    case writeThrough
    /// Valid entries; what commands write reaches memory when the ITS is made quiescent.
    case writeBack
  }

  /// The version of the GIC.
  package var version: Version = .gicv3
  /// The bits of a DeviceID.
  package var deviceIDBits: UInt64 = 16
  /// The bits of an EventID.
  package var eventIDBits: UInt64 = 16
  /// The bits of a collection ID.
  package var collectionIDBits: UInt64 = 16
  /// The bits of an INTID that the Redistributors have.
  package var interruptIDBits: UInt64 = 16
  /// The bytes of an entry of an ITT: 8 (GICv3 only), 12 or 16.
  package var translationEntrySize: UInt64 = 12
  /// What GITS_TYPER says instead, of hardware that is wrong about itself.
  package var saidTranslationEntrySize: UInt64?
  /// GITS_IIDR.
  package var implementer: UInt32 = 0x43b
  /// The bits of a physical address.
  package var addressBits: UInt64 = 52
  /// GITS_TYPER.PTA.
  package var targetsAreAddresses = false
  /// GITS_TYPER.HCC.
  package var hardwareCollections: UInt64 = 0
  /// GITS_TYPER.VMOVP.
  package var movesVPEsAlone = true
  /// GITS_TYPER.INV: nothing stays cached when the ITS becomes quiescent.
  package var forgetsWhenDisabled = true
  /// Whether the ITS snoops the caches of CPUs where its registers ask for it.
  ///
  /// If not, Shareability reads back as Non-shareable.
  package var isCoherent = true
  /// GITS_BASER0 and on.
  package var tables: [TableRegister] = [
    TableRegister(.devices), TableRegister(.collections), TableRegister(.vpes),
  ]
  /// What happens at an error.
  package var errorResponse: ErrorResponse = .stall
  /// Which entries are kept.
  package var entryCache: EntryCache = .none
  /// How many commands are fetched ahead of the one that runs; zero for none.
  package var commandsFetchedAhead = 0
  /// Whether a step fetches one doubleword, so that a command may be torn, or a whole command.
  package var fetchesByDoubleword = false
  /// GITS_CTLR.Quiescent reads as one while the ITS is enabled too, as that of QEMU does.
  package var isNeverBusy = false
  /// How many steps a disabled ITS takes to become quiescent.
  package var stepsToQuiescence: UInt64 = 0
  /// Whether an unmapped ITT stays in use until a SYNC to each Redistributor that its events had.
  package var awaitsSync = true
  /// Whether a pending bit of an INTID beyond GICR_PROPBASER.IDbits is left alone, as it must.
  package var checksPendingRange = true

  /// Makes the configuration of a plain ITS.
  package init(_ version: Version = .gicv3) {
    self.version = version
    if version == .gicv3 { tables.removeLast() }
  }

  /// The bytes of an entry of a table.
  func entrySize(_ register: TableRegister) -> UInt64 {
    let least: UInt64 = register.kind != .vpes ? 8 : version == .gicv41 ? 32 : 16
    return max(register.entrySize ?? least, least)
  }

  /// GITS_TYPER.
  package var typer: GITSTyper {
    var value: UInt64 = 1 | ((saidTranslationEntrySize ?? translationEntrySize) - 1) << 4
    value |= (eventIDBits - 1) << 8 | (deviceIDBits - 1) << 13
    value |= (targetsAreAddresses ? 1 : 0) << 19 | hardwareCollections << 24
    value |= 1 << 36 | (collectionIDBits - 1) << 32
    value |= (forgetsWhenDisabled ? 1 : 0) << 46
    if version >= .gicv40 { value |= 1 << 1 | (movesVPEsAlone ? 1 : 0) << 37 }
    if version >= .gicv41 { value |= 1 << 39 | 1 << 40 | 1 << 41 }
    return GITSTyper(rawValue: value)
  }
}
