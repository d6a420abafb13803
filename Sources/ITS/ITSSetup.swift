// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the mediation of one ITS starts from.
public struct ITSSetup: Sendable {
  /// Where EL2 sees the control frame.
  public let frame: VirtualAddress
  /// Pages of EL2 for this ITS alone, their first address a multiple of 64 KiB.
  public let arena: PageRange
  /// One more than the largest address that the ITS reaches.
  public let addressLimit: UInt64
  /// Whether the ITS does not look into caches, whatever attributes it accepts.
  public let isNonCoherent: Bool
  /// What is permitted.
  public let policy: ITSPolicy
  /// The most CPUs that may trap.
  public let cpus: UInt64

  /// Describes a set-up.
  public init(
    frame: VirtualAddress, arena: PageRange, addressLimit: UInt64, isNonCoherent: Bool,
    policy: ITSPolicy, cpus: UInt64
  ) {
    self.frame = frame
    self.arena = arena
    self.addressLimit = addressLimit
    self.isNonCoherent = isNonCoherent
    var policy = policy
    policy.addressLimit = min(policy.addressLimit, addressLimit)
    self.policy = policy
    self.cpus = cpus
  }
}
