// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import SMMU

/// What a simulated SMMU implements, and how it behaves where the architecture leaves a choice.
package struct SMMUConfiguration: Sendable {
  /// When the invalidations of commands take effect.
  package enum Invalidation: Hashable, Sendable {
    /// At once.
    case immediate
    /// When the next CMD_SYNC completes, the last first: as late as the architecture allows.
    case atSync
    /// One by one, in an order by `seed`, at any time until the next CMD_SYNC completes; between any two,
    /// devices access again what they have accessed lately.
    case anyOrder(seed: UInt64)
  }

  /// IDR0.S1P.
  package var hasStage1 = true
  /// IDR0.S2P.
  package var hasStage2 = true
  /// IDR0.TTF: whether tables of AArch64 are understood.
  package var hasAArch64Tables = true
  /// IDR0.COHACC.
  package var isCoherent = true
  /// IDR0.HTTU: 1 for the Access flag, 2 for dirty state as well.
  package var hardwareUpdates: UInt64 = 0
  /// IDR0.HYP.
  package var hasHypervisorContexts = false
  /// IDR0.ATS.
  package var hasATS = false
  /// IDR0.NS1ATS: no split-stage ATS.
  package var hasFullATSOnly = false
  /// IDR0.ASID16.
  package var hasASID16 = true
  /// IDR0.MSI.
  package var hasMSI = true
  /// IDR0.SEV.
  package var hasSEV = true
  /// IDR0.PRI.
  package var hasPRI = false
  /// IDR0.VMW.
  package var hasVMIDWildcards = false
  /// IDR0.VMID16.
  package var hasVMID16 = true
  /// IDR0.CD2L.
  package var hasTwoLevelContexts = true
  /// IDR0.ST_LEVEL.
  package var hasTwoLevelStreams = true
  /// IDR0.TTENDIAN: 0 mixed, 2 little, 3 big.
  package var endianness: UInt64 = 2
  /// IDR0.STALL_MODEL.
  package var stallModel = SMMUIDR0.StallModel.stallOrTerminate
  /// IDR0.TERM_MODEL: a terminated transaction always aborts.
  package var alwaysAborts = false

  /// IDR1.SIDSIZE.
  package var streamIDBits: UInt64 = 16
  /// IDR1.SSIDSIZE.
  package var substreamIDBits: UInt64 = 0
  /// IDR1.CMDQS: log2 of the most commands.
  package var commandQueueLog2: UInt64 = 8
  /// IDR1.EVENTQS: log2 of the most events.
  package var eventQueueLog2: UInt64 = 7
  /// SMMU_CMDQ_BASE and SMMU_EVENTQ_BASE where they are fixed (IDR1.QUEUES_PRESET).
  package var presetQueues: (command: UInt64, event: UInt64)?
  /// SMMU_STRTAB_BASE and its CFG where they are fixed (IDR1.TABLES_PRESET).
  package var presetTable: (base: UInt64, shape: UInt32)?

  /// IDR3.FWB.
  package var canForceWriteBack = false
  /// IDR3.STT.
  package var hasSmallTables = false
  /// IDR3.RIL.
  package var hasRangeInvalidation = true
  /// IDR3.BBML.
  package var breakBeforeMake = SMMUIDR3.BreakBeforeMake.required

  /// IDR5.OAS.
  package var outputSize = SMMUAddressSize.bits48
  /// IDR5.GRAN4K.
  package var hasGranule4K = true
  /// IDR5.GRAN16K; the walks are not simulated.
  package var hasGranule16K = false
  /// IDR5.GRAN64K; the walks are not simulated.
  package var hasGranule64K = false
  /// IDR5.STALL_MAX.
  package var stallLimit: UInt64 = 16

  /// AIDR: the minor version of SMMUv3.
  package var minorVersion: UInt32 = 2
  /// IIDR.
  package var implementer: UInt32 = 0x43b
  /// What SMMU_GBPA is at reset, Update apart.
  package var resetBypass: UInt32 = 0

  /// How many steps a change of CR0, IRQ_CTRL or GBPA takes to be acknowledged; zero for none.
  package var stepsToAcknowledge: UInt64 = 0
  /// When invalidations take effect.
  package var invalidation = Invalidation.immediate
  /// How many commands are fetched ahead of the one that runs; zero for none.
  package var commandsFetchedAhead = 0
  /// Whether entries of the stream table and contexts stay in the SMMU once used.
  package var cachesConfiguration = true
  /// Whether those that are not valid stay, too.
  package var cachesInvalidEntries = true
  /// Whether an entry of the stream table is fetched before each CPU store to it, as hardware may at any
  /// time: one that is changed in a wrong order is then kept as it was in between.
  package var prefetchesEntries = false
  /// Whether translations stay in the SMMU once used.
  package var cachesTranslations = true
  /// Whether pointers to tables of stage 2 stay once walked.
  package var cachesTables = true
  /// Whether translations of both stages stay combined, where CMD_TLBI_S2_IPA doesn't reach them.
  package var combinesStages = true
  /// Whether the devices look into the caches of the CPUs.
  package var hasCoherentDevices = true
  /// Whether a device takes so long to answer CMD_ATC_INV that the CMD_SYNC behind it fails.
  package var losesDeviceInvalidations = false

  /// Makes the configuration of a plain SMMU with both stages.
  package init() {}

  /// SMMU_IDR0.
  package var idr0: SMMUIDR0 {
    var value: UInt32 = 0
    func set(_ isSet: Bool, _ bit: UInt32) { if isSet { value |= 1 << bit } }
    set(hasStage2, 0)
    set(hasStage1, 1)
    set(hasAArch64Tables, 3)
    set(isCoherent, 4)
    value |= UInt32(hardwareUpdates) << 6
    set(hasHypervisorContexts, 9)
    set(hasATS, 10)
    set(hasFullATSOnly, 11)
    set(hasASID16, 12)
    set(hasMSI, 13)
    set(hasSEV, 14)
    set(hasPRI, 16)
    set(hasVMIDWildcards, 17)
    set(hasVMID16, 18)
    set(hasTwoLevelContexts, 19)
    value |= UInt32(endianness) << 21
    value |= UInt32(stallModel.rawValue) << 24
    set(alwaysAborts, 26)
    set(hasTwoLevelStreams, 27)
    return SMMUIDR0(rawValue: value)
  }

  /// SMMU_IDR1.
  package var idr1: SMMUIDR1 {
    var value = UInt32(streamIDBits) | UInt32(substreamIDBits) << 6
    value |= UInt32(eventQueueLog2) << 16 | UInt32(commandQueueLog2) << 21
    if presetQueues != nil { value |= 1 << 29 }
    if presetTable != nil { value |= 1 << 30 }
    return SMMUIDR1(rawValue: value)
  }

  /// SMMU_IDR3.
  package var idr3: SMMUIDR3 {
    var value = UInt32(breakBeforeMake.rawValue) << 11
    if canForceWriteBack { value |= 1 << 8 }
    if hasSmallTables { value |= 1 << 9 }
    if hasRangeInvalidation { value |= 1 << 10 }
    return SMMUIDR3(rawValue: value)
  }

  /// SMMU_IDR5.
  package var idr5: SMMUIDR5 {
    var value = UInt32(outputSize.rawValue) | UInt32(stallLimit) << 16
    if hasGranule4K { value |= 1 << 4 }
    if hasGranule16K { value |= 1 << 5 }
    if hasGranule64K { value |= 1 << 6 }
    return SMMUIDR5(rawValue: value)
  }
}
