// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// An event of one of the SMMUs: mostly a device that reached for what it may not.
public struct SMMUFault: Hashable, Sendable {
  /// The number of the SMMU.
  public let unit: UInt16
  /// What it has recorded.
  public let event: SMMUEvent

  /// Makes it from its parts.
  public init(unit: UInt16, event: SMMUEvent) {
    self.unit = unit
    self.event = event
  }

  /// The stream of the device.
  public var stream: StreamID { event.stream }
  /// The address that the device used, or that the SMMU could not read; nil where the event has none.
  public var address: UInt64? { event.inputAddress ?? event.fetchAddress }
  /// The reason by the specification's name, for a log.
  public var reason: StaticString { event.type?.name ?? "an unknown event" }
}
