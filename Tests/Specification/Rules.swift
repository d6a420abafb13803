// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The rules of the documentation, by name.
///
/// Beside each name is the sentence that states the rule, or its beginning, in the article that the mark above
/// names. A transition names the rules that permit its outcome, a clause of the invariant its own.
enum Rule: String, CaseIterable, Sendable {

  // MARK: ITS/ITS.md

  /// The rules of this article.
  ///
  /// - `theHostChoosesNoAddress`:
  ///   The host chooses no address that the ITS writes to or reads a table from.
  /// - `commandQueueIsEL2s`:
  ///   `GITS_CBASER` | EL2's commit queue, installed before the host runs
  /// - `tablesAreEL2s`:
  ///   `GITS_BASER<n>` | EL2's tables, zeroed and cleaned before they were installed
  /// - `firstLevelAfterSecondIsZero`:
  ///   first-level entries | EL2 alone writes them, after the second-level page is zero
  /// - `tableIsEL2sArena`:
  ///   ITT address in MAPD | an allocation of EL2's arena; the host's address is only a name
  /// - `vpeTableIsTheHosts`:
  ///   pending table in VMAPP | the host's, the largest span that it may have checked, shared and pinned
  /// - `targetsAreRedistributors`:
  ///   RDbase | compared with the Redistributors that EL2 has found itself
  /// - `res0BitsAreZero`:
  ///   RES0 bits of a command | zero
  /// - `freeBehindSyncs`:
  ///   a table is free when `GITS_CREADR` has passed the command that unmapped it, and a SYNC to each
  /// - `neverFreedWhileStuck`:
  ///   If the hardware never gets there, the table is never freed.
  /// - `readOnce`:
  ///   four words, each read once
  /// - `stagingIsShared`:
  ///   (host's memory, shared and pinned)
  /// - `oneWriteOfCWRITER`:
  ///   one write of GITS_CWRITER
  /// - `commandsPerTrap`:
  ///   One trap takes at most ``ITSPolicy/commandsPerTrap`` commands
  /// - `bytesPerTrap`:
  ///   zeroes at most ``ITSPolicy/bytesPerTrap`` bytes
  /// - `workLeftRepeatsTheStore`:
  ///   If commands are left, up to the newest doorbell, the host's program counter stays on its store
  /// - `repeatedStoreIsRecognised`:
  ///   EL2 recognises a repeated store by its CPU and offset, so that it never moves the queue back
  /// - `notReadAgain`:
  ///   A command that takes several traps is not read again.
  /// - `slotsAreNotRewritten`:
  ///   never while the hardware may read
  /// - `replacedQueueFreesZeroing`:
  ///   the queue is replaced:
  /// - `clearingEnabledWaits`:
  ///   EL2 waits for Quiescent in the trap that clears Enabled, for 256 reads of `GITS_CTLR`.
  /// - `restIsSeenAtReads`:
  ///   It reads again whenever the host reads `GITS_CTLR`.
  /// - `enabledOnlyFromRest`:
  ///   EL2 sets Enabled only from *at rest*.
  /// - `registersAreWrittenAgain`:
  ///   If a register has changed, EL2 writes all of them again and restarts the queue.
  /// - `lostCommandsKeepItOff`:
  ///   If commands were under way then, they are lost, and the ITS is off.
  /// - `offUntilReset`:
  ///   power lost ──────────────┴─▶ off until reset
  /// - `freedOnlyWhileRegistersHold`:
  ///   A table is freed only while `GITS_CTLR.Enabled` is what EL2 has written and `GITS_CBASER` is EL2's.
  /// - `noBatchEndsAtZero`:
  ///   A batch that ends at offset zero is followed by one more SYNC
  /// - `abortStalls`:
  ///   After an abort GITS_CREADR.Stalled is set, with the offset of the command
  /// - `retryRepeats`:
  ///   GITS_CWRITER.Retry repeats the load.
  /// - `noMapIsNeverShared`:
  ///   EL2 never reads memory that the tree marks `no-map` or has in its memory reservation block
  /// - `unsharedQueueStalls`:
  ///   such a queue stalls too.
  case theHostChoosesNoAddress, commandQueueIsEL2s, tablesAreEL2s, firstLevelAfterSecondIsZero,
    tableIsEL2sArena, vpeTableIsTheHosts, targetsAreRedistributors, res0BitsAreZero, freeBehindSyncs,
    neverFreedWhileStuck, readOnce, stagingIsShared, oneWriteOfCWRITER, commandsPerTrap, bytesPerTrap,
    workLeftRepeatsTheStore, repeatedStoreIsRecognised, notReadAgain, slotsAreNotRewritten,
    replacedQueueFreesZeroing, clearingEnabledWaits, restIsSeenAtReads, enabledOnlyFromRest,
    registersAreWrittenAgain, lostCommandsKeepItOff, offUntilReset, freedOnlyWhileRegistersHold,
    noBatchEndsAtZero, abortStalls, retryRepeats, noMapIsNeverShared, unsharedQueueStalls

  // MARK: ITS/Commands.md

  /// The rules of this article.
  ///
  /// - `firstRuleThatFailsIsTheReason`:
  ///   The first rule that fails is the reason that is counted and logged
  /// - `device`:
  ///   *Device*: the DeviceID is mapped, by the ledger.
  /// - `event`:
  ///   *Event*: the EventID has no more bits than the device was mapped with.
  /// - `collection`:
  ///   *Collection*: the ICID is below 1,024, has no more bits than the hardware's `GITS_TYPER.CIDbits` says
  /// - `target`:
  ///   *Target*: RDbase is a Redistributor that EL2 has found
  /// - `deviceBelowBothTables`:
  ///   DeviceID below the host's and EL2's table
  /// - `devicePermitted`:
  ///   *Permitted* is each DeviceID by default
  /// - `sizeUpToIDBits`:
  ///   Size up to ID_bits
  /// - `placeInTheLedger`:
  ///   a place in the ledger
  /// - `memoryForTables`:
  ///   memory for the ITT, and for a second-level page
  /// - `sameMAPDKeepsEvents`:
  ///   nothing for a device that is mapped with this address and Size
  /// - `mapd`:
  ///   For one that is mapped otherwise MAPD V=0 first; then MAPD with an empty table of EL2. SYNCs last
  /// - `unmapd`:
  ///   MAPD V=0 and SYNCs last, if the ledger has the device; nothing otherwise
  /// - `mapc`:
  ///   | MAPC, V=1 | collection, target
  /// - `unmapc`:
  ///   the command without RDbase
  /// - `interruptBelowTheLimit`:
  ///   | MAPTI | device, event, collection; pINTID an LPI | the command |
  /// - `eventIsAnInterrupt`:
  ///   | MAPI | device, event, collection; EventID an LPI | the command |
  /// - `collectionMapped`:
  ///   | INVALL | collection, mapped | the command |
  /// - `secondTarget`:
  ///   | MOVALL | both targets | the command |
  /// - `virtualIsOff`:
  ///   | all for virtual interrupts | refused, where the policy is `off`
  /// - `anythingElse`:
  ///   | anything else | refused | |
  /// - `vpe`:
  ///   *vPE*: the vPEID is mapped, by the ledger.
  /// - `doorbell`:
  ///   *Doorbell*: an LPI, or 1023 for none.
  /// - `vpeBelowLedgerAndTables`:
  ///   | VMAPP, V=1 | vPEID below the ledger, the host's and EL2's table
  /// - `virtualIDBits`:
  ///   vINTIDs of 14 to 16 bits
  /// - `pendingTableIsTheHosts`:
  ///   8 KiB from the pending table's address, a bit for each vINTID of 16 bits, in the host's own memory
  /// - `vmapp`:
  ///   for a vPE that is mapped: VMAPP V=0 and VSYNC first; then the command. SYNCs last
  /// - `unvmapp`:
  ///   VMAPP V=0, VSYNC and SYNCs last, if the ledger has the vPE; the pin is released behind them
  /// - `virtualInterrupt`:
  ///   vINTID an LPI within the vPE's pending table
  /// - `doorbellIfItChanges`:
  ///   doorbell if it changes
  /// - `gicv41IsRefused`:
  ///   | VSGI, INVDB | refused: GICv4.1
  /// - `refusedIsSkipped`:
  ///   A refused command is skipped.
  /// - `refusedStalls`:
  ///   With ``ITSPolicy/Refused/stalls`` the queue stops at it instead
  /// - `control`:
  ///   | `GITS_CTLR` | Enabled as it wrote it, the hardware's Quiescent, no other bit | Enabled alone
  /// - `identification`:
  ///   ID registers | the hardware's | ignored |
  /// - `type`:
  ///   | `GITS_TYPER` | the hardware's, without what concerns virtual interrupts
  /// - `commandBase`:
  ///   | `GITS_CBASER` | what it wrote, address bits [15:12] too | while disabled; it waits until Quiescent.
  /// - `newQueueIsEmpty`:
  ///   The offsets in `GITS_CREADR` and `GITS_CWRITER` are zero after it
  /// - `commandWrite`:
  ///   | `GITS_CWRITER` | the offset of the newest doorbell; Retry is zero | the doorbell
  /// - `offsetBeyondIsIgnored`:
  ///   an offset beyond the queue is ignored
  /// - `commandRead`:
  ///   | `GITS_CREADR` | while the hardware is behind: where it is, by the host's places, and its Stalled
  /// - `tableBase`:
  ///   then what the hardware would have made of what it wrote | while disabled; it waits until Quiescent.
  /// - `otherTablesUnmap`:
  ///   A store that changes any bit of what `GITS_BASER<n>` reads as unmaps all that was mapped in the table.
  /// - `otherRegisters`:
  ///   | all others, `GITS_STATUSR` and `GITS_UMSIR` among them | zero | ignored |
  /// - `waitingStoreIsRepeated`:
  ///   A store that waits is repeated, and the host takes its interrupts in between.
  /// - `waitingStoreIsIgnoredAtLast`:
  ///   After 65,536 in a row a store that waits is ignored, and so is each further one
  /// - `hostsTableTells`:
  ///   When the ITS is enabled again, EL2 reads one doubleword of the host's table.
  /// - `twoLevelTableTells`:
  ///   In a two-level table it is the first-level entry of a mapped device
  /// - `oneLevelTableTells`:
  ///   In a one-level table it is the first doubleword. EL2 writes 1 to it, if it is zero
  /// - `foreignTableKeepsMappings`:
  ///   If the table is not the host's own memory, or does not answer, or was handed over, all mappings stay.
  /// - `ignoredAreCounted`:
  ///   Ignored accesses are counted.
  /// - `forbiddenAborts`:
  ///   A width or an alignment that the architecture forbids ends in an external abort
  /// - `halves`:
  ///   A 64-bit register may be accessed by halves.
  case firstRuleThatFailsIsTheReason, device, event, collection, target, deviceBelowBothTables,
    devicePermitted, sizeUpToIDBits, placeInTheLedger, memoryForTables, sameMAPDKeepsEvents, mapd, unmapd,
    mapc, unmapc, interruptBelowTheLimit, eventIsAnInterrupt, collectionMapped, secondTarget, virtualIsOff,
    anythingElse, vpe, doorbell, vpeBelowLedgerAndTables, virtualIDBits, pendingTableIsTheHosts, vmapp,
    unvmapp, virtualInterrupt, doorbellIfItChanges, gicv41IsRefused, refusedIsSkipped,
    refusedStalls, control, identification, type, commandBase, newQueueIsEmpty, commandWrite,
    offsetBeyondIsIgnored, commandRead, tableBase, otherTablesUnmap, otherRegisters, waitingStoreIsRepeated,
    waitingStoreIsIgnoredAtLast, hostsTableTells, twoLevelTableTells, oneLevelTableTells,
    foreignTableKeepsMappings, ignoredAreCounted, forbiddenAborts, halves

  // MARK: Hypervisor/Limits.md

  /// The rules of this article.
  ///
  /// - `overtakenDoorbellIsNew`:
  ///   doorbell has meanwhile overtaken by half the queue or more counts as a new one.
  /// - `stalledStaysStalled`:
  ///   EL2 does not rewrite a slot that the hardware may still read.
  /// - `lostWhileEnabledStaysOff`:
  ///   An ITS that loses power while it is enabled, or with commands under way, stays off until reset
  case overtakenDoorbellIsNew, stalledStaysStalled, lostWhileEnabledStaysOff

  // MARK: Hypervisor/HostCalls.md

  /// The rules of this article.
  ///
  /// - `suspendDisablesTheITS`:
  ///   Before SYSTEM_SUSPEND, EL2 disables each ITS and waits until it is quiescent.
  /// - `suspendedITSIsEnabled`:
  ///   It enables them afterwards. For one that is not quiescent then, EL2 waits for 65,536 more reads
  /// - `wakingChecksTheITS`:
  ///   An ITS whose registers differ from what EL2 left stays off, and is disabled if firmware has enabled it.
  /// - `wakingChecksTheRedistributor`:
  ///   A Redistributor that firmware has enabled with tables that EL2 does not hold is disabled
  /// - `otherCallsAreNotSupported`:
  ///   A call that is in no row of these tables returns NOT_SUPPORTED.
  /// - `queriesAreRelayed`:
  ///   PSCI_SET_SUSPEND_MODE, PSCI_STAT_RESIDENCY, PSCI_STAT_COUNT | relayed |
  /// - `entryIsChecked`:
  ///   else INVALID_PARAMETERS; then the entry point aligned and in memory that stage 2 gives the host
  /// - `firstEntryStays`:
  ///   ALREADY_ON and ON_PENDING are EL2's answers, and leave the first entry point as it is.
  /// - `relayedWithEL2sEntry`:
  ///   Relayed with EL2's own entry; what the host named waits in the table of CPUs
  /// - `lastCPUStays`:
  ///   DENIED for the last CPU where the system must keep its power, and while another CPU starts this one
  /// - `standbyContinues`:
  ///   to a standby state: relayed, the CPU continues after its call.
  /// - `deepStateWaitsAtEL2`:
  ///   a state that may take it is replaced: the CPU waits for an interrupt at EL2, and the answer is SUCCESS
  /// - `noSuspendWithSMMUs`:
  ///   NOT_SUPPORTED where the system must keep its power |
  /// - `logBeforeOff`:
  ///   | SYSTEM_OFF, SYSTEM_RESET | relayed, once the log is written |
  /// - `resetOfType0`:
  ///   type 0 as SYSTEM_RESET; a vendor's type is INVALID_PARAMETERS
  /// - `returnForgetsTheEntry`:
  ///   the host gets its answer, and the entry point is forgotten.
  /// - `returnedOffGoesOn`:
  ///   If firmware returns from CPU_OFF, SYSTEM_OFF or a reset, the host gets its answer and goes on.
  /// - `entersEL2First`:
  ///   A CPU that firmware starts or wakes enters EL2 first.
  case suspendDisablesTheITS, suspendedITSIsEnabled, wakingChecksTheITS, wakingChecksTheRedistributor,
    otherCallsAreNotSupported, queriesAreRelayed, entryIsChecked, firstEntryStays, relayedWithEL2sEntry,
    lastCPUStays, standbyContinues, deepStateWaitsAtEL2, noSuspendWithSMMUs, logBeforeOff, resetOfType0,
    returnForgetsTheEntry, returnedOffGoesOn, entersEL2First

  // MARK: Redistributor/Redistributor.md

  /// The rules of this article.
  ///
  /// - `tablesAreTheHosts`:
  ///   Each table of a Redistributor is memory of the host to its last byte
  /// - `ownersChangeWhenDone`:
  ///   its pages change owner only when the hardware no longer accesses them.
  /// - `claimOfPinnedIsRefused`:
  ///   a claim of a pinned page is refused.
  /// - `tablesAreChecked`:
  ///   both tables are memory of the host over their true span
  /// - `groupHasAsManyINTIDs`:
  ///   every other Redistributor whose tables are held has them for as many INTIDs
  /// - `hardwareReadsBack`:
  ///   the hardware reads back the addresses as they were checked.
  /// - `enablingIsRefused`:
  ///   Otherwise EnableLPIs stays clear, which the host reads, the other bits are stored
  /// - `everythingStaysHeld`:
  ///   the host clears EnableLPIs; everything stays held
  /// - `ownCPUReleases`:
  ///   Both tables are released if the Redistributor's own CPU looks
  /// - `sameTablesOnly`:
  ///   the host sets EnableLPIs with the same tables: the same `GICR_PROPBASER`
  /// - `cannotBeCleared`:
  ///   RWP clear, EnableLPIs
  /// - `powerWasLost`:
  ///   disabled: its power was
  /// - `sharedRegisterKeepsTables`:
  ///   a released configuration table stays held until no Redistributor holds any
  /// - `atMost16Lingering`:
  ///   EL2 keeps at most 16 such tables; beyond that a Redistributor releases neither of its own
  /// - `onlyEL2WritesAddresses`:
  ///   Only EL2 writes table addresses to the hardware, on the edge from idle to in use.
  /// - `atMost24Bits`:
  ///   Tables for more than 24 bits are refused
  /// - `promiseIsPassedOnce`:
  ///   EL2 passes `PTZ`, the host's promise that its pending table is zero, to the hardware once
  /// - `tablesFromBootStayHeld`:
  ///   They are held until reset, beside those of the host.
  /// - `otherRedistributorRegisters`:
  ///   A register that is not in the table reads as zero and ignores writes; accesses to it are counted.
  /// - `redistributorControl`:
  ///   | `GICR_CTLR` | the hardware's | EnableLPIs, by the rules above, and the DPG bits
  /// - `nothingWhileDisabling`:
  ///   nothing in the state *stopping*
  /// - `redistributorType`:
  ///   | `GICR_TYPER` | the hardware's, without RVPEID and Dirty where virtual LPIs are not offered
  /// - `redistributorIdentification`:
  ///   | `GICR_IIDR`, `GICR_MPAMIDR`, `GICR_SYNCR`, ID registers | the hardware's | ignored |
  /// - `waker`:
  ///   | `GICR_WAKER` | the hardware's | ProcessorSleep |
  /// - `tableRegisters`:
  ///   what it wrote, with attributes as the hardware has them | in the state *idle*; halves are joined.
  /// - `directLPIs`:
  ///   in the state *in use*, for LPIs that the tables have, where there is DirectLPI
  /// - `invalidations`:
  ///   the same, where there is DirectLPI or `GICR_CTLR.IR`; not for a vPE
  /// - `virtualFrameIsHidden`:
  ///   | `GICR_VPROPBASER`, `GICR_VPENDBASER` | zero | ignored, where virtual LPIs are not offered |
  /// - `residentTablesAreHeld`:
  ///   `GICR_VPENDBASER.Valid` is checked and its tables held as for EnableLPIs
  /// - `releasedWhenNotResident`:
  ///   released when Valid and Dirty are clear
  /// - `holdsMayOverlap`:
  ///   Tables and queues may overlap in any way.
  case tablesAreTheHosts, ownersChangeWhenDone, claimOfPinnedIsRefused, tablesAreChecked,
    groupHasAsManyINTIDs, hardwareReadsBack, enablingIsRefused, everythingStaysHeld, ownCPUReleases,
    sameTablesOnly, cannotBeCleared, powerWasLost, sharedRegisterKeepsTables, atMost16Lingering,
    onlyEL2WritesAddresses, atMost24Bits, promiseIsPassedOnce, tablesFromBootStayHeld,
    otherRedistributorRegisters, redistributorControl, nothingWhileDisabling, redistributorType,
    redistributorIdentification, waker, tableRegisters, directLPIs, invalidations, virtualFrameIsHidden,
    residentTablesAreHeld, releasedWhenNotResident, holdsMayOverlap

  // MARK: Hypervisor/Embedding.md

  /// The rules of this article.
  ///
  /// - `usedPagesStay`:
  ///   it refuses a page that is in use, with its address
  /// - `leavingPagesStayUnused`:
  ///   from then on no page of the range can come into use.
  /// - `tookEndsLeaving`:
  ///   `portcullis_took` ends that.
  /// - `awayIsOutOfReach`:
  ///   A page has left all devices when `portcullis_may_give_away` returns
  /// - `notedAsAwayFirst`:
  ///   `portcullis_may_give_away` notes the pages as away first.
  /// - `tookRefusesTheRest`:
  ///   if only some of its pages are away, it is refused.
  case usedPagesStay, leavingPagesStayUnused, tookEndsLeaving, awayIsOutOfReach, notedAsAwayFirst,
    tookRefusesTheRest

  // MARK: IOMMU/IOMMU.md

  /// The rules of this article.
  ///
  /// - `devicesReachWhatTheHostReaches`:
  ///   Devices reach exactly the pages that the host reaches.
  /// - `prepareMayRefuse`:
  ///   The driver says how many table pages it needs, or refuses.
  /// - `revokeIsConfirmed`:
  ///   They are removed from the table, and each IOMMU invalidates them and confirms it.
  /// - `failedRevokeRestores`:
  ///   If it fails, the pages are restored and stay the host's.
  /// - `changeCannotFail`:
  ///   The host's stage 2, the ledger and EL2's own translation change. This step cannot fail.
  /// - `commitIsLast`:
  ///   They are mapped for its devices after they were scrubbed, last of all.
  /// - `gainMaps`:
  ///   | none | map | map | map | unmap |
  /// - `noMixedStates`:
  ///   so a range of mixed states does not get here.
  /// - `doorbellsAreWriteOnly`:
  ///   These are mapped write-only for devices, whoever owns them.
  case devicesReachWhatTheHostReaches, prepareMayRefuse, revokeIsConfirmed, failedRevokeRestores,
    changeCannotFail, commitIsLast, gainMaps, noMixedStates, doorbellsAreWriteOnly

  // MARK: SMMUDriver/SMMUDriver.md

  /// The rules of this article.
  ///
  /// - `nothingStallsAndATSIsOff`:
  ///   Faults terminate and are recorded, nothing stalls, ATS is off
  /// - `smallestOAS`:
  ///   Devices cannot reach what lies beyond the smallest OAS, or beyond the host's addresses
  /// - `translatesFromTheStart`:
  ///   For each SMMU: set SMMUEN, confirmed.
  /// - `unknownStreamsAreInvalid`:
  ///   The entry of a stream without a device is invalid
  /// - `syncIsConsumed`:
  ///   The driver waits until each has consumed the SYNC
  /// - `stoppedHasNotConfirmed`:
  ///   It has not confirmed, so the pages stay the host's
  /// - `replacedIsLost`:
  ///   A replaced command of the host does not come again.
  /// - `combinedAfterStage2`:
  ///   so CMD_TLBI_NH_ALL follows, with a SYNC of its own, after the first SYNC is consumed.
  /// - `batchFitsTheQueue`:
  ///   A batch has at most as many commands as the queue holds
  /// - `sameStage2InEachEntry`:
  ///   with the same stage 2 in each, EATS 0, and faults that terminate.
  /// - `oneRuleBeforeActivation`:
  ///   before, all follow one rule.
  /// - `hardwareMayReadMeanwhile`:
  ///   | from | to | what the hardware may read meanwhile |
  /// - `unchangedSendsNothing`:
  ///   For any other entry that stays the same it sends nothing.
  case nothingStallsAndATSIsOff, smallestOAS, translatesFromTheStart, unknownStreamsAreInvalid,
    syncIsConsumed, stoppedHasNotConfirmed, replacedIsLost, combinedAfterStage2, batchFitsTheQueue,
    sameStage2InEachEntry, oneRuleBeforeActivation, hardwareMayReadMeanwhile, unchangedSendsNothing

  // MARK: VirtualSMMU/VirtualSMMU.md

  /// The rules of this article.
  ///
  /// - `hardwareReadsEL2sMemory`:
  ///   | `STRTAB_BASE`, `CMDQ_BASE`, `EVENTQ_BASE` | EL2's memory, installed before the host runs
  /// - `smmuWritesNowhere`:
  ///   | `*_IRQ_CFG0`, and MSIs of CMD_SYNC | zero, and refused | the SMMU itself writes nowhere |
  /// - `readOnceIntoCopies`:
  ///   EL2 reads the host's stream table and commands once, into private copies, and checks them.
  /// - `trapIsBounded`:
  ///   A trap executes at most ``VirtualSMMUPolicy/commandsPerTrap`` commands
  /// - `registersShowTheConfirmed`:
  ///   Both registers show only what the hardware has confirmed.
  /// - `trapEndsConfirmed`:
  ///   When a trap ends, the hardware has confirmed all that EL2 has executed.
  /// - `unconfirmedIsServiceFailure`:
  ///   Hardware that does not confirm gets no further commands, and the host reads `GERROR.SFM_ERR`.
  /// - `ownFailureStays`:
  ///   If EL2's own invalidation is not confirmed, the host's SMMU is not affected.
  /// - `enablingIsOneSwitch`:
  ///   all entries are read, streams go by what they did before ─▶ one switch ─▶ CR0ACK.SMMUEN
  /// - `disablingIsOneSwitch`:
  ///   one switch: all pass (stage 2 alone), or all abort
  /// - `commandsWaitForEntries`:
  ///   Commands wait while entries are read.
  /// - `stopsAtTheCommand`:
  ///   If the host clears CMDQEN while the entries of a command are read, `CMDQ_CONS` stays at that command.
  /// - `bypassWaitsForSMMUEN`:
  ///   `GBPA` is stored while SMMUEN is set, and has effect when SMMUEN is cleared.
  /// - `commandQueueIsHeld`:
  ///   | command queue | while `CR0.CMDQEN` | `CERROR_ABT` at the first command |
  /// - `eventQueueIsHeld`:
  ///   | event queue | while `CR0.EVENTQEN` | events are lost, `GERROR.EVENTQ_ABT_ERR` |
  /// - `streamTableIsHeldWhileRead`:
  ///   | stream table, both levels | while it is read, in one trap | the stream is invalid, and counted |
  /// - `queueHasOnePage`:
  ///   A queue has at most one page. A held page cannot be donated.
  /// - `triedOnce`:
  ///   EL2 tries to hold a queue once, when the host enables it.
  /// - `reservedIsNotTheHosts`:
  ///   Memory that the tree reserves counts as not the host's.
  /// - `fullQueueLosesEvents`:
  ///   An event that finds the host's queue full is lost, and the overflow flag is set.
  case hardwareReadsEL2sMemory, smmuWritesNowhere, readOnceIntoCopies, trapIsBounded,
    registersShowTheConfirmed, trapEndsConfirmed, unconfirmedIsServiceFailure, ownFailureStays,
    enablingIsOneSwitch, disablingIsOneSwitch, commandsWaitForEntries, stopsAtTheCommand,
    bypassWaitsForSMMUEN, commandQueueIsHeld, eventQueueIsHeld, streamTableIsHeldWhileRead, queueHasOnePage,
    triedOnce, reservedIsNotTheHosts, fullQueueLosesEvents

  // MARK: VirtualSMMU/Registers.md

  /// The rules of this article.
  ///
  /// - `registersAreWords`:
  ///   Registers are accessed by words. A 64-bit register may be accessed by doublewords, or written by halves.
  /// - `otherWidthsAbort`:
  ///   Accesses by bytes and halfwords, and doubleword accesses to 32-bit registers, abort.
  /// - `otherSMMURegisters`:
  ///   A register that is not in the table reads as zero and ignores writes; accesses to it are counted.
  /// - `offeredIdentification`:
  ///   | IDR0 | S1P, COHACC, ASID16, CD2L, TTENDIAN, TERM_MODEL of the hardware
  /// - `control0`:
  ///   | CR0 | as written | SMMUEN, EVENTQEN, CMDQEN |
  /// - `control0Acknowledged`:
  ///   | CR0ACK | SMMUEN only when the hardware goes by the host's table | – |
  /// - `control1`:
  ///   | CR1 | as written | kept.
  /// - `control2`:
  ///   | CR2 | as written | RECINVSID, PTM; while SMMUEN is clear |
  /// - `globalBypass`:
  ///   | ABORT, with Update |
  /// - `interruptControl`:
  ///   | GERROR_IRQEN; EVENTQ_IRQEN, which the hardware gets |
  /// - `globalErrors`:
  ///   | GERROR, GERRORN | CMDQ_ERR, EVENTQ_ABT_ERR, SFM_ERR | GERRORN: what is active |
  /// - `streamTableRegisters`:
  ///   | STRTAB_BASE, STRTAB_BASE_CFG | as written | while SMMUEN is clear |
  /// - `commandQueueBase`:
  ///   | CMDQ_BASE | as written | while CMDQEN is clear |
  /// - `commandQueueProduced`:
  ///   | CMDQ_PROD | as written | the doorbell |
  /// - `commandQueueConsumed`:
  ///   | CMDQ_CONS | behind what the hardware has confirmed; ERR | while CMDQEN is clear |
  /// - `eventQueueRegisters`:
  ///   | EVENTQ_BASE, EVENTQ_PROD | as written; PROD behind the host's events | while EVENTQEN is clear |
  /// - `eventQueueConsumed`:
  ///   | EVENTQ_CONS | as written | yes |
  /// - `nothingElseEndsErrors`:
  ///   Nothing else ends CMDQ_ERR, not CMDQEN either.
  case registersAreWords, otherWidthsAbort, otherSMMURegisters, offeredIdentification, control0,
    control0Acknowledged, control1, control2, globalBypass, interruptControl, globalErrors,
    streamTableRegisters, commandQueueBase, commandQueueProduced, commandQueueConsumed, eventQueueRegisters,
    eventQueueConsumed, nothingElseEndsErrors

  // MARK: VirtualSMMU/StreamTableEntries.md

  /// The rules of this article.
  ///
  /// - `refusedEntryIsInvalid`:
  ///   A refused entry is counted, and its stream is invalid.
  /// - `notPermittedEntry`:
  ///   An entry that has it pass, or gives it a stage 1, is refused as `notPermitted`.
  /// - `noMemoryForEntry`:
  ///   If the arena has no memory for the hardware's entry, it is refused as `outOfMemory`.
  /// - `invalidEntry`:
  ///   | V is 0 | invalid | V is 0; the host gets the event C_BAD_STE, or beyond its table C_BAD_STREAMID |
  /// - `abortingEntry`:
  ///   | 0b000 and reserved values | aborts | Config 0b000 |
  /// - `bypassEntry`:
  ///   | 0b100, bypass | passes stage 1 | Config 0b110, stage 2 |
  /// - `stage1Entry`:
  ///   | 0b101, stage 1 | stage 1, if its fields are permitted | Config 0b111, both stages |
  /// - `stage2IsRefused`:
  ///   | 0b110, 0b111 | refused: `stage2` | V is 0 |
  /// - `contextAddress`:
  ///   | S1ContextPtr | the whole first level below what stage 2 translates | `contextAddress` |
  /// - `contextTable`:
  ///   | S1CDMax | ignored with IDR1.SSIDSIZE 0; else at most that | `contextTable` |
  /// - `stallsAreForbidden`:
  ///   | S1STALLD | EL2's: set, where the hardware might stall.
  /// - `noSpan`:
  ///   | Span is 0 | its streams are invalid |
  /// - `badSpan`:
  ///   | Span is reserved, or more than SPLIT has | its streams are invalid, refused as `span` |
  /// - `unreadableEntry`:
  ///   its streams are invalid, refused as `unreadableEntry`
  case refusedEntryIsInvalid, notPermittedEntry, noMemoryForEntry, invalidEntry, abortingEntry, bypassEntry,
    stage1Entry, stage2IsRefused, contextAddress, contextTable, stallsAreForbidden, noSpan, badSpan,
    unreadableEntry

  // MARK: VirtualSMMU/Commands.md

  /// The rules of this article.
  ///
  /// - `prefetchIsDropped`:
  ///   a hint, dropped.
  /// - `entriesAreReadAgain`:
  ///   the entries are read again, whatever Leaf is; nothing while SMMUEN is clear
  /// - `contextInvalidation`:
  ///   | StreamID within IDR1.SIDSIZE, or nothing | the same |
  /// - `stage1Invalidation`:
  ///   | CMD_TLBI_NH_ALL, CMD_TLBI_NSNH_ALL | | CMD_TLBI_NH_ALL, EL2's VMID |
  /// - `asidInvalidation`:
  ///   | CMD_TLBI_NH_ASID | | the same, EL2's VMID |
  /// - `addressInvalidation`:
  ///   with IDR3.RIL a range of a granule that there is; TTL is left out, so that at most more is forgotten
  /// - `badRange`:
  ///   a granule that IDR5 lacks is refused as `range`.
  /// - `syncIsABarrier`:
  ///   complete when everything before it is, and before anything behind it begins
  /// - `secureStream`:
  ///   | with SSec | refused: `secureStream` | – |
  /// - `hiddenCommand`:
  ///   CMD_DPTI_\* | refused: `hiddenCommand` | – |
  /// - `reservedCommand`:
  ///   | any other number, CS 3 | refused: `reservedCommand` | – |
  /// - `refusedStopsTheQueue`:
  ///   `CMDQ_CONS` stays at the command and `GERROR.CMDQ_ERR` is active.
  /// - `acknowledgedIsReadAgain`:
  ///   When the host acknowledges the error, EL2 reads the command again and continues.
  /// - `commandsAreMade`:
  ///   it makes the hardware's command from the fields that count.
  case prefetchIsDropped, entriesAreReadAgain, contextInvalidation, stage1Invalidation, asidInvalidation,
    addressInvalidation, badRange, syncIsABarrier, secureStream, hiddenCommand, reservedCommand,
    refusedStopsTheQueue, acknowledgedIsReadAgain, commandsAreMade

  // MARK: ITS/Handover.md

  /// The rules of this article.
  ///
  /// - `handedPagesNeverReturn`:
  ///   Pages of an ITT that was handed over are never given back
  /// - `handoverIsAllOrNothing`:
  ///   A handover that fails gives each page back unchanged. An ITS is handed over once.
  /// - `finaliseMediatesTheDisabled`:
  ///   At the finalise call EL2 sets a disabled ITS up as at boot.
  /// - `liveITSSwitchesOff`:
  ///   It cannot protect a live ITS that was not handed over, and switches the board off.
  /// - `finalisedIsNotTrusted`:
  ///   After the first finalise call each further one answers -4.
  case handedPagesNeverReturn, handoverIsAllOrNothing, finaliseMediatesTheDisabled, liveITSSwitchesOff,
    finalisedIsNotTrusted

  // MARK: Hypervisor/Security.md

  /// The rules of this article.
  ///
  /// - `installedMemoryKeepsItsOwner`:
  ///   While it is installed, that memory cannot change owner.
  case installedMemoryKeepsItsOwner
}
