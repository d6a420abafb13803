// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// What an SMMU says of itself, for who shows the host another one.
public struct SMMUIdentification: Hashable, Sendable {
  /// SMMU_IDR0.
  public let idr0: SMMUIDR0
  /// SMMU_IDR1.
  public let idr1: SMMUIDR1
  /// SMMU_IDR3.
  public let idr3: SMMUIDR3
  /// SMMU_IDR5.
  public let idr5: SMMUIDR5
  /// SMMU_IIDR.
  public let implementer: SMMUIIDR
  /// SMMU_AIDR.
  public let architecture: SMMUAIDR
  /// The bits of the addresses that stage 2 translates.
  public let addressBits: UInt64
  /// log2 of the streams that EL2's table has entries for.
  public let streamLog2: UInt64

  /// Makes it from its parts.
  public init(
    idr0: SMMUIDR0, idr1: SMMUIDR1, idr3: SMMUIDR3, idr5: SMMUIDR5, implementer: SMMUIIDR,
    architecture: SMMUAIDR, addressBits: UInt64, streamLog2: UInt64
  ) {
    self.idr0 = idr0
    self.idr1 = idr1
    self.idr3 = idr3
    self.idr5 = idr5
    self.implementer = implementer
    self.architecture = architecture
    self.addressBits = addressBits
    self.streamLog2 = streamLog2
  }
}
