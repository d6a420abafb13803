// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SimulatedHardware

/// The owners of the host's pages, kept by the hypervisor's own `Ownership`.
///
/// Its tables lie beside the memory of the board, which nothing that is tested here looks at.
final class HostPages {
  struct NoCache: TranslationCache {
    func invalidateStage2(_ pages: PageRange) {}
    func invalidateStage2All() {}
    func invalidateEL2(_ address: VirtualAddress, count: UInt64) {}
  }

  /// The words of the tables.
  struct Tables: TableMemory {
    let words: UnsafeMutablePointer<UInt64>
    unowned(unsafe) let pages: HostPages
    func load(_ address: PhysicalAddress) -> UInt64 {
      if address.rawValue >= BoardLayout.arenas { return pages.load(address.rawValue) }
      return words[Int((address.rawValue - BoardLayout.hypervisor) / 8)]
    }
    func store(_ value: UInt64, at address: PhysicalAddress) {
      // A page that is given back to the host is scrubbed. What is held an ITS keeps in its arena.
      guard BoardLayout.hypervisor..<BoardLayout.arenas ~= address.rawValue else {
        pages.storeBeside(value, at: address.rawValue)
        return
      }
      pages.keep(address.rawValue)
      words[Int((address.rawValue - BoardLayout.hypervisor) / 8)] = value
    }
    func publishTables() {}
    func clean(_ address: PhysicalAddress, size: UInt64) {}
  }

  typealias HostOwnership = Ownership<
    Tables, Stage2Table<NoCache>, EL2Stage1Table<NoCache>, NoObserver
  >

  /// The state at one time.
  struct State {
    fileprivate let ownership: [UInt8]
    fileprivate let claims: [UInt8]
    fileprivate let words: [UInt64]
    fileprivate let reached: [Bool]
    fileprivate let isSharedByHost: [Bool]
  }

  private let words: UnsafeMutablePointer<UInt64>
  private let memory: PhysicalMemory
  unowned(unsafe) var world: World?
  private let ownership: UnsafeMutablePointer<HostOwnership>
  /// The claim of each page that somebody else than the host has.
  private let claims: UnsafeMutablePointer<Claim<1>?>
  /// Which pages the host reaches, from the first of its memory on.
  private(set) var reached: [Bool]
  /// Which pages the host has shared by calls of its own, and not unshared since.
  private(set) var isSharedByHost = [Bool](repeating: false, count: BoardLayout.hostPages)

  init(_ memory: PhysicalMemory) throws {
    self.memory = memory
    let size = Int(BoardLayout.poolPages) * 512
    words = .allocate(capacity: size)
    words.initialize(repeating: 0, count: size)
    ownership = .allocate(capacity: 1)
    claims = .allocate(capacity: BoardLayout.hostPages)
    for index in 0..<BoardLayout.hostPages { (claims + index).initialize(to: nil) }
    reached = Array(repeating: true, count: BoardLayout.hostPages)
    func range(_ base: UInt64, _ count: UInt64) -> PageRange {
      guard let range = PageRange(first: PageFrameNumber(base >> 12), count: count) else {
        fatalError("bad range")
      }
      return range
    }
    guard let geometry = TranslationGeometry(bits: 40),
      let space = EL2AddressSpace(
        linearBase: VirtualAddress(1 << 40), linearPages: 1 << 28,
        window: VirtualAddress(1 << 46), windowPages: 1 << 18)
    else { fatalError("bad geometry") }
    var map = MemoryMap()
    try map.add(range(BoardLayout.ram, BoardLayout.ramSize >> 12))
    var pool = PagePool(
      pages: range(BoardLayout.hypervisor, BoardLayout.poolPages),
      memory: Tables(words: words, pages: self))
    let excluded = [range(BoardLayout.hypervisor, BoardLayout.hypervisorSize >> 12)]
    let host = try Stage2Table(
      geometry, memoryMap: map, excluded: excluded.span, pool: &pool, cache: NoCache())
    let el2 = try EL2Stage1Table(space, pool: &pool, cache: NoCache())
    ownership.initialize(
      to: try HostOwnership(
        try PageLedger(geometry, hypervisorPages: excluded.span, pool: &pool), memoryMap: map,
        pool: pool, host: host,
        hypervisor: el2, observer: NoObserver()))
  }

  deinit {
    // What is held is given up without its end: the whole board ends.
    words.deallocate()
    ownership.deallocate()
    claims.deallocate()
  }

  private func load(_ address: UInt64) -> UInt64 { memory.load(.double, at: address) }

  private func storeBeside(_ value: UInt64, at address: UInt64) {
    if world?.journal != nil { world?.keep(address, 8) }
    memory.store(.double, value, at: address)
  }

  private func keep(_ address: UInt64) {
    world?.journal?.tables.append((address, words[place(address)]))
  }

  private func place(_ address: UInt64) -> Int { Int((address - BoardLayout.hypervisor) / 8) }

  /// Puts a word of the tables back.
  func restore(_ value: UInt64, at address: UInt64) { words[place(address)] = value }

  private func list(_ pages: PageRange) -> FixedList<1, PageRange> {
    var list = FixedList<1, PageRange>(filler: pages)
    _ = list.append(pages)
    return list
  }

  /// Whether the host may load from and store to an address.
  @inline(__always)
  func hostReaches(_ address: UInt64) -> Bool {
    let page = (address &- BoardLayout.ram) >> 12
    return page < UInt64(BoardLayout.hostPages) && reached[Int(page)]
  }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try ownership.pointee.shareAndPin(list(pages))
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) -> Bool {
    ownership.pointee.unpinAndUnshare(pin)
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    try ownership.pointee.hold(pages, in: &table)
  }

  /// Ends that; what was held, or nil for nothing.
  func release(_ slot: UInt64, of table: inout PinTable) -> PageRange? {
    let pages = table.pages(in: slot, memory: Tables(words: words, pages: self))
    ownership.pointee.release(slot, of: &table)
    return pages
  }

  /// The hypervisor takes a page for somebody else, or gives it back; nothing where it must not.
  func change(_ page: Int) {
    guard
      let pages = PageRange(
        first: PageFrameNumber(BoardLayout.ram >> 12 + UInt64(page)), count: 1)
    else { return }
    do throws(OwnershipError) {
      if reached[page] {
        claims[page] = try ownership.pointee.donate(list(pages), expecting: .memory)
        reached[page] = false
        world?.changed(pages, isHosts: false)
      } else {
        try ownership.pointee.giveBack(&claims[page])
        reached[page] = true
        world?.changed(pages, isHosts: true)
      }
    } catch {
      // Pinned or shared.
      if reached[page] { world?.refusedClaim(pages, isShared: isSharedByHost[page]) }
    }
  }

  /// Shares a page, or ends that, as the host may ask for it by a call of its own.
  func share(_ page: Int, _ isShared: Bool) {
    guard
      let pages = PageRange(
        first: PageFrameNumber(BoardLayout.ram >> 12 + UInt64(page)), count: 1)
    else { return }
    let list = list(pages)
    do throws(OwnershipError) {
      if isShared {
        try ownership.pointee.share(list.span)
      } else {
        try ownership.pointee.unshare(list.span)
      }
      isSharedByHost[page] = isShared
    } catch {
      // Pinned, or not in the state for it.
    }
  }

  /// The state without the tables, of which a journal is kept.
  var small: (ownership: [UInt8], claims: [UInt8], reached: [Bool]) {
    get {
      (bytes(of: ownership, 1), bytes(of: claims, BoardLayout.hostPages), reached)
    }
    set {
      setBytes(of: ownership, newValue.ownership)
      setBytes(of: claims, newValue.claims)
      reached = newValue.reached
    }
  }

  /// The state; assigning a kept one goes back to it.
  var state: State {
    get {
      let used = Int(ownership.pointee.usedTablePages) * 512
      return State(
        ownership: bytes(of: ownership, 1), claims: bytes(of: claims, BoardLayout.hostPages),
        words: Array(UnsafeBufferPointer(start: words, count: used)), reached: reached,
        isSharedByHost: isSharedByHost)
    }
    set {
      setBytes(of: ownership, newValue.ownership)
      setBytes(of: claims, newValue.claims)
      newValue.words.withUnsafeBufferPointer {
        if let base = $0.baseAddress { words.update(from: base, count: $0.count) }
      }
      reached = newValue.reached
      isSharedByHost = newValue.isSharedByHost
    }
  }
}

/// The bytes of values that can't be copied, to go back to them: only where they own nothing on the
/// heap, and where nobody cares that a value which is overwritten has not ended.
func bytes<Value: ~Copyable>(of values: UnsafeMutablePointer<Value>, _ count: Int) -> [UInt8] {
  Array(UnsafeRawBufferPointer(start: values, count: count * MemoryLayout<Value>.stride))
}

func setBytes<Value: ~Copyable>(of values: UnsafeMutablePointer<Value>, _ bytes: [UInt8]) {
  bytes.withUnsafeBytes {
    if let base = $0.baseAddress {
      UnsafeMutableRawPointer(values).copyMemory(from: base, byteCount: $0.count)
    }
  }
}
