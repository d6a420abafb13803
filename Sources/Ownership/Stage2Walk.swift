// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the host's stage 2 says about one address.
public enum Stage2Lookup: Hashable, Sendable {
  /// The host reaches this physical address, with the attributes of the kind; `level` is 1 to 3.
  case mapped(PhysicalAddress, PageKind, level: UInt8)
  /// The page belongs to somebody else.
  case claimed(PageOwner)
  /// Another CPU is replacing the entry: the access is to be repeated.
  case changing
  /// The table does not know the address.
  case unmapped
}

/// A walker of the host's stage 2, that takes no lock.
///
/// It may run beside changes: tables are never freed, entries are read once and change by single
/// stores, and an entry between break and make says so.
public struct Stage2Walk: Sendable {
  let tree: PageTree

  /// What the table says about `address`; a fault on an address that is `mapped` or `changing` now
  /// is to be retried, not injected.
  public func lookup<Memory: TableMemory & ~Copyable>(
    _ address: IntermediatePhysicalAddress, in memory: borrowing Memory
  ) -> Stage2Lookup {
    var cursor = PageTree.Cursor()
    return lookup(address, by: &cursor, in: memory)
  }

  /// The same, of one address of many, between which nothing changes.
  func lookup<Memory: TableMemory & ~Copyable>(
    _ address: IntermediatePhysicalAddress, by cursor: inout PageTree.Cursor,
    in memory: borrowing Memory
  ) -> Stage2Lookup {
    let page = address.rawValue >> PageFrameNumber.shift
    guard page < tree.geometry.pageLimit else { return .unmapped }
    let slot = cursor.walk(tree, to: page, in: memory)
    guard Stage2Descriptor.isValid(slot.entry) else {
      if slot.entry == Stage2Descriptor.changing { return .changing }
      let owner = PageOwner(rawValue: UInt8(truncatingIfNeeded: slot.entry >> 8))
      return owner == .hypervisor ? .claimed(.hypervisor) : .unmapped
    }
    let inside = (PageFrameNumber.size << PageTree.shift(slot.level)) - 1
    let base = slot.entry & Stage2Descriptor.outputMask & ~inside
    return .mapped(
      PhysicalAddress(base | address.rawValue & inside), Stage2Descriptor.kind(slot.entry),
      level: UInt8(truncatingIfNeeded: slot.level))
  }
}
