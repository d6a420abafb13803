// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The commands that a hypervisor itself issues. What is too wide for a field is cut off.
extension SMMUCommand {
  private init(_ opcode: SMMUOpcode, _ rest: UInt64 = 0, _ word1: UInt64 = 0) {
    self.init(UInt64(opcode.rawValue) | rest, word1)
  }

  /// CMD_CFGI_STE (4.3.1); without `leaf`, also what the first level says.
  public static func invalidateEntry(_ stream: StreamID, leaf: Bool) -> Self {
    Self(.invalidateEntry, UInt64(stream.rawValue) << 32, leaf ? 1 : 0)
  }

  /// CMD_CFGI_STE_RANGE (4.3.2) for 2^(`range` + 1) streams, of which `stream` is one.
  public static func invalidateEntries(_ stream: StreamID, range: UInt64) -> Self {
    Self(.invalidateEntries, UInt64(stream.rawValue) << 32, range.bits(4, 0))
  }

  /// CMD_CFGI_ALL (4.3).
  public static var invalidateConfiguration: Self { Self(.invalidateEntries, 0, 31) }

  /// CMD_TLBI_NSNH_ALL (4.4).
  public static var invalidateAll: Self { Self(.invalidateAll) }

  /// CMD_TLBI_S12_VMALL (4.4).
  public static func invalidateBothStages(_ vmid: VMID) -> Self {
    Self(.invalidateBothStages, UInt64(vmid.rawValue) << 32)
  }

  /// CMD_TLBI_NH_ALL (4.4): also what was combined from both stages.
  public static func invalidateStage1(_ vmid: VMID) -> Self {
    Self(.invalidateStage1, UInt64(vmid.rawValue) << 32)
  }

  /// CMD_TLBI_S2_IPA (4.4) for the page or block at `address`.
  public static func invalidateStage2(_ vmid: VMID, address: UInt64, leaf: Bool) -> Self {
    Self(
      .invalidateStage2Address, UInt64(vmid.rawValue) << 32,
      address.masked(51, 12) | (leaf ? 1 : 0))
  }

  /// CMD_TLBI_S2_IPA (4.4) for (`count` + 1) × 2^`scale` pages of 4 KiB from `address`; with IDR3.RIL.
  public static func invalidateStage2(
    _ vmid: VMID, address: UInt64, count: UInt64, scale: UInt64, leaf: Bool
  ) -> Self {
    Self(
      .invalidateStage2Address,
      UInt64(vmid.rawValue) << 32 | count.bits(4, 0) << 12 | scale.bits(4, 0) << 20,
      address.masked(51, 12) | 1 << 10 | (leaf ? 1 : 0))
  }

  /// CMD_CFGI_CD (4.3.3); without `leaf`, also what the first level says.
  public static func invalidateContext(
    _ stream: StreamID, _ substream: SubstreamID, leaf: Bool
  ) -> Self {
    Self(
      .invalidateContext, UInt64(stream.rawValue) << 32 | UInt64(substream.rawValue) << 12,
      leaf ? 1 : 0)
  }

  /// CMD_CFGI_CD_ALL (4.3.4).
  public static func invalidateContexts(_ stream: StreamID) -> Self {
    Self(.invalidateContexts, UInt64(stream.rawValue) << 32)
  }

  /// CMD_TLBI_NH_ASID (4.4).
  public static func invalidateStage1(_ vmid: VMID, _ asid: ASID) -> Self {
    Self(.invalidateStage1ASID, UInt64(vmid.rawValue) << 32 | UInt64(asid.rawValue) << 48)
  }

  /// CMD_TLBI_NH_VA (4.4), or without an ASID CMD_TLBI_NH_VAA.
  public static func invalidateStage1(
    _ vmid: VMID, _ asid: ASID?, address: UInt64, leaf: Bool
  ) -> Self {
    Self(
      asid == nil ? .invalidateStage1AddressAllASIDs : .invalidateStage1Address,
      UInt64(vmid.rawValue) << 32 | UInt64(asid?.rawValue ?? 0) << 48,
      address.masked(63, 12) | (leaf ? 1 : 0))
  }

  /// The same for (`count` + 1) × 2^`scale` pages of a granule from `address`; with IDR3.RIL.
  public static func invalidateStage1(
    _ vmid: VMID, _ asid: ASID?, address: UInt64, count: UInt64, scale: UInt64, granule: UInt64,
    leaf: Bool
  ) -> Self {
    var command = invalidateStage1(vmid, asid, address: address, leaf: leaf)
    command.word0 |= count.bits(4, 0) << 12 | scale.bits(4, 0) << 20
    command.word1 |= granule.bits(1, 0) << 10
    return command
  }

  /// CMD_SYNC (4.7), of which CMDQ_CONS alone tells the completion.
  public static var synchronise: Self { Self(.synchronise) }
}
