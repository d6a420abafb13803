// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_CR0, and SMMU_CR0ACK which tells when a change of it is complete (IHI 0070, 6.3).
public struct SMMUCR0: SMMUBitRegister {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// SMMUEN, bit [0].
  public static var translates: Self { Self(rawValue: 1 << 0) }
  /// PRIQEN, bit [1].
  public static var requestQueue: Self { Self(rawValue: 1 << 1) }
  /// EVENTQEN, bit [2].
  public static var eventQueue: Self { Self(rawValue: 1 << 2) }
  /// CMDQEN, bit [3].
  public static var commandQueue: Self { Self(rawValue: 1 << 3) }
  /// ATSCHK, bit [4].
  public static var checksATS: Self { Self(rawValue: 1 << 4) }

  /// VMW, bits [8:6]: how many low bits of a VMID invalidations ignore.
  public var ignoredVMIDBits: UInt64 { UInt64(rawValue).bits(8, 6) }
}
