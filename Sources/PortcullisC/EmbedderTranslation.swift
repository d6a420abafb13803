// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Ownership

/// The host's translation, which the embedder owns.
struct EmbedderHostTranslation: HostTranslation {
  let platform: EmbedderPlatform

  mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    guard platform.prepareHost(Self.code(change), ranges) else {
      throw .refusedByHost(ranges[0].first)
    }
    return 0
  }

  mutating func commit<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ pages: PageRange, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    platform.commitHost(Self.code(change), pages)
  }

  mutating func abort(_ change: HostChange, _ ranges: Span<PageRange>) {
    platform.abortHost(Self.code(change), ranges)
  }

  // Only device registers are claimed here, so that the kind of a grant says nothing.
  private static func code(_ change: HostChange) -> portcullis_change {
    switch change {
    case .revoke: PORTCULLIS_REVOKE
    case .grant: PORTCULLIS_GRANT
    }
  }
}

/// EL2's translation, which the embedder owns.
///
/// What lies in a region of Redistributors is mapped already, and stays so: it is not asked for again.
struct EmbedderHypervisorTranslation: HypervisorTranslation {
  let machine: EmbedderMachine
  private var platform: EmbedderPlatform { machine.registers }

  /// Memory is never shared through this interface.
  func linearAddress(of pages: PageRange) -> VirtualAddress? { nil }

  mutating func prepareMap<Memory: TableMemory & ~Copyable>(
    _ ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    guard kind == .mmio, platform.prepareEL2(ranges, but: { machine.isMapped($0) }) else {
      throw .refusedByHypervisor(ranges[0].first)
    }
    return 0
  }

  mutating func commitMap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ kind: PageKind, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) -> VirtualAddress {
    machine.address(of: pages) ?? platform.commitEL2(pages)
  }

  mutating func abortMap(_ ranges: Span<PageRange>, _ kind: PageKind) {
    platform.abortEL2(ranges, but: { machine.isMapped($0) })
  }

  mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, at address: VirtualAddress, _ pool: inout PagePool<Memory>
  ) {
    if !machine.isMapped(pages) { platform.unmapEL2(pages, at: address) }
  }
}
