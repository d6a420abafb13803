// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Why an IOMMU did not do what it was asked for.
public enum IOMMUError: Error, Hashable, Sendable {
  /// There is no IOMMU that could confine the board's devices as they must be; the number says why.
  case unsupported(reason: UInt16)
  /// The driver refuses to change what devices reach of this page.
  case refused(PageFrameNumber)
  /// An IOMMU has not confirmed an invalidation: its number among the driver's.
  case notConfirmed(unit: UInt16)
  /// The pool holds fewer free pages than the tables need.
  case poolExhausted(needed: UInt64, free: UInt64)
  /// Following has begun already, or has failed for good.
  case wrongPhase
}
