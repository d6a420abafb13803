// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// How much a virtual SMMU does in one trap.
public struct VirtualSMMUPolicy: Hashable, Sendable {
  /// The most commands of the host.
  public var commandsPerTrap: UInt64 = 64
  /// The most entries and descriptors of the host's stream table; at least two, which a stream may take.
  public var entriesPerTrap: UInt64 = 64
  /// The most events that are read from the hardware.
  public var eventsPerTrap: UInt64 = 64

  /// What is recommended.
  public init() {}
}
