// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What an SMMU was told by a register, or has carried out from its queue.
package enum SMMUAction: Hashable, Sendable {
  /// It begins to translate; its IDR3.BBML.
  case enable(breakBeforeMake: UInt64)
  /// It stops.
  case disable
  /// It reads a stream table entry that combines a stage 1 with stage 2.
  case combine
  /// SMMU_CMDQ_PROD was written.
  case tell
  /// CMD_SYNC: all invalidations before it have taken effect.
  case sync
  /// CMD_TLBI_S2_IPA.
  case invalidateStage2(vmid: UInt16, first: UInt64, last: UInt64)
  /// CMD_TLBI_S12_VMALL.
  case invalidateBothStages(vmid: UInt16)
  /// CMD_TLBI_NH_ALL: what combines stage 1 with stage 2.
  case invalidateCombined(vmid: UInt16)
  /// CMD_TLBI_NSNH_ALL.
  case invalidateAll
  /// CMD_CFGI_STE and CMD_CFGI_STE_RANGE.
  case configure(first: UInt64, last: UInt64, isLeaf: Bool)
  /// Any other command, by its number.
  case other(UInt8)
}
