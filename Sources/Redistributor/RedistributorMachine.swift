// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership

/// What the mediation of the Redistributors needs of the machine and of the rest of the hypervisor.
///
/// A value of it stands for one CPU during one trap.
public protocol RedistributorMachine: ~Copyable {
  /// The registers of the hardware.
  associatedtype Registers: DeviceMemory
  /// The registers.
  var registers: Registers { get }
  /// Aff3 to Aff0 of the CPU that has trapped, as GICR_TYPER has them.
  var affinity: UInt32 { get }

  /// Shares pages of the host's memory, if they are not shared yet, and pins them in a slot of `table`.
  ///
  /// Takes the lock of rank `ownership`. - Throws: any `OwnershipError`; nothing has changed then.
  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64
  /// The physical address behind one of the host's, in pages that are held for it.
  func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress
  /// Ends what ``hold(_:in:)`` began.
  func release(_ slot: UInt64, of table: inout PinTable)
}

extension RedistributorMachine where Self: ~Copyable {
  /// The identity map.
  public func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    address.identityMapped
  }

  /// The affinity in MPIDR_EL1, which has Aff3 in bits [39:32] and Aff2 to Aff0 in bits [23:0], as GICR_TYPER has it.
  public static func affinity(ofMPIDR value: UInt64) -> UInt32 {
    UInt32(truncatingIfNeeded: value >> 32 & 0xff) << 24
      | UInt32(truncatingIfNeeded: value & 0xff_ffff)
  }
}
