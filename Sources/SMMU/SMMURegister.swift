// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The Non-secure registers of an SMMUv3, by their offset (SMMUv3 architecture IHI 0070, 6.2 and 6.3).
///
/// The two pages of 64 KiB follow each other; the pointers of the two queues that the SMMU fills are in
/// the second, so that a guest can be given it by itself.
public enum SMMURegister: UInt64, Hashable, Sendable {
  /// SMMU_IDR0.
  case identification0 = 0x0
  /// SMMU_IDR1.
  case identification1 = 0x4
  /// SMMU_IDR2.
  case identification2 = 0x8
  /// SMMU_IDR3.
  case identification3 = 0xc
  /// SMMU_IDR4.
  case identification4 = 0x10
  /// SMMU_IDR5.
  case identification5 = 0x14
  /// SMMU_IIDR.
  case implementer = 0x18
  /// SMMU_AIDR.
  case architecture = 0x1c
  /// SMMU_CR0.
  case control0 = 0x20
  /// SMMU_CR0ACK.
  case control0Acknowledged = 0x24
  /// SMMU_CR1.
  case control1 = 0x28
  /// SMMU_CR2.
  case control2 = 0x2c
  /// SMMU_STATUSR.
  case status = 0x40
  /// SMMU_GBPA.
  case globalBypass = 0x44
  /// SMMU_AGBPA.
  case alternateGlobalBypass = 0x48
  /// SMMU_IRQ_CTRL.
  case interruptControl = 0x50
  /// SMMU_IRQ_CTRLACK.
  case interruptControlAcknowledged = 0x54
  /// SMMU_GERROR.
  case globalError = 0x60
  /// SMMU_GERRORN.
  case globalErrorAcknowledged = 0x64
  /// SMMU_GERROR_IRQ_CFG0.
  case globalErrorInterrupt0 = 0x68
  /// SMMU_GERROR_IRQ_CFG1.
  case globalErrorInterrupt1 = 0x70
  /// SMMU_GERROR_IRQ_CFG2.
  case globalErrorInterrupt2 = 0x74
  /// SMMU_STRTAB_BASE.
  case streamTableBase = 0x80
  /// SMMU_STRTAB_BASE_CFG.
  case streamTableBaseConfiguration = 0x88
  /// SMMU_CMDQ_BASE.
  case commandQueueBase = 0x90
  /// SMMU_CMDQ_PROD.
  case commandQueueProduced = 0x98
  /// SMMU_CMDQ_CONS.
  case commandQueueConsumed = 0x9c
  /// SMMU_EVENTQ_BASE.
  case eventQueueBase = 0xa0
  /// SMMU_EVENTQ_IRQ_CFG0.
  case eventQueueInterrupt0 = 0xb0
  /// SMMU_EVENTQ_IRQ_CFG1.
  case eventQueueInterrupt1 = 0xb8
  /// SMMU_EVENTQ_IRQ_CFG2.
  case eventQueueInterrupt2 = 0xbc
  /// SMMU_PRIQ_BASE.
  case requestQueueBase = 0xc0
  /// SMMU_PRIQ_IRQ_CFG0.
  case requestQueueInterrupt0 = 0xd0
  /// SMMU_PRIQ_IRQ_CFG1.
  case requestQueueInterrupt1 = 0xd8
  /// SMMU_PRIQ_IRQ_CFG2.
  case requestQueueInterrupt2 = 0xdc
  /// SMMU_GATOS_CTRL.
  case addressTranslationControl = 0x100
  /// SMMU_GATOS_SID.
  case addressTranslationStream = 0x108
  /// SMMU_GATOS_ADDR.
  case addressTranslationAddress = 0x110
  /// SMMU_GATOS_PAR.
  case addressTranslationResult = 0x118
  /// SMMU_EVENTQ_PROD.
  case eventQueueProduced = 0x100a8
  /// SMMU_EVENTQ_CONS.
  case eventQueueConsumed = 0x100ac
  /// SMMU_PRIQ_PROD.
  case requestQueueProduced = 0x100c8
  /// SMMU_PRIQ_CONS.
  case requestQueueConsumed = 0x100cc

  /// The size in bytes of both pages.
  public static var frameSize: UInt64 { 0x2_0000 }
  /// Where the second page starts.
  public static var secondPage: UInt64 { 0x1_0000 }

  /// The offset from the start of the first page.
  public var offset: UInt64 { rawValue }

  /// The size in bytes: 4, or 8 for an address, which may be accessed by halves.
  public var size: UInt64 {
    switch self {
    case .globalErrorInterrupt0, .streamTableBase, .commandQueueBase, .eventQueueBase,
      .eventQueueInterrupt0, .requestQueueBase, .requestQueueInterrupt0, .addressTranslationStream,
      .addressTranslationAddress, .addressTranslationResult:
      8
    default: 4
    }
  }

  /// Whether software may only read it.
  public var isReadOnly: Bool {
    switch self {
    case .identification0, .identification1, .identification2, .identification3, .identification4,
      .identification5, .implementer, .architecture, .control0Acknowledged, .status,
      .interruptControlAcknowledged, .globalError, .addressTranslationResult:
      true
    default: false
    }
  }
}
