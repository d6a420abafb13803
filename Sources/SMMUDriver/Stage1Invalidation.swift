// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// What the host has an SMMU forget of its stage 1; the VMID is not the host's to say.
public enum Stage1Invalidation: Hashable, Sendable {
  /// A context descriptor, and without `leaf` what leads to it.
  case context(StreamID, SubstreamID, leaf: Bool)
  /// All context descriptors of a stream.
  case contexts(StreamID)
  /// All of stage 1.
  case everything
  /// An address space.
  case space(ASID)
  /// An address, of all address spaces where there is no ASID.
  case address(UInt64, ASID?, leaf: Bool)
  /// (`count` + 1) × 2^`scale` pages of a granule, which is not zero; for SMMUs with IDR3.RIL.
  case range(UInt64, ASID?, count: UInt8, scale: UInt8, granule: UInt8, leaf: Bool)

  /// The command for it.
  func command(_ vmid: VMID) -> SMMUCommand {
    switch self {
    case .context(let stream, let substream, let leaf):
      .invalidateContext(stream, substream, leaf: leaf)
    case .contexts(let stream): .invalidateContexts(stream)
    case .everything: .invalidateStage1(vmid)
    case .space(let asid): .invalidateStage1(vmid, asid)
    case .address(let address, let asid, let leaf):
      .invalidateStage1(vmid, asid, address: address, leaf: leaf)
    case .range(let address, let asid, let count, let scale, let granule, let leaf):
      .invalidateStage1(
        vmid, asid, address: address, count: UInt64(count), scale: UInt64(scale),
        granule: UInt64(granule), leaf: leaf)
    }
  }
}
