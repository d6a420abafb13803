// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// SMMU_GERROR and SMMU_GERRORN: an error is active where a bit of the two differs (IHI 0070, 6.3).
public struct SMMUGlobalError: SMMUBitRegister {
  /// The register's value.
  public let rawValue: UInt32
  /// Makes it from the register's value.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// CMDQ_ERR: the command queue has stopped, and CMDQ_CONS.ERR says why, bit [0].
  public static var command: Self { Self(rawValue: 1 << 0) }
  /// EVENTQ_ABT_ERR: events were lost, bit [2].
  public static var eventQueueAborted: Self { Self(rawValue: 1 << 2) }
  /// PRIQ_ABT_ERR, bit [3].
  public static var requestQueueAborted: Self { Self(rawValue: 1 << 3) }
  /// MSI_CMDQ_ABT_ERR, bit [4].
  public static var commandMSIAborted: Self { Self(rawValue: 1 << 4) }
  /// MSI_EVENTQ_ABT_ERR, bit [5].
  public static var eventMSIAborted: Self { Self(rawValue: 1 << 5) }
  /// MSI_PRIQ_ABT_ERR, bit [6].
  public static var requestMSIAborted: Self { Self(rawValue: 1 << 6) }
  /// MSI_GERROR_ABT_ERR, bit [7].
  public static var errorMSIAborted: Self { Self(rawValue: 1 << 7) }
  /// SFM_ERR: Service Failure Mode, nothing is translated any more, bit [8].
  public static var serviceFailure: Self { Self(rawValue: 1 << 8) }
  /// CMDQP_ERR, bit [9].
  public static var enhancedCommand: Self { Self(rawValue: 1 << 9) }
  /// DPT_ERR, bit [10].
  public static var permissionTable: Self { Self(rawValue: 1 << 10) }

  /// The errors that are active, given what software has acknowledged in SMMU_GERRORN.
  public func active(acknowledged: Self) -> Self {
    Self(rawValue: rawValue ^ acknowledged.rawValue)
  }
}
