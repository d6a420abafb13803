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
  /// | `GITS_CTLR` | Enabled as it wrote it, the hardware's Quiescent, no other bit | Enabled alone
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
  /// In a two-level table it is the first-level entry of a mapped device
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
  /// Otherwise EnableLPIs stays clear, which the host reads, the other bits are stored
  case enablingIsRefused
  /// the host clears EnableLPIs; everything stays held
  case everythingStaysHeld
  /// Both tables are released if the Redistributor's own CPU looks
  case ownCPUReleases
  /// the host sets EnableLPIs with the same tables: the same `GICR_PROPBASER`
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
  /// A page has left all devices when `portcullis_may_give_away` returns
  case awayIsOutOfReach
  /// `portcullis_may_give_away` notes the pages as away first.
  case notedAsAwayFirst
  /// if only some of its pages are away, it is refused.
  case tookRefusesTheRest

  // MARK: IOMMU/IOMMU.md

  /// Devices reach exactly the pages that the host reaches.
  case devicesReachWhatTheHostReaches
  /// The driver says how many table pages it needs, or refuses.
  case prepareMayRefuse
  /// They are removed from the table, and each IOMMU invalidates them and confirms it.
  case revokeIsConfirmed
  /// If it fails, the pages are restored and stay the host's.
  case failedRevokeRestores
  /// The host's stage 2, the ledger and EL2's own translation change. This step cannot fail.
  case changeCannotFail
  /// They are mapped for its devices after they were scrubbed, last of all.
  case commitIsLast
  /// | none | map | map | map | unmap |
  case gainMaps
  /// so a range of mixed states does not get here.
  case noMixedStates
  /// These are mapped write-only for devices, whoever owns them.
  case doorbellsAreWriteOnly

  // MARK: SMMUDriver/SMMUDriver.md

  /// Faults terminate and are recorded, nothing stalls, ATS is off
  case nothingStallsAndATSIsOff
  /// Devices cannot reach what lies beyond the smallest OAS, or beyond the host's addresses
  case smallestOAS
  /// For each SMMU: set SMMUEN, confirmed.
  case translatesFromTheStart
  /// The entry of a stream without a device is invalid
  case unknownStreamsAreInvalid
  /// The driver waits until each has consumed the SYNC
  case syncIsConsumed
  /// It has not confirmed, so the pages stay the host's
  case stoppedHasNotConfirmed
  /// A replaced command of the host does not come again.
  case replacedIsLost
  /// so CMD_TLBI_NH_ALL follows, with a SYNC of its own, after the first SYNC is consumed.
  case combinedAfterStage2
  /// A batch has at most as many commands as the queue holds
  case batchFitsTheQueue
  /// with the same stage 2 in each, EATS 0, and faults that terminate.
  case sameStage2InEachEntry
  /// before, all follow one rule.
  case oneRuleBeforeActivation
  /// | from | to | what the hardware may read meanwhile |
  case hardwareMayReadMeanwhile
  /// For any other entry that stays the same it sends nothing.
  case unchangedSendsNothing

  // MARK: VirtualSMMU/VirtualSMMU.md

  /// | `STRTAB_BASE`, `CMDQ_BASE`, `EVENTQ_BASE` | EL2's memory, installed before the host runs
  case hardwareReadsEL2sMemory
  /// | `*_IRQ_CFG0`, and MSIs of CMD_SYNC | zero, and refused | the SMMU itself writes nowhere |
  case smmuWritesNowhere
  /// EL2 reads the host's stream table and commands once, into private copies, and checks them.
  case readOnceIntoCopies
  /// A trap executes at most ``VirtualSMMUPolicy/commandsPerTrap`` commands
  case trapIsBounded
  /// Both registers show only what the hardware has confirmed.
  case registersShowTheConfirmed
  /// When a trap ends, the hardware has confirmed all that EL2 has executed.
  case trapEndsConfirmed
  /// Hardware that does not confirm gets no further commands, and the host reads `GERROR.SFM_ERR`.
  case unconfirmedIsServiceFailure
  /// If EL2's own invalidation is not confirmed, the host's SMMU is not affected.
  case ownFailureStays
  /// all entries are read, streams go by what they did before ─▶ one switch ─▶ CR0ACK.SMMUEN
  case enablingIsOneSwitch
  /// one switch: all pass (stage 2 alone), or all abort
  case disablingIsOneSwitch
  /// Commands wait while entries are read.
  case commandsWaitForEntries
  /// If the host clears CMDQEN while the entries of a command are read, `CMDQ_CONS` stays at that command.
  case stopsAtTheCommand
  /// `GBPA` is stored while SMMUEN is set, and has effect when SMMUEN is cleared.
  case bypassWaitsForSMMUEN
  /// | command queue | while `CR0.CMDQEN` | `CERROR_ABT` at the first command |
  case commandQueueIsHeld
  /// | event queue | while `CR0.EVENTQEN` | events are lost, `GERROR.EVENTQ_ABT_ERR` |
  case eventQueueIsHeld
  /// | stream table, both levels | while it is read, in one trap | the stream is invalid, and counted |
  case streamTableIsHeldWhileRead
  /// A queue has at most one page. A held page cannot be donated.
  case queueHasOnePage
  /// EL2 tries to hold a queue once, when the host enables it.
  case triedOnce
  /// Memory that the tree reserves counts as not the host's.
  case reservedIsNotTheHosts
  /// An event that finds the host's queue full is lost, and the overflow flag is set.
  case fullQueueLosesEvents

  // MARK: VirtualSMMU/Registers.md

  /// Registers are accessed by words. A 64-bit register may be accessed by doublewords, or written by halves.
  case registersAreWords
  /// Accesses by bytes and halfwords, and doubleword accesses to 32-bit registers, abort.
  case otherWidthsAbort
  /// A register that is not in the table reads as zero and ignores writes; accesses to it are counted.
  case otherSMMURegisters
  /// | IDR0 | S1P, COHACC, ASID16, CD2L, TTENDIAN, TERM_MODEL of the hardware
  case offeredIdentification
  /// | CR0 | as written | SMMUEN, EVENTQEN, CMDQEN |
  case control0
  /// | CR0ACK | SMMUEN only when the hardware goes by the host's table | – |
  case control0Acknowledged
  /// | CR1 | as written | kept.
  case control1
  /// | CR2 | as written | RECINVSID, PTM; while SMMUEN is clear |
  case control2
  /// | ABORT, with Update |
  case globalBypass
  /// | GERROR_IRQEN; EVENTQ_IRQEN, which the hardware gets |
  case interruptControl
  /// | GERROR, GERRORN | CMDQ_ERR, EVENTQ_ABT_ERR, SFM_ERR | GERRORN: what is active |
  case globalErrors
  /// | STRTAB_BASE, STRTAB_BASE_CFG | as written | while SMMUEN is clear |
  case streamTableRegisters
  /// | CMDQ_BASE | as written | while CMDQEN is clear |
  case commandQueueBase
  /// | CMDQ_PROD | as written | the doorbell |
  case commandQueueProduced
  /// | CMDQ_CONS | behind what the hardware has confirmed; ERR | while CMDQEN is clear |
  case commandQueueConsumed
  /// | EVENTQ_BASE, EVENTQ_PROD | as written; PROD behind the host's events | while EVENTQEN is clear |
  case eventQueueRegisters
  /// | EVENTQ_CONS | as written | yes |
  case eventQueueConsumed
  /// Nothing else ends CMDQ_ERR, not CMDQEN either.
  case nothingElseEndsErrors

  // MARK: VirtualSMMU/StreamTableEntries.md

  /// A refused entry is counted, and its stream is invalid.
  case refusedEntryIsInvalid
  /// An entry that has it pass, or gives it a stage 1, is refused as `notPermitted`.
  case notPermittedEntry
  /// If the arena has no memory for the hardware's entry, it is refused as `outOfMemory`.
  case noMemoryForEntry
  /// | V is 0 | invalid | V is 0; the host gets the event C_BAD_STE, or beyond its table C_BAD_STREAMID |
  case invalidEntry
  /// | 0b000 and reserved values | aborts | Config 0b000 |
  case abortingEntry
  /// | 0b100, bypass | passes stage 1 | Config 0b110, stage 2 |
  case bypassEntry
  /// | 0b101, stage 1 | stage 1, if its fields are permitted | Config 0b111, both stages |
  case stage1Entry
  /// | 0b110, 0b111 | refused: `stage2` | V is 0 |
  case stage2IsRefused
  /// | S1ContextPtr | the whole first level below what stage 2 translates | `contextAddress` |
  case contextAddress
  /// | S1CDMax | ignored with IDR1.SSIDSIZE 0; else at most that | `contextTable` |
  case contextTable
  /// | S1STALLD | EL2's: set, where the hardware might stall.
  case stallsAreForbidden
  /// | Span is 0 | its streams are invalid |
  case noSpan
  /// | Span is reserved, or more than SPLIT has | its streams are invalid, refused as `span` |
  case badSpan
  /// its streams are invalid, refused as `unreadableEntry`
  case unreadableEntry

  // MARK: VirtualSMMU/Commands.md

  /// a hint, dropped.
  case prefetchIsDropped
  /// the entries are read again, whatever Leaf is; nothing while SMMUEN is clear
  case entriesAreReadAgain
  /// | StreamID within IDR1.SIDSIZE, or nothing | the same |
  case contextInvalidation
  /// | CMD_TLBI_NH_ALL, CMD_TLBI_NSNH_ALL | | CMD_TLBI_NH_ALL, EL2's VMID |
  case stage1Invalidation
  /// | CMD_TLBI_NH_ASID | | the same, EL2's VMID |
  case asidInvalidation
  /// with IDR3.RIL a range of a granule that there is; TTL is left out, so that at most more is forgotten
  case addressInvalidation
  /// a granule that IDR5 lacks is refused as `range`.
  case badRange
  /// complete when everything before it is, and before anything behind it begins
  case syncIsABarrier
  /// | with SSec | refused: `secureStream` | – |
  case secureStream
  /// CMD_DPTI_\* | refused: `hiddenCommand` | – |
  case hiddenCommand
  /// | any other number, CS 3 | refused: `reservedCommand` | – |
  case reservedCommand
  /// `CMDQ_CONS` stays at the command and `GERROR.CMDQ_ERR` is active.
  case refusedStopsTheQueue
  /// When the host acknowledges the error, EL2 reads the command again and continues.
  case acknowledgedIsReadAgain
  /// it makes the hardware's command from the fields that count.
  case commandsAreMade

  // MARK: ITS/Handover.md

  /// Pages of an ITT that was handed over are never given back
  case handedPagesNeverReturn
  /// A handover that fails gives each page back unchanged. An ITS is handed over once.
  case handoverIsAllOrNothing
  /// At the finalise call EL2 sets a disabled ITS up as at boot.
  case finaliseMediatesTheDisabled
  /// It cannot protect a live ITS that was not handed over, and switches the board off.
  case liveITSSwitchesOff
  /// After the first finalise call each further one answers -4.
  case finalisedIsNotTrusted

  // MARK: Hypervisor/Security.md

  /// While it is installed, that memory cannot change owner.
  case installedMemoryKeepsItsOwner
}
