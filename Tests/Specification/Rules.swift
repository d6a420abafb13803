// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The rules of the documentation, by name.
///
/// Each line of comment above a line of cases is the sentence that states one of them, or its beginning, in
/// the article that the mark above names; both have the same order. A transition names the rules that permit
/// its outcome, a clause of the invariant its own.
enum Rule: String, CaseIterable, Sendable {

  // MARK: ITS/ITS.md

  /// The host chooses no address that the ITS writes to or reads a table from.
  /// `GITS_CBASER` | EL2's commit queue, installed before the host runs
  /// `GITS_BASER<n>` | EL2's tables, zeroed and cleaned before they were installed
  /// first-level entries | EL2 alone writes them, after the second-level page is zero
  case theHostChoosesNoAddress, commandQueueIsEL2s, tablesAreEL2s, firstLevelAfterSecondIsZero
  /// ITT address in MAPD | an allocation of EL2's arena; the host's address is only a name
  /// pending table in VMAPP | the host's, its whole span checked, shared and pinned
  /// RDbase | compared with the Redistributors that EL2 has found itself
  /// RES0 bits of a command | zero
  /// a table is free when `GITS_CREADR` has passed the command that unmapped it, and a SYNC to each
  case tableIsEL2sArena, vpeTableIsTheHosts, targetsAreRedistributors, res0BitsAreZero, freeBehindSyncs
  /// If the hardware never gets there, the table is never freed.
  /// four words, each read once
  /// (host's memory, shared and pinned)
  /// one write of GITS_CWRITER
  /// One trap takes at most ``ITSPolicy/commandsPerTrap`` commands
  /// zeroes at most ``ITSPolicy/bytesPerTrap`` bytes
  case neverFreedWhileStuck, readOnce, stagingIsShared, oneWriteOfCWRITER, commandsPerTrap, bytesPerTrap
  /// If commands are left, up to the newest doorbell, the host's program counter stays on its store
  /// EL2 recognises a repeated store by its CPU and offset, so that it never moves the queue back
  /// A command that takes several traps is not read again.
  /// never while the hardware may read
  case workLeftRepeatsTheStore, repeatedStoreIsRecognised, notReadAgain, slotsAreNotRewritten
  /// the queue is replaced:
  /// EL2 waits for Quiescent in the trap that clears Enabled, for 256 reads of `GITS_CTLR`.
  /// It reads again whenever the host reads `GITS_CTLR`.
  /// EL2 sets Enabled only from *at rest*.
  case replacedQueueFreesZeroing, clearingEnabledWaits, restIsSeenAtReads, enabledOnlyFromRest
  /// If a register has changed, EL2 writes all of them again and restarts the queue.
  /// If commands were under way then, they are lost, and the ITS is off.
  /// power lost ──────────────┴─▶ off until reset
  /// A table is freed only while `GITS_CTLR.Enabled` is what EL2 has written and `GITS_CBASER` is EL2's.
  case registersAreWrittenAgain, lostCommandsKeepItOff, offUntilReset, freedOnlyWhileRegistersHold
  /// A batch that ends at offset zero is followed by one more SYNC
  /// After an abort GITS_CREADR.Stalled is set, with the offset of the command
  /// GITS_CWRITER.Retry repeats the load.
  /// EL2 never reads memory that the tree marks `no-map` or has in its memory reservation block
  /// such a queue stalls too.
  case noBatchEndsAtZero, abortStalls, retryRepeats, noMapIsNeverShared, unsharedQueueStalls

  // MARK: ITS/Commands.md

  /// The first rule that fails is the reason that is counted and logged
  /// *Device*: the DeviceID is mapped, by the ledger.
  /// *Event*: the EventID has no more bits than the device was mapped with.
  /// *Collection*: the ICID is below 1,024, has no more bits than the hardware's `GITS_TYPER.CIDbits` says
  /// *Target*: RDbase is a Redistributor that EL2 has found
  /// DeviceID below the host's and EL2's table
  case firstRuleThatFailsIsTheReason, device, event, collection, target, deviceBelowBothTables
  /// *Permitted* is each DeviceID by default
  /// Size up to ID_bits
  /// a place in the ledger
  /// memory for the ITT, and for a second-level page
  /// nothing for a device that is mapped with this address and Size
  /// For one that is mapped otherwise MAPD V=0 first; then MAPD with an empty table of EL2. SYNCs last
  /// MAPD V=0 and SYNCs last, if the ledger has the device; nothing otherwise
  case devicePermitted, sizeUpToIDBits, placeInTheLedger, memoryForTables, sameMAPDKeepsEvents, mapd, unmapd
  /// | MAPC, V=1 | collection, target
  /// the command without RDbase
  /// | MAPTI | device, event, collection; pINTID an LPI | the command |
  /// | MAPI | device, event, collection; EventID an LPI | the command |
  /// | INVALL | collection, mapped | the command |
  /// | MOVALL | both targets | the command |
  case mapc, unmapc, interruptBelowTheLimit, eventIsAnInterrupt, collectionMapped, secondTarget
  /// | all for virtual interrupts | refused, where the policy is `off`
  /// | anything else | refused | |
  /// *vPE*: the vPEID is mapped, by the ledger.
  /// *Doorbell*: an LPI, or 1023 for none.
  /// | VMAPP, V=1 | vPEID below the ledger, the host's and EL2's table
  /// vINTIDs of 14 to 16 bits
  case virtualIsOff, anythingElse, vpe, doorbell, vpeBelowLedgerAndTables, virtualIDBits
  /// the whole pending table in the host's own memory, which is shared and pinned
  /// for a vPE that is mapped: VMAPP V=0 and VSYNC first; then the command. SYNCs last
  /// VMAPP V=0, VSYNC and SYNCs last, if the ledger has the vPE; the pin is released behind them
  /// vINTID an LPI within the vPE's pending table
  /// doorbell if it changes
  /// | VSYNC | vPEID below the tables | the command |
  case pendingTableIsTheHosts, vmapp, unvmapp, virtualInterrupt, doorbellIfItChanges, vpeBelowTables
  /// | VSGI, INVDB | refused: GICv4.1
  /// A refused command is skipped.
  /// With ``ITSPolicy/Refused/stalls`` the queue stops at it instead
  /// | `GITS_CTLR` | Enabled as it wrote it, the hardware's Quiescent, no other bit | Enabled alone; setting it waits until Quiescent |
  /// ID registers | the hardware's | ignored |
  /// | `GITS_TYPER` | the hardware's, without what concerns virtual interrupts
  /// | `GITS_CBASER` | what it wrote, address bits [15:12] too | while disabled; it waits until Quiescent.
  case gicv41IsRefused, refusedIsSkipped, refusedStalls, control, identification, type, commandBase
  /// The offsets in `GITS_CREADR` and `GITS_CWRITER` are zero after it
  /// | `GITS_CWRITER` | the offset of the newest doorbell; Retry is zero | the doorbell
  /// an offset beyond the queue is ignored
  /// | `GITS_CREADR` | while the hardware is behind: where it is, by the host's places, and its Stalled
  /// then what the hardware would have made of what it wrote | while disabled; it waits until Quiescent.
  /// A store that changes any bit of what `GITS_BASER<n>` reads as unmaps all that was mapped in the table.
  case newQueueIsEmpty, commandWrite, offsetBeyondIsIgnored, commandRead, tableBase, otherTablesUnmap
  /// | all others, `GITS_STATUSR` and `GITS_UMSIR` among them | zero | ignored |
  /// A store that waits is repeated, and the host takes its interrupts in between.
  /// After 65,536 in a row a store that waits is ignored, and so is each further one
  /// When the ITS is enabled again, EL2 reads one doubleword of the host's table.
  case otherRegisters, waitingStoreIsRepeated, waitingStoreIsIgnoredAtLast, hostsTableTells
  /// In a two-level table it is the first-level entry of a mapped device, or of the first mapped collection or vPE.
  /// In a one-level table it is the first doubleword. EL2 writes 1 to it, if it is zero
  /// If the table is not the host's own memory, or does not answer, or was handed over, all mappings stay.
  /// Ignored accesses are counted.
  /// A width or an alignment that the architecture forbids ends in an external abort
  case twoLevelTableTells, oneLevelTableTells, foreignTableKeepsMappings, ignoredAreCounted, forbiddenAborts
  /// A 64-bit register may be accessed by halves.
  case halves

  // MARK: Hypervisor/Limits.md

  /// doorbell has meanwhile overtaken by half the queue or more counts as a new one.
  /// EL2 does not rewrite a slot that the hardware may still read.
  /// An ITS that loses power while it is enabled, or with commands under way, stays off until reset
  case overtakenDoorbellIsNew, stalledStaysStalled, lostWhileEnabledStaysOff

  // MARK: Hypervisor/HostCalls.md

  /// An ITS whose registers differ from what EL2 left stays off.
  /// A Redistributor that firmware has enabled with tables that EL2 does not hold is disabled
  case wakingChecksTheITS, wakingChecksTheRedistributor

  // MARK: Redistributor/Redistributor.md

  /// Each table of a Redistributor is memory of the host to its last byte
  /// its pages change owner only when the hardware no longer accesses them.
  /// a claim of a pinned page is refused.
  /// both tables are memory of the host over their true span
  case tablesAreTheHosts, ownersChangeWhenDone, claimOfPinnedIsRefused, tablesAreChecked
  /// every other Redistributor whose tables are held has them for as many INTIDs
  /// the hardware reads back the addresses as they were checked.
  /// Otherwise EnableLPIs stays clear, which the host reads, the other bits are stored, and the refusal is counted and logged
  /// the host clears EnableLPIs; everything stays held
  /// Both tables are released if the Redistributor's own CPU looks
  case groupHasAsManyINTIDs, hardwareReadsBack, enablingIsRefused, everythingStaysHeld, ownCPUReleases
  /// the host sets EnableLPIs with the same tables: the same `GICR_PROPBASER`, and the same address in `GICR_PENDBASER`.
  /// RWP clear, EnableLPIs
  /// disabled: its power was
  /// a released configuration table stays held until no Redistributor holds any
  /// EL2 keeps at most 16 such tables; beyond that a Redistributor releases neither of its own
  case sameTablesOnly, cannotBeCleared, powerWasLost, sharedRegisterKeepsTables, atMost16Lingering
  /// Only EL2 writes table addresses to the hardware, on the edge from idle to in use.
  /// Tables for more than 24 bits are refused
  /// EL2 passes `PTZ`, the host's promise that its pending table is zero, to the hardware once
  /// They are held until reset, beside those of the host.
  case onlyEL2WritesAddresses, atMost24Bits, promiseIsPassedOnce, tablesFromBootStayHeld
  /// A register that is not in the table reads as zero and ignores writes; accesses to it are counted.
  /// | `GICR_CTLR` | the hardware's | EnableLPIs, by the rules above, and the DPG bits
  /// nothing in the state *stopping*
  /// | `GICR_TYPER` | the hardware's, without RVPEID and Dirty where virtual LPIs are not offered
  case otherRedistributorRegisters, redistributorControl, nothingWhileDisabling, redistributorType
  /// | `GICR_IIDR`, `GICR_MPAMIDR`, `GICR_SYNCR`, ID registers | the hardware's | ignored |
  /// | `GICR_WAKER` | the hardware's | ProcessorSleep |
  /// what it wrote, with attributes as the hardware has them | in the state *idle*; halves are joined.
  /// in the state *in use*, for LPIs that the tables have, where there is DirectLPI
  /// the same, where there is DirectLPI or `GICR_CTLR.IR`; not for a vPE
  /// | `GICR_VPROPBASER`, `GICR_VPENDBASER` | zero | ignored, where virtual LPIs are not offered |
  case redistributorIdentification, waker, tableRegisters, directLPIs, invalidations, virtualFrameIsHidden
  /// `GICR_VPENDBASER.Valid` is checked and its tables held as for EnableLPIs
  /// released when Valid and Dirty are clear
  /// Tables and queues may overlap in any way.
  case residentTablesAreHeld, releasedWhenNotResident, holdsMayOverlap

  // MARK: Hypervisor/Embedding.md

  /// it refuses a page that is in use, with its address
  /// from then on no page of the range can come into use.
  /// `portcullis_took` ends that.
  /// A page has left all devices when `portcullis_may_give_away` returns
  /// `portcullis_may_give_away` notes the pages as away first.
  case usedPagesStay, leavingPagesStayUnused, tookEndsLeaving, awayIsOutOfReach, notedAsAwayFirst
  /// if only some of its pages are away, it is refused.
  case tookRefusesTheRest

  // MARK: IOMMU/IOMMU.md

  /// Devices reach exactly the pages that the host reaches.
  /// The driver says how many table pages it needs, or refuses.
  /// They are removed from the table, and each IOMMU invalidates them and confirms it.
  /// If it fails, the pages are restored and stay the host's.
  case devicesReachWhatTheHostReaches, prepareMayRefuse, revokeIsConfirmed, failedRevokeRestores
  /// The host's stage 2, the ledger and EL2's own translation change. This step cannot fail.
  /// They are mapped for its devices after they were scrubbed, last of all.
  /// | none | map | map | map | unmap |
  /// so a range of mixed states does not get here.
  /// These are mapped write-only for devices, whoever owns them.
  case changeCannotFail, commitIsLast, gainMaps, noMixedStates, doorbellsAreWriteOnly

  // MARK: SMMUDriver/SMMUDriver.md

  /// Faults terminate and are recorded, nothing stalls, ATS is off
  /// Devices cannot reach what lies beyond the smallest OAS, or beyond the host's addresses
  /// For each SMMU: set SMMUEN, confirmed.
  /// The entry of a stream without a device is invalid
  case nothingStallsAndATSIsOff, smallestOAS, translatesFromTheStart, unknownStreamsAreInvalid
  /// The driver waits until each has consumed the SYNC
  /// It has not confirmed, so the pages stay the host's
  /// A replaced command of the host does not come again.
  /// so CMD_TLBI_NH_ALL follows, with a SYNC of its own, after the first SYNC is consumed.
  /// A batch has at most as many commands as the queue holds
  case syncIsConsumed, stoppedHasNotConfirmed, replacedIsLost, combinedAfterStage2, batchFitsTheQueue
  /// with the same stage 2 in each, EATS 0, and faults that terminate.
  /// before, all follow one rule.
  /// | from | to | what the hardware may read meanwhile |
  /// For an entry that stays the same the driver sends nothing.
  case sameStage2InEachEntry, oneRuleBeforeActivation, hardwareMayReadMeanwhile, unchangedSendsNothing

  // MARK: VirtualSMMU/VirtualSMMU.md

  /// | `STRTAB_BASE`, `CMDQ_BASE`, `EVENTQ_BASE` | EL2's memory, installed before the host runs
  /// | `*_IRQ_CFG0`, and MSIs of CMD_SYNC | zero, and refused | the SMMU itself writes nowhere |
  /// EL2 reads the host's stream table and commands once, into private copies, and checks them.
  /// A trap executes at most ``VirtualSMMUPolicy/commandsPerTrap`` commands
  case hardwareReadsEL2sMemory, smmuWritesNowhere, readOnceIntoCopies, trapIsBounded
  /// Both registers show only what the hardware has confirmed.
  /// When a trap ends, the hardware has confirmed all that EL2 has executed.
  /// Hardware that does not confirm gets no further commands, and the host reads `GERROR.SFM_ERR`.
  /// If EL2's own invalidation is not confirmed, the host's SMMU is not affected.
  case registersShowTheConfirmed, trapEndsConfirmed, unconfirmedIsServiceFailure, ownFailureStays
  /// all entries are read, streams go by what they did before ─▶ one switch ─▶ CR0ACK.SMMUEN
  /// one switch: all pass (stage 2 alone), or all abort
  /// Commands wait while entries are read.
  /// If the host clears CMDQEN while the entries of a command are read, `CMDQ_CONS` stays at that command.
  case enablingIsOneSwitch, disablingIsOneSwitch, commandsWaitForEntries, stopsAtTheCommand
  /// `GBPA` is stored while SMMUEN is set, and has effect when SMMUEN is cleared.
  /// | command queue | while `CR0.CMDQEN` | `CERROR_ABT` at the first command |
  /// | event queue | while `CR0.EVENTQEN` | events are lost, `GERROR.EVENTQ_ABT_ERR` |
  /// | stream table, both levels | while it is read, in one trap | the stream is invalid, and counted |
  case bypassWaitsForSMMUEN, commandQueueIsHeld, eventQueueIsHeld, streamTableIsHeldWhileRead
  /// A queue has at most one page. A held page cannot be donated.
  /// EL2 tries to hold a queue once, when the host enables it.
  /// Memory that the tree reserves counts as not the host's.
  /// An event that finds the host's queue full is lost, and the overflow flag is set.
  case queueHasOnePage, triedOnce, reservedIsNotTheHosts, fullQueueLosesEvents

  // MARK: VirtualSMMU/Registers.md

  /// Registers are accessed by words. A 64-bit register may be accessed by doublewords, or written by halves.
  /// Accesses by bytes and halfwords, and doubleword accesses to 32-bit registers, abort.
  /// A register that is not in the table reads as zero and ignores writes; accesses to it are counted.
  /// | IDR0 | S1P, COHACC, ASID16, CD2L, TTENDIAN, TERM_MODEL of the hardware
  /// | CR0 | as written | SMMUEN, EVENTQEN, CMDQEN |
  case registersAreWords, otherWidthsAbort, otherSMMURegisters, offeredIdentification, control0
  /// | CR0ACK | SMMUEN only when the hardware goes by the host's table | – |
  /// | CR1 | as written | kept.
  /// | CR2 | as written | RECINVSID, PTM; while SMMUEN is clear |
  /// | ABORT, with Update |
  /// | GERROR_IRQEN; EVENTQ_IRQEN, which the hardware gets |
  /// | GERROR, GERRORN | CMDQ_ERR, EVENTQ_ABT_ERR, SFM_ERR | GERRORN: what is active |
  case control0Acknowledged, control1, control2, globalBypass, interruptControl, globalErrors
  /// | STRTAB_BASE, STRTAB_BASE_CFG | as written | while SMMUEN is clear |
  /// | CMDQ_BASE | as written | while CMDQEN is clear |
  /// | CMDQ_PROD | as written | the doorbell |
  /// | CMDQ_CONS | behind what the hardware has confirmed; ERR | while CMDQEN is clear |
  case streamTableRegisters, commandQueueBase, commandQueueProduced, commandQueueConsumed
  /// | EVENTQ_BASE, EVENTQ_PROD | as written; PROD behind the host's events | while EVENTQEN is clear |
  /// | EVENTQ_CONS | as written | yes |
  /// Nothing else ends CMDQ_ERR, not CMDQEN either.
  case eventQueueRegisters, eventQueueConsumed, nothingElseEndsErrors

  // MARK: VirtualSMMU/StreamTableEntries.md

  /// A refused entry is counted, and its stream is invalid.
  /// an entry for it with V set is refused as `notPermitted`.
  /// If the arena has no memory for the hardware's entry, it is refused as `outOfMemory`.
  /// | V is 0 | invalid | V is 0; the host gets the event C_BAD_STE, or beyond its table C_BAD_STREAMID |
  /// | 0b000 and reserved values | aborts | Config 0b000 |
  /// | 0b100, bypass | passes stage 1 | Config 0b110, stage 2 |
  case refusedEntryIsInvalid, notPermittedEntry, noMemoryForEntry, invalidEntry, abortingEntry, bypassEntry
  /// | 0b101, stage 1 | stage 1, if its fields are permitted | Config 0b111, both stages |
  /// | 0b110, 0b111 | refused: `stage2` | V is 0 |
  /// | S1ContextPtr | the whole first level below what stage 2 translates | `contextAddress` |
  /// | S1CDMax | ignored with IDR1.SSIDSIZE 0; else at most that | `contextTable` |
  /// | S1STALLD | EL2's: set, where the hardware might stall.
  /// | Span is 0 | its streams are invalid |
  /// | Span is reserved, or more than SPLIT has | its streams are invalid, refused as `span` |
  case stage1Entry, stage2IsRefused, contextAddress, contextTable, stallsAreForbidden, noSpan, badSpan
  /// its streams are invalid, refused as `unreadableEntry`
  case unreadableEntry

  // MARK: VirtualSMMU/Commands.md

  /// a hint, dropped.
  /// the entries are read again, whatever Leaf is; nothing while SMMUEN is clear
  /// | StreamID within IDR1.SIDSIZE, or nothing | the same |
  /// | CMD_TLBI_NH_ALL, CMD_TLBI_NSNH_ALL | | CMD_TLBI_NH_ALL, EL2's VMID |
  /// | CMD_TLBI_NH_ASID | | the same, EL2's VMID |
  case prefetchIsDropped, entriesAreReadAgain, contextInvalidation, stage1Invalidation, asidInvalidation
  /// with IDR3.RIL a range of a granule that there is; TTL is left out, so that at most more is forgotten
  /// a granule that IDR5 lacks is refused as `range`.
  /// complete when everything before it is, and before anything behind it begins
  /// | with SSec | refused: `secureStream` | – |
  /// CMD_DPTI_\* | refused: `hiddenCommand` | – |
  /// | any other number, CS 3 | refused: `reservedCommand` | – |
  case addressInvalidation, badRange, syncIsABarrier, secureStream, hiddenCommand, reservedCommand
  /// `CMDQ_CONS` stays at the command and `GERROR.CMDQ_ERR` is active.
  /// When the host acknowledges the error, EL2 reads the command again and continues.
  /// it makes the hardware's command from the fields that count.
  case refusedStopsTheQueue, acknowledgedIsReadAgain, commandsAreMade

  // MARK: ITS/Handover.md

  /// Pages of an ITT that was handed over are never given back
  /// A handover that fails gives each page back unchanged. An ITS is handed over once.
  /// At the finalise call EL2 sets a disabled ITS up as at boot.
  /// It cannot protect a live ITS that was not handed over, and switches the board off.
  case handedPagesNeverReturn, handoverIsAllOrNothing, finaliseMediatesTheDisabled, liveITSSwitchesOff
  /// After the first finalise call each further one answers -4.
  case finalisedIsNotTrusted

  // MARK: Hypervisor/Security.md

  /// While it is installed, that memory cannot change owner.
  case installedMemoryKeepsItsOwner
}
