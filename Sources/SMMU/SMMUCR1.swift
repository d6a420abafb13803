// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_CR1: how the SMMU itself reads tables and queues (IHI 0070, 6.3).
public struct SMMUCR1: RawRepresentable, Hashable, Sendable {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  private var bits: UInt64 { UInt64(rawValue) }

  /// Cacheability.
  public enum Cacheability: UInt8, Sendable {
    /// Non-cacheable.
    case none = 0
    /// Write-Back.
    case writeBack = 1
    /// Write-Through.
    case writeThrough = 2
  }

  /// Everything Write-Back and Inner Shareable: what a coherent SMMU sees as the CPUs do.
  public static var coherent: Self { Self(rawValue: 0b11_01_01_11_01_01) }

  /// QUEUE_IC, bits [1:0]; nil for a reserved value.
  public var queueInner: Cacheability? { cacheability(0) }
  /// QUEUE_OC, bits [3:2]; nil for a reserved value.
  public var queueOuter: Cacheability? { cacheability(2) }
  /// QUEUE_SH, bits [5:4].
  public var queueShareability: SMMUShareability? { shareability(4) }
  /// TABLE_IC, bits [7:6]; nil for a reserved value.
  public var tableInner: Cacheability? { cacheability(6) }
  /// TABLE_OC, bits [9:8]; nil for a reserved value.
  public var tableOuter: Cacheability? { cacheability(8) }
  /// TABLE_SH, bits [11:10].
  public var tableShareability: SMMUShareability? { shareability(10) }

  /// Whether who writes queues by these attributes writes them through the caches of the CPUs.
  public var hasCoherentQueues: Bool { isCoherent(queueInner, queueOuter, queueShareability) }
  /// Whether who writes tables by these attributes writes them through the caches of the CPUs.
  public var hasCoherentTables: Bool { isCoherent(tableInner, tableOuter, tableShareability) }

  private func isCoherent(
    _ inner: Cacheability?, _ outer: Cacheability?, _ shareability: SMMUShareability?
  ) -> Bool {
    guard let inner, let outer else { return false }
    return inner != .none && outer != .none && (shareability == .inner || shareability == .outer)
  }

  private func cacheability(_ low: UInt64) -> Cacheability? {
    Cacheability(rawValue: UInt8(truncatingIfNeeded: bits.bits(low &+ 1, low)))
  }
  private func shareability(_ low: UInt64) -> SMMUShareability? {
    SMMUShareability(rawValue: UInt8(truncatingIfNeeded: bits.bits(low &+ 1, low)))
  }
}
