// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// The seams between the logic and the machine. On metal each is a handful of single instructions
// (CShims/Hardware); in tests a simulated board stands in. Code is generic over them, so that the
// compiler binds them statically and the same sources serve both worlds.

/// The words of translation tables and other pages that EL2 itself owns, by physical address.
public protocol TableMemory: ~Copyable {
  /// Reads the 64-bit word at `address`, which is 8-byte aligned.
  func load(_ address: PhysicalAddress) -> UInt64
  /// Writes the 64-bit word at `address` with one single-copy atomic store.
  func store(_ value: UInt64, at address: PhysicalAddress)
  /// Zeroes `size` bytes from `address`; both are multiples of 64.
  func zero(_ address: PhysicalAddress, size: UInt64)
  /// Makes earlier table stores visible to table walks (DSB ISHST).
  func publishTables()
  /// Makes earlier stores to `size` bytes from `address` visible to who does not look into caches, such as
  /// a device, or a mapping that is not cacheable, and later loads see what those have stored: DC CIVAC of
  /// every line, then DSB SY.
  func clean(_ address: PhysicalAddress, size: UInt64)
}

extension TableMemory where Self: ~Copyable {
  /// Writes zeroes word by word, for who has nothing better.
  public func zero(_ address: PhysicalAddress, size: UInt64) {
    for offset in stride(from: 0, to: size, by: 8) {
      store(0, at: PhysicalAddress(address.rawValue &+ offset))
    }
  }
}

/// Invalidation of cached translations.
///
/// Every operation is broadcast to the Inner Shareable domain and has completed, with all accesses
/// that used the old translation observed, before it returns. That includes the second TLBI;DSB that
/// CVE-2025-10263 asks for on affected and on unknown cores.
public protocol TranslationCache: ~Copyable {
  /// Forgets the host's stage-2 translations of `pages`, and stage-1 entries that combined them.
  func invalidateStage2(_ pages: PageRange)
  /// Forgets all of the host's translations, both stages.
  func invalidateStage2All()
  /// Forgets EL2's own translation of `count` 4 KiB pages from `address`.
  func invalidateEL2(_ address: VirtualAddress, count: UInt64)
}

/// Device registers, reached by EL2 virtual address.
public protocol DeviceMemory: ~Copyable {
  /// Loads `width` from `address`, naturally aligned, zero-extended; nil where the device answered
  /// with an external abort.
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64?
  /// Stores the low `width` of `value`; false where the device answered with an external abort.
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool
  /// Orders every access of this CPU before the call against every one after it, memory and devices
  /// alike, for the whole system: DMB SY.
  func orderAccesses()
}

/// Memory of EL2 that a device reaches by physical address without a translation of its own, such as
/// the queue and the tables of an ITS.
public protocol BusMemory: TableMemory, ~Copyable {
  /// Reads four consecutive words, each once, from `address`, which is a multiple of 32.
  func load4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)
  /// Writes four consecutive words to `address`, which is a multiple of 32.
  func store4(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, at address: PhysicalAddress)
  /// Makes earlier stores visible to a device that looks into caches, before any later store to the
  /// device: DSB ISHST.
  func publishToDevices()
}

// Word by word, for who has nothing better.
extension BusMemory where Self: ~Copyable {
  /// Reads the words one by one.
  public func load4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64) {
    (
      load(address), load(PhysicalAddress(address.rawValue &+ 8)),
      load(PhysicalAddress(address.rawValue &+ 16)), load(PhysicalAddress(address.rawValue &+ 24))
    )
  }

  /// Writes the words one by one.
  public func store4(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, at address: PhysicalAddress
  ) {
    store(word0, at: address)
    store(word1, at: PhysicalAddress(address.rawValue &+ 8))
    store(word2, at: PhysicalAddress(address.rawValue &+ 16))
    store(word3, at: PhysicalAddress(address.rawValue &+ 24))
  }
}
