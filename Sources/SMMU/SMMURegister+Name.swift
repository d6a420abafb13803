// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension SMMURegister {
  /// The name in the specification.
  public var name: StaticString {
    switch self {
    case .identification0: "SMMU_IDR0"
    case .identification1: "SMMU_IDR1"
    case .identification2: "SMMU_IDR2"
    case .identification3: "SMMU_IDR3"
    case .identification4: "SMMU_IDR4"
    case .identification5: "SMMU_IDR5"
    case .implementer: "SMMU_IIDR"
    case .architecture: "SMMU_AIDR"
    case .control0: "SMMU_CR0"
    case .control0Acknowledged: "SMMU_CR0ACK"
    case .control1: "SMMU_CR1"
    case .control2: "SMMU_CR2"
    case .status: "SMMU_STATUSR"
    case .globalBypass: "SMMU_GBPA"
    case .alternateGlobalBypass: "SMMU_AGBPA"
    case .interruptControl: "SMMU_IRQ_CTRL"
    case .interruptControlAcknowledged: "SMMU_IRQ_CTRLACK"
    case .globalError: "SMMU_GERROR"
    case .globalErrorAcknowledged: "SMMU_GERRORN"
    case .globalErrorInterrupt0: "SMMU_GERROR_IRQ_CFG0"
    case .globalErrorInterrupt1: "SMMU_GERROR_IRQ_CFG1"
    case .globalErrorInterrupt2: "SMMU_GERROR_IRQ_CFG2"
    case .streamTableBase: "SMMU_STRTAB_BASE"
    case .streamTableBaseConfiguration: "SMMU_STRTAB_BASE_CFG"
    case .commandQueueBase: "SMMU_CMDQ_BASE"
    case .commandQueueProduced: "SMMU_CMDQ_PROD"
    case .commandQueueConsumed: "SMMU_CMDQ_CONS"
    case .eventQueueBase: "SMMU_EVENTQ_BASE"
    case .eventQueueInterrupt0: "SMMU_EVENTQ_IRQ_CFG0"
    case .eventQueueInterrupt1: "SMMU_EVENTQ_IRQ_CFG1"
    case .eventQueueInterrupt2: "SMMU_EVENTQ_IRQ_CFG2"
    case .requestQueueBase: "SMMU_PRIQ_BASE"
    case .requestQueueInterrupt0: "SMMU_PRIQ_IRQ_CFG0"
    case .requestQueueInterrupt1: "SMMU_PRIQ_IRQ_CFG1"
    case .requestQueueInterrupt2: "SMMU_PRIQ_IRQ_CFG2"
    case .addressTranslationControl: "SMMU_GATOS_CTRL"
    case .addressTranslationStream: "SMMU_GATOS_SID"
    case .addressTranslationAddress: "SMMU_GATOS_ADDR"
    case .addressTranslationResult: "SMMU_GATOS_PAR"
    case .eventQueueProduced: "SMMU_EVENTQ_PROD"
    case .eventQueueConsumed: "SMMU_EVENTQ_CONS"
    case .requestQueueProduced: "SMMU_PRIQ_PROD"
    case .requestQueueConsumed: "SMMU_PRIQ_CONS"
    }
  }
}
