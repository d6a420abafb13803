// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_IRQ_CTRL, and SMMU_IRQ_CTRLACK which tells when a change of it is complete (IHI 0070, 6.3).
public struct SMMUInterruptControl: SMMUBitRegister {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// GERROR_IRQEN, bit [0].
  public static var globalError: Self { Self(rawValue: 1 << 0) }
  /// PRIQ_IRQEN, bit [1].
  public static var requestQueue: Self { Self(rawValue: 1 << 1) }
  /// EVENTQ_IRQEN, bit [2].
  public static var eventQueue: Self { Self(rawValue: 1 << 2) }
}
