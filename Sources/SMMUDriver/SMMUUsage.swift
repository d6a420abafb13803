// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the driver has asked of the SMMUs, all together, since they were taken over.
public struct SMMUUsage: Hashable, Sendable {
  /// Invalidations.
  public internal(set) var invalidations: UInt64 = 0
  /// SYNCs.
  public internal(set) var syncs: UInt64 = 0
  /// Batches that an SMMU has not carried out in time, or not without an error.
  public internal(set) var unconfirmed: UInt64 = 0

  /// Nothing yet.
  public init() {}
}
