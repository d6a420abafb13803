// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership
internal import SMMU

/// What one SMMU offers, once nothing speaks against driving it.
struct SMMUFeatures: Sendable {
  /// SIDSIZE.
  let streamIDBits: UInt64
  /// ST_LEVEL.
  let hasTwoLevelStreamTables: Bool
  /// ATS: transactions may say that they are translated.
  let hasATS: Bool
  /// MSI: it can signal by writing.
  let hasMSI: Bool
  /// STALL_MODEL: a fault of stage 1 stalls where nobody forbids it.
  let mayStall: Bool
  /// RIL.
  let hasRangeInvalidation: Bool
  /// BBML.
  let splitting: DMATable.Splitting
  /// OAS.
  let outputSize: SMMUAddressSize
  /// CMDQS.
  let commandLog2: UInt64
  /// EVENTQS.
  let eventLog2: UInt64

  /// Reads the ID registers, and nothing else.
  ///
  /// - Throws: why the SMMU can't be driven.
  static func probe<Machine: SMMUMachine & ~Copyable>(
    _ port: SMMUPort, vmid: VMID, _ policy: StreamPolicy, _ machine: borrowing Machine
  ) throws(SMMUSetupError) -> SMMUFeatures {
    let unit = port.unit
    let identity = SMMUIIDR(rawValue: try port.readWord(.implementer, machine))
    guard !identity.isUnsound else {
      throw .unsoundRevision(unit: unit, product: identity.product)
    }

    let idr0 = SMMUIDR0(rawValue: try port.readWord(.identification0, machine))
    guard idr0.hasStage2 else { throw .noStage2(unit: unit) }
    guard idr0.hasAArch64Tables else { throw .noAArch64Tables(unit: unit) }
    guard idr0.isCoherent else { throw .notCoherent(unit: unit) }
    // 0 is either, 2 is little; 3 is big and 1 reserved.
    guard idr0.tableEndianness & 1 == 0 else { throw .bigEndianTables(unit: unit) }
    switch idr0.stallModel {
    case .stallOrTerminate, .terminateOnly: break
    case .stallOnly, nil: throw .alwaysStalls(unit: unit)
    }
    if policy == .nested {
      guard idr0.hasStage1 else { throw .noStage1(unit: unit) }
      guard idr0.hasTwoLevelStreamTables else { throw .noTwoLevelTables(unit: unit) }
    }
    guard vmid.rawValue < 1 << 8 || idr0.hasVMID16 else { throw .vmidTooWide(unit: unit) }

    let idr1 = SMMUIDR1(rawValue: try port.readWord(.identification1, machine))
    guard !idr1.hasPresetTables else { throw .presetTables(unit: unit) }
    guard !idr1.hasPresetQueues else { throw .presetQueues(unit: unit) }
    guard !idr1.hasRelativeBases else { throw .relativeBases(unit: unit) }
    // Their control pages are where SMMU_CMDQ_CONTROL_PAGE_BASE<n> says, in reach of the host.
    guard !idr1.hasEnhancedCommandQueues else { throw .moreCommandQueues(unit: unit) }
    guard idr1.commandQueueLog2 >= SMMUCommandQueue.leastLog2 else {
      throw .commandQueueTooSmall(unit: unit, log2: idr1.commandQueueLog2)
    }

    let idr3 = SMMUIDR3(rawValue: try port.readWord(.identification3, machine))
    let idr5 = SMMUIDR5(rawValue: try port.readWord(.identification5, machine))
    guard idr5.hasGranule4K else { throw .noGranule4K(unit: unit) }
    guard let outputSize = idr5.outputSize else { throw .unknownAddressSize(unit: unit) }

    return SMMUFeatures(
      // More is reserved.
      streamIDBits: min(idr1.streamIDBits, 32),
      hasTwoLevelStreamTables: idr0.hasTwoLevelStreamTables, hasATS: idr0.hasATS,
      hasMSI: idr0.hasMSI, mayStall: idr0.stallModel == .stallOrTerminate,
      hasRangeInvalidation: idr3.hasRangeInvalidation,
      splitting: idr3.breakBeforeMake == .level2 ? .atOnce : .broken, outputSize: outputSize,
      commandLog2: idr1.commandQueueLog2, eventLog2: idr1.eventQueueLog2)
  }

  /// Whether the SMMU can address all of `pages`.
  func reaches(_ pages: PageRange) -> Bool {
    pages.last.rawValue >> (outputSize.bits - PageFrameNumber.shift) == 0
  }
}
