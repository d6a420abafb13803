// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// A page that EL2 maps although somebody else may reach it.
public struct Exposure: Hashable, Sendable {
  /// Who may reach it.
  public enum Reason: Hashable, Sendable {
    /// The host owns it, and has not shared it: nothing of boot may stay mapped.
    case leftover
    /// The host's stage 2 maps it.
    case host
    /// The devices' table maps it.
    case devices
  }

  /// The physical page.
  public let frame: PageFrameNumber
  /// Where EL2 sees it.
  public let address: VirtualAddress
  /// Who may reach it.
  public let reason: Reason
}

extension Ownership
where Memory: ~Copyable, Host: ~Copyable, Hypervisor: ~Copyable, Observer: ~Copyable {
  /// Walks EL2's own translation from end to end, and looks every page up in the ledger, in the host's stage 2
  /// and in the devices' table; the first page that is not as it must be, or nil.
  ///
  /// Memory that EL2 maps is its own, and neither the host nor a device reaches it; or the host has shared it.
  /// Registers in the window are claimed. Those that the boot code has mapped elsewhere, such as the console, may
  /// be the host's: their mapping is Device, and nothing of EL2's lies behind it.
  ///
  /// - Parameter devicesReach: whether devices reach a page, by a walk of their table.
  /// - Complexity: linear in the pages that EL2 maps and in the entries of its tables.
  public func firstExposure<
    HostCache: TranslationCache & ~Copyable, OwnCache: TranslationCache & ~Copyable
  >(
    devicesReach: (PageFrameNumber, borrowing Memory) -> Bool
  ) -> Exposure?
  where Host == Stage2Table<HostCache>, Hypervisor == EL2Stage1Table<OwnCache> {
    var (records, hosts) = (PageTree.Cursor(), PageTree.Cursor())
    return firstPage { (frame, address, entry) in
      let record = ledger.record(of: frame, by: &records, in: pool)
      return exposure(of: frame, record, at: address, entry, &hosts, devicesReach).map {
        Exposure(frame: frame, address: address, reason: $0)
      }
    }
  }

  /// Whether EL2 maps a physical page of one of these ranges anywhere, by one walk of its translation from end to end.
  public func hypervisorMaps<let capacity: Int, OwnCache: TranslationCache & ~Copyable>(
    anyOf ranges: FixedList<capacity, PageRange>
  ) -> Bool
  where Hypervisor == EL2Stage1Table<OwnCache> {
    firstPage { (frame, _, _) in
      for index in ranges.indices where ranges[index].contains(frame) { return true }
      return nil
    } ?? false
  }

  /// Hands each page that EL2 maps to `body`, with its address and entry, until that finds something.
  private func firstPage<Found, OwnCache: TranslationCache & ~Copyable>(
    _ body: (PageFrameNumber, VirtualAddress, UInt64) -> Found?
  ) -> Found?
  where Hypervisor == EL2Stage1Table<OwnCache> {
    var page: UInt64 = 0
    var own = PageTree.Cursor()
    while page < EL2AddressSpace.pageLimit {
      let slot = own.walk(hypervisor.tree, to: page, in: pool.memory)
      let span: UInt64 = 1 << PageTree.shift(slot.level)
      defer { page = (page & ~(span - 1)) + span }
      guard slot.entry & 1 == 1 else { continue }
      let address = VirtualAddress(page << PageFrameNumber.shift)
      let frame = PageFrameNumber(
        containing: PhysicalAddress(slot.entry & Stage2Descriptor.outputMask))
      if let found = body(frame, address, slot.entry) { return found }
    }
    return nil
  }

  private func exposure<
    HostCache: TranslationCache & ~Copyable, OwnCache: TranslationCache & ~Copyable
  >(
    of frame: PageFrameNumber, _ record: PageRecord, at address: VirtualAddress, _ entry: UInt64,
    _ hosts: inout PageTree.Cursor, _ devicesReach: (PageFrameNumber, borrowing Memory) -> Bool
  ) -> Exposure.Reason?
  where Host == Stage2Table<HostCache>, Hypervisor == EL2Stage1Table<OwnCache> {
    let state = record.state
    if state.owner == .host {
      let isShared = state == .sharedOwned
      let isBootDevice = EL2Attributes(entry: entry) == .device && !hypervisor.isWindow(address)
      return isShared || isBootDevice ? nil : .leftover
    }
    guard state == .none else { return nil }
    let found = host.walk.lookup(
      IntermediatePhysicalAddress(frame.address.rawValue), by: &hosts, in: pool.memory)
    if case .mapped = found { return .host }
    return devicesReach(frame, pool.memory) ? .devices : nil
  }

  /// Ends a mapping that the boot code has made at EL2 and that nobody owns.
  public mutating func unmapAtHypervisor(_ pages: PageRange, at address: VirtualAddress) {
    hypervisor.unmap(pages, at: address, &pool)
  }
}
