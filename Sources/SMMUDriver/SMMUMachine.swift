// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the driver of SMMUs needs of the machine.
public protocol SMMUMachine: ~Copyable {
  /// Memory that EL2 owns: queues and stream tables.
  associatedtype Memory: BusMemory
  /// The registers of the SMMUs.
  associatedtype Registers: DeviceMemory

  /// The memory.
  var memory: Memory { get }
  /// The registers.
  var registers: Registers { get }

  /// Lets time pass between two looks at what an SMMU is to change.
  ///
  /// All CPUs that want the ownership lock wait as long.
  ///
  /// - Parameter looks: how many looks there were; at least one.
  /// - Returns: false where the SMMU has had its time, and counts as one that does not answer.
  func mayLookAgain(after looks: UInt64) -> Bool
}

extension SMMUMachine where Self: ~Copyable {
  /// A million looks, for who has no clock.
  public func mayLookAgain(after looks: UInt64) -> Bool { looks < 1 << 20 }
}
