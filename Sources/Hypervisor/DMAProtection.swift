// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import IOMMU
public import Ownership
public import SMMUDriver

/// Why what devices reach can't be confined.
package enum DMAProtectionError: Error {
  /// An SMMU can't be driven.
  case smmu(SMMUSetupError)
  /// The mirror has not begun.
  case mirror(IOMMUError)

  /// The reason in words, for a log.
  package var text: StaticString {
    switch self {
    case .smmu(let error): error.text
    case .mirror(.poolExhausted): "there is no memory for their table"
    case .mirror: "what devices reach can't be changed"
    }
  }
  /// The number of the SMMU that it is about; nil where it is about none.
  package var unit: UInt16? {
    if case .smmu(let error) = self { error.unit } else { nil }
  }
}

/// Who follows the owners of pages for the host's devices: the mirror, on a board whose SMMUs are EL2's own.
///
/// With the lock of rank `ownership` held.
public struct DMAProtection<Machine: SMMUMachine>: ~Copyable, OwnershipObserver {
  /// What devices reach, by SMMUs that EL2 drives.
  public typealias Mirror = DMAMirror<SMMUGroup<Machine>>

  /// Nil where no SMMU is EL2's own.
  public var mirror: Mirror?
  /// The last fault that was logged.
  var lastFault: SMMUFault?

  /// Nothing is followed yet.
  public init() {}

  /// Takes over the SMMUs of `setups`, and has what devices reach follow what the host reaches from then on.
  ///
  /// - Parameters:
  ///   - host: what the host reaches now, of the memory in `memoryMap` and of all else.
  ///   - pool: where the tables of the devices come from.
  /// - Throws: why not; devices reach what they did before, or nothing.
  package mutating func begin<Host: HostLeaves & ~Copyable, Memory: TableMemory & ~Copyable>(
    _ setups: Span<SMMUSetup>, bits: UInt64, policy: StreamPolicy, doorbells: Doorbells,
    machine: consuming Machine, _ host: borrowing Host, _ memoryMap: borrowing MemoryMap,
    _ pool: inout PagePool<Memory>
  ) throws(DMAProtectionError) {
    do throws(SMMUSetupError) {
      // In its place at once: it is large.
      mirror = DMAMirror(
        try SMMUGroup(setups, bits: bits, policy: policy, machine: machine), doorbells: doorbells)
    } catch {
      throw .smmu(error)
    }
    do throws(IOMMUError) {
      try mirror?.start(host, memoryMap, &pool)
    } catch {
      if let refusal = mirror?.driver.refusal { throw .smmu(refusal) }
      throw .mirror(error)
    }
  }

  /// Asks the mirror, as all of these do.
  public mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    try mirror?.prepare(transition, ranges, pool) ?? 0
  }

  /// Takes pages from devices.
  public mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {
    try mirror?.revoke(transition, ranges, &pool, &reservation)
  }

  /// Lets devices reach pages.
  public mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    mirror?.commit(transition, ranges, &pool, &reservation)
  }

  /// Forgets what was prepared.
  public mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {
    mirror?.abort(transition, ranges)
  }
}
