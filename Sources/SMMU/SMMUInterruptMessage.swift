// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_*_IRQ_CFG0, CFG1 and CFG2: the write by which the SMMU signals an interrupt (IHI 0070, 6.3).
///
/// The write goes past every stream's translation: whoever chooses the address writes anywhere.
public struct SMMUInterruptMessage: Hashable, Sendable {
  /// CFG0.
  public let configuration0: UInt64
  /// CFG1.
  public let configuration1: UInt32
  /// CFG2.
  public let configuration2: UInt32

  /// Makes it from the three registers.
  public init(_ configuration0: UInt64, _ configuration1: UInt32, _ configuration2: UInt32) {
    self.configuration0 = configuration0
    self.configuration1 = configuration1
    self.configuration2 = configuration2
  }

  /// ADDR, CFG0[51:2], as an address; 0 asks for no write.
  public var address: UInt64 { configuration0.masked(51, 2) }
  /// DATA, CFG1[31:0].
  public var data: UInt32 { configuration1 }
  /// MemAttr, CFG2[3:0].
  public var memoryType: UInt64 { UInt64(configuration2).bits(3, 0) }
  /// SH, CFG2[5:4]; nil for a reserved value.
  public var shareability: SMMUShareability? {
    SMMUShareability(rawValue: UInt8(truncatingIfNeeded: UInt64(configuration2).bits(5, 4)))
  }
}
