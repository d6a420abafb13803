// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The commands of an SMMUv3, by the number in bits [7:0] of their first doubleword (IHI 0070, 4.1).
///
/// They are laid out in 4.2 (prefetch), 4.3 (configuration), 4.4 (TLB), 4.5 (ATS and PRI), 4.6 (stalls)
/// and 4.7 (synchronisation). A queue stops with CERROR_ILL at a number that the SMMU does not have.
public enum SMMUOpcode: UInt8, Hashable, Sendable {
  /// CMD_PREFETCH_CONFIG. Fetches the configuration of a stream ahead.
  case prefetchConfiguration = 0x01
  /// CMD_PREFETCH_ADDR. Fetches translations of a stream ahead.
  case prefetchAddress = 0x02
  /// CMD_CFGI_STE. Forgets the stream table entry of one stream.
  case invalidateEntry = 0x03
  /// CMD_CFGI_STE_RANGE. Forgets the entries of 2^(Range + 1) streams; with Range 31, CMD_CFGI_ALL, all configuration.
  case invalidateEntries = 0x04
  /// CMD_CFGI_CD. Forgets one context descriptor of a stream.
  case invalidateContext = 0x05
  /// CMD_CFGI_CD_ALL. Forgets all context descriptors of a stream.
  case invalidateContexts = 0x06
  /// CMD_CFGI_VMS_PIDM. Forgets the PARTIDs of a virtual machine.
  case invalidatePartitions = 0x07
  /// CMD_TLBI_NH_ALL. Forgets all stage 1 of a VMID.
  case invalidateStage1 = 0x10
  /// CMD_TLBI_NH_ASID. Forgets stage 1 of an ASID.
  case invalidateStage1ASID = 0x11
  /// CMD_TLBI_NH_VA. Forgets an address of an ASID.
  case invalidateStage1Address = 0x12
  /// CMD_TLBI_NH_VAA. Forgets an address of all ASIDs.
  case invalidateStage1AddressAllASIDs = 0x13
  /// CMD_TLBI_EL3_ALL. Forgets all of EL3.
  case invalidateEL3 = 0x18
  /// CMD_TLBI_EL3_VA. Forgets an address of EL3.
  case invalidateEL3Address = 0x1a
  /// CMD_TLBI_EL2_ALL. Forgets all of EL2.
  case invalidateEL2 = 0x20
  /// CMD_TLBI_EL2_ASID. Forgets an ASID of EL2.
  case invalidateEL2ASID = 0x21
  /// CMD_TLBI_EL2_VA. Forgets an address of EL2.
  case invalidateEL2Address = 0x22
  /// CMD_TLBI_EL2_VAA. Forgets an address of all ASIDs of EL2.
  case invalidateEL2AddressAllASIDs = 0x23
  /// CMD_TLBI_S12_VMALL. Forgets both stages of a VMID.
  case invalidateBothStages = 0x28
  /// CMD_TLBI_S2_IPA. Forgets an IPA of a VMID, stage 2 alone.
  case invalidateStage2Address = 0x2a
  /// CMD_TLBI_NSNH_ALL. Forgets all Non-secure translations but those of EL2.
  case invalidateAll = 0x30
  /// CMD_ATC_INV. Has a device forget translations that it keeps itself.
  case invalidateDevice = 0x40
  /// CMD_PRI_RESP. Answers a page request.
  case respondPage = 0x41
  /// CMD_RESUME. Goes on with, or ends, a stalled transaction.
  case resume = 0x44
  /// CMD_STALL_TERM. Ends all stalled transactions of a stream.
  case terminateStalls = 0x45
  /// CMD_SYNC. Waits until earlier commands are complete, and signals that.
  case synchronise = 0x46
  /// CMD_TLBI_S_EL2_ALL. Forgets all of Secure EL2.
  case invalidateSecureEL2 = 0x50
  /// CMD_TLBI_S_EL2_ASID. Forgets an ASID of Secure EL2.
  case invalidateSecureEL2ASID = 0x51
  /// CMD_TLBI_S_EL2_VA. Forgets an address of Secure EL2.
  case invalidateSecureEL2Address = 0x52
  /// CMD_TLBI_S_EL2_VAA. Forgets an address of all ASIDs of Secure EL2.
  case invalidateSecureEL2AddressAllASIDs = 0x53
  /// CMD_TLBI_S_S12_VMALL. Forgets both stages of a Secure VMID.
  case invalidateSecureBothStages = 0x58
  /// CMD_TLBI_S_S2_IPA. Forgets an IPA of a Secure VMID.
  case invalidateSecureStage2Address = 0x5a
  /// CMD_TLBI_SNH_ALL. Forgets all Secure translations but those of EL2.
  case invalidateSecure = 0x60
  /// CMD_DPTI_ALL. Forgets all device permissions.
  case invalidatePermissions = 0x70
  /// CMD_DPTI_PA. Forgets the device permissions of an address.
  case invalidatePermissionsAddress = 0x73

  /// The name in the specification.
  public var name: StaticString {
    switch self {
    case .prefetchConfiguration: "CMD_PREFETCH_CONFIG"
    case .prefetchAddress: "CMD_PREFETCH_ADDR"
    case .invalidateEntry: "CMD_CFGI_STE"
    case .invalidateEntries: "CMD_CFGI_STE_RANGE"
    case .invalidateContext: "CMD_CFGI_CD"
    case .invalidateContexts: "CMD_CFGI_CD_ALL"
    case .invalidatePartitions: "CMD_CFGI_VMS_PIDM"
    case .invalidateStage1: "CMD_TLBI_NH_ALL"
    case .invalidateStage1ASID: "CMD_TLBI_NH_ASID"
    case .invalidateStage1Address: "CMD_TLBI_NH_VA"
    case .invalidateStage1AddressAllASIDs: "CMD_TLBI_NH_VAA"
    case .invalidateEL3: "CMD_TLBI_EL3_ALL"
    case .invalidateEL3Address: "CMD_TLBI_EL3_VA"
    case .invalidateEL2: "CMD_TLBI_EL2_ALL"
    case .invalidateEL2ASID: "CMD_TLBI_EL2_ASID"
    case .invalidateEL2Address: "CMD_TLBI_EL2_VA"
    case .invalidateEL2AddressAllASIDs: "CMD_TLBI_EL2_VAA"
    case .invalidateBothStages: "CMD_TLBI_S12_VMALL"
    case .invalidateStage2Address: "CMD_TLBI_S2_IPA"
    case .invalidateAll: "CMD_TLBI_NSNH_ALL"
    case .invalidateDevice: "CMD_ATC_INV"
    case .respondPage: "CMD_PRI_RESP"
    case .resume: "CMD_RESUME"
    case .terminateStalls: "CMD_STALL_TERM"
    case .synchronise: "CMD_SYNC"
    case .invalidateSecureEL2: "CMD_TLBI_S_EL2_ALL"
    case .invalidateSecureEL2ASID: "CMD_TLBI_S_EL2_ASID"
    case .invalidateSecureEL2Address: "CMD_TLBI_S_EL2_VA"
    case .invalidateSecureEL2AddressAllASIDs: "CMD_TLBI_S_EL2_VAA"
    case .invalidateSecureBothStages: "CMD_TLBI_S_S12_VMALL"
    case .invalidateSecureStage2Address: "CMD_TLBI_S_S2_IPA"
    case .invalidateSecure: "CMD_TLBI_SNH_ALL"
    case .invalidatePermissions: "CMD_DPTI_ALL"
    case .invalidatePermissionsAddress: "CMD_DPTI_PA"
    }
  }
}
