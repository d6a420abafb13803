// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The rules of the documentation, by name.
///
/// The comment of a rule is the sentence that states it, or its beginning, in the article that the mark above
/// names. A transition names the rules that permit its outcome, a clause of the invariant its own.
enum Rule: String, CaseIterable, Sendable {

  // MARK: ITS/ITS.md

  /// The host chooses no address that the ITS writes to or reads a table from.
  case theHostChoosesNoAddress
  /// `GITS_CBASER` | EL2's commit queue, installed before the host runs
  case commandQueueIsEL2s
  /// `GITS_BASER<n>` | EL2's tables, zeroed and cleaned before they were installed
  case tablesAreEL2s
  /// first-level entries | EL2 alone writes them, after the second-level page is zero
  case firstLevelAfterSecondIsZero
  /// ITT address in MAPD | an allocation of EL2's arena; the host's address is only a name
  case tableIsEL2sArena
  /// pending table in VMAPP | the host's, its whole span checked, shared and pinned
  case vpeTableIsTheHosts
  /// RDbase | compared with the Redistributors that EL2 has found itself
  case targetsAreRedistributors
  /// RES0 bits of a command | zero
  case res0BitsAreZero
  /// a table is free when `GITS_CREADR` has passed the command that unmapped it, and a SYNC to each
  case freeBehindSyncs
  /// If the hardware never gets there, the table is never freed.
  case neverFreedWhileStuck
  /// four words, each read once
  case readOnce
  /// (host's memory, shared and pinned)
  case stagingIsShared
  /// one write of GITS_CWRITER
  case oneWriteOfCWRITER
  /// One trap takes at most ``ITSPolicy/commandsPerTrap`` commands
  case commandsPerTrap
  /// zeroes at most ``ITSPolicy/bytesPerTrap`` bytes
  case bytesPerTrap
  /// If commands are left, up to the newest doorbell, the host's program counter stays on its store
  case workLeftRepeatsTheStore
  /// EL2 recognises a repeated store by its CPU and offset, so that it never moves the queue back
  case repeatedStoreIsRecognised
  /// A command that takes several traps is not read again.
  case notReadAgain
  /// never while the hardware may read
  case slotsAreNotRewritten
  /// the queue is replaced:
  case replacedQueueFreesZeroing
  /// EL2 waits for Quiescent in the trap that clears Enabled, for 256 reads of `GITS_CTLR`.
  case clearingEnabledWaits
  /// It reads again whenever the host reads `GITS_CTLR`.
  case restIsSeenAtReads
  /// EL2 sets Enabled only from *at rest*.
  case enabledOnlyFromRest
  /// If a register has changed, EL2 writes all of them again and restarts the queue.
  case registersAreWrittenAgain
  /// If commands were under way then, they are lost, and the ITS is off.
  case lostCommandsKeepItOff
  /// power lost ──────────────┴─▶ off until reset
  case offUntilReset
  /// A table is freed only while `GITS_CTLR.Enabled` is what EL2 has written and `GITS_CBASER` is EL2's.
  case freedOnlyWhileRegistersHold
  /// A batch that ends at offset zero is followed by one more SYNC
  case noBatchEndsAtZero
  /// After an abort GITS_CREADR.Stalled is set, with the offset of the command
  case abortStalls
  /// GITS_CWRITER.Retry repeats the load.
  case retryRepeats
  /// EL2 never reads memory that the tree marks `no-map` or has in its memory reservation block
  case noMapIsNeverShared
  /// such a queue stalls too.
  case unsharedQueueStalls

  // MARK: ITS/Commands.md

  /// The first rule that fails is the reason that is counted and logged
  case firstRuleThatFailsIsTheReason
  /// *Device*: the DeviceID is mapped, by the ledger.
  case device
  /// *Event*: the EventID has no more bits than the device was mapped with.
  case event
  /// *Collection*: the ICID is below 1,024, has no more bits than the hardware's `GITS_TYPER.CIDbits` says
  case collection
  /// *Target*: RDbase is a Redistributor that EL2 has found
  case target
  /// DeviceID below the host's and EL2's table
  case deviceBelowBothTables
  /// *Permitted* is each DeviceID by default
  case devicePermitted
  /// Size up to ID_bits
  case sizeUpToIDBits
  /// a place in the ledger
  case placeInTheLedger
  /// memory for the ITT, and for a second-level page
  case memoryForTables
  /// nothing for a device that is mapped with this address and Size
  case sameMAPDKeepsEvents
  /// For one that is mapped otherwise MAPD V=0 first; then MAPD with an empty table of EL2. SYNCs last
  case mapd
  /// MAPD V=0 and SYNCs last, if the ledger has the device; nothing otherwise
  case unmapd
  /// | MAPC, V=1 | collection, target
  case mapc
  /// the command without RDbase
  case unmapc
  /// | MAPTI | device, event, collection; pINTID an LPI | the command |
  case interruptBelowTheLimit
  /// | MAPI | device, event, collection; EventID an LPI | the command |
  case eventIsAnInterrupt
  /// | INVALL | collection, mapped | the command |
  case collectionMapped
  /// | MOVALL | both targets | the command |
  case secondTarget
  /// | all for virtual interrupts | refused, where the policy is `off`
  case virtualIsOff
  /// | anything else | refused | |
  case anythingElse
  /// *vPE*: the vPEID is mapped, by the ledger.
  case vpe
  /// *Doorbell*: an LPI, or 1023 for none.
  case doorbell
  /// | VMAPP, V=1 | vPEID below the ledger, the host's and EL2's table
  case vpeBelowLedgerAndTables
  /// vINTIDs of 14 to 16 bits
  case virtualIDBits
  /// the whole pending table in the host's own memory, which is shared and pinned
  case pendingTableIsTheHosts
  /// for a vPE that is mapped: VMAPP V=0 and VSYNC first; then the command. SYNCs last
  case vmapp
  /// VMAPP V=0, VSYNC and SYNCs last, if the ledger has the vPE; the pin is released behind them
  case unvmapp
  /// vINTID an LPI within the vPE's pending table
  case virtualInterrupt
  /// doorbell if it changes
  case doorbellIfItChanges
  /// | VSYNC | vPEID below the tables | the command |
  case vpeBelowTables
  /// | VSGI, INVDB | refused: GICv4.1
  case gicv41IsRefused
  /// A refused command is skipped.
  case refusedIsSkipped
  /// With ``ITSPolicy/Refused/stalls`` the queue stops at it instead
  case refusedStalls
  /// | `GITS_CTLR` | Enabled as it wrote it, the hardware's Quiescent, no other bit | Enabled alone; setting it waits until Quiescent |
  case control
  /// ID registers | the hardware's | ignored |
  case identification
  /// | `GITS_TYPER` | the hardware's, without what concerns virtual interrupts
  case type
  /// | `GITS_CBASER` | what it wrote, address bits [15:12] too | while disabled; it waits until Quiescent.
  case commandBase
  /// The offsets in `GITS_CREADR` and `GITS_CWRITER` are zero after it
  case newQueueIsEmpty
  /// | `GITS_CWRITER` | the offset of the newest doorbell; Retry is zero | the doorbell
  case commandWrite
  /// an offset beyond the queue is ignored
  case offsetBeyondIsIgnored
  /// | `GITS_CREADR` | while the hardware is behind: where it is, by the host's places, and its Stalled
  case commandRead
  /// then what the hardware would have made of what it wrote | while disabled; it waits until Quiescent.
  case tableBase
  /// A store that changes any bit of what `GITS_BASER<n>` reads as unmaps all that was mapped in the table.
  case otherTablesUnmap
  /// | all others, `GITS_STATUSR` and `GITS_UMSIR` among them | zero | ignored |
  case otherRegisters
  /// A store that waits is repeated, and the host takes its interrupts in between.
  case waitingStoreIsRepeated
  /// After 65,536 in a row a store that waits is ignored, and so is each further one
  case waitingStoreIsIgnoredAtLast
  /// When the ITS is enabled again, EL2 reads one doubleword of the host's table.
  case hostsTableTells
  /// In a two-level table it is the first-level entry of a mapped device, or of the first mapped collection or vPE.
  case twoLevelTableTells
  /// In a one-level table it is the first doubleword. EL2 writes 1 to it, if it is zero
  case oneLevelTableTells
  /// If the table is not the host's own memory, or does not answer, or was handed over, all mappings stay.
  case foreignTableKeepsMappings
  /// Ignored accesses are counted.
  case ignoredAreCounted
  /// A width or an alignment that the architecture forbids ends in an external abort
  case forbiddenAborts
  /// A 64-bit register may be accessed by halves.
  case halves

  // MARK: Hypervisor/Limits.md

  /// doorbell has meanwhile overtaken by half the queue or more counts as a new one.
  case overtakenDoorbellIsNew
  /// EL2 does not rewrite a slot that the hardware may still read.
  case stalledStaysStalled
  /// An ITS that loses power while it is enabled, or with commands under way, stays off until reset
  case lostWhileEnabledStaysOff

  // MARK: Hypervisor/HostCalls.md

  /// An ITS whose registers differ from what EL2 left stays off.
  case wakingChecksTheITS
  /// A Redistributor that firmware has enabled with tables that EL2 does not hold is disabled
  case wakingChecksTheRedistributor

  // MARK: Redistributor/Redistributor.md

  /// Each table of a Redistributor is memory of the host to its last byte
  case tablesAreTheHosts
  /// its pages change owner only when the hardware no longer accesses them.
  case ownersChangeWhenDone
  /// a claim of a pinned page is refused.
  case claimOfPinnedIsRefused
  /// both tables are memory of the host over their true span
  case tablesAreChecked
  /// every other Redistributor whose tables are held has them for as many INTIDs
  case groupHasAsManyINTIDs
  /// the hardware reads back the addresses as they were checked.
  case hardwareReadsBack
  /// Otherwise EnableLPIs stays clear, which the host reads, the other bits are stored, and the refusal is counted and logged
  case enablingIsRefused
  /// the host clears EnableLPIs; everything stays held
  case everythingStaysHeld
  /// Both tables are released if the Redistributor's own CPU looks
  case ownCPUReleases
  /// the host sets EnableLPIs with the same tables: the same `GICR_PROPBASER`, and the same address in `GICR_PENDBASER`.
  case sameTablesOnly
  /// RWP clear, EnableLPIs
  case cannotBeCleared
  /// disabled: its power was
  case powerWasLost
  /// a released configuration table stays held until no Redistributor holds any
  case sharedRegisterKeepsTables
  /// EL2 keeps at most 16 such tables; beyond that a Redistributor releases neither of its own
  case atMost16Lingering
  /// Only EL2 writes table addresses to the hardware, on the edge from idle to in use.
  case onlyEL2WritesAddresses
  /// Tables for more than 24 bits are refused
  case atMost24Bits
  /// EL2 passes `PTZ`, the host's promise that its pending table is zero, to the hardware once
  case promiseIsPassedOnce
  /// They are held until reset, beside those of the host.
  case tablesFromBootStayHeld
  /// A register that is not in the table reads as zero and ignores writes; accesses to it are counted.
  case otherRedistributorRegisters
  /// | `GICR_CTLR` | the hardware's | EnableLPIs, by the rules above, and the DPG bits
  case redistributorControl
  /// nothing in the state *stopping*
  case nothingWhileDisabling
  /// | `GICR_TYPER` | the hardware's, without RVPEID and Dirty where virtual LPIs are not offered
  case redistributorType
  /// | `GICR_IIDR`, `GICR_MPAMIDR`, `GICR_SYNCR`, ID registers | the hardware's | ignored |
  case redistributorIdentification
  /// | `GICR_WAKER` | the hardware's | ProcessorSleep |
  case waker
  /// what it wrote, with attributes as the hardware has them | in the state *idle*; halves are joined.
  case tableRegisters
  /// in the state *in use*, for LPIs that the tables have, where there is DirectLPI
  case directLPIs
  /// the same, where there is DirectLPI or `GICR_CTLR.IR`; not for a vPE
  case invalidations
  /// | `GICR_VPROPBASER`, `GICR_VPENDBASER` | zero | ignored, where virtual LPIs are not offered |
  case virtualFrameIsHidden
  /// `GICR_VPENDBASER.Valid` is checked and its tables held as for EnableLPIs
  case residentTablesAreHeld
  /// released when Valid and Dirty are clear
  case releasedWhenNotResident
  /// Tables and queues may overlap in any way.
  case holdsMayOverlap

  // MARK: Hypervisor/Embedding.md

  /// it refuses a page that is in use, with its address
  case usedPagesStay
  /// from then on no page of the range can come into use.
  case leavingPagesStayUnused
  /// `portcullis_took` ends that.
  case tookEndsLeaving
}
