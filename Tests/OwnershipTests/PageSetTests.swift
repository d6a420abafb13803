// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

@Suite("Sets of pages") struct PageSetTests {
  private static let last = PageFrameNumber(0x7f_ffff)

  /// A pool of `count` pages.
  private static func pool(_ count: UInt64) -> PagePool<SimulatedMemory> {
    PagePool(pages: pages(0x5_0000, count), memory: SimulatedMemory(machine: SimulatedMachine()))
  }

  @Test("What is added is found, and nothing beside it", arguments: [1, 63, 64, 65, 200, 40000])
  func members(count: UInt64) throws {
    var pool = Self.pool(16)
    var set = try PageSet(reaching: Self.last, pool: &pool)
    let added = pages(0x4003f, count)
    try set.insert(added, &pool)
    #expect(set.count == count)
    #expect(set.first(in: pages(0x40000, 0x3f), pool) == nil)
    #expect(set.first(in: pages(0x40000, 0x40), pool) == added.first)
    #expect(set.first(in: PageRange(first: added.last, count: 5)!, pool) == added.last)
    #expect(set.first(in: pages(added.last.rawValue + 1, 100), pool) == nil)
  }

  @Test("A page is added once, and one that is not there is not removed")
  func twice() throws {
    var pool = Self.pool(16)
    var set = try PageSet(reaching: Self.last, pool: &pool)
    try set.insert(pages(0x100, 4), &pool)
    #expect(throws: OwnershipError.wrongState(PageFrameNumber(0x103), .none)) {
      try set.insert(pages(0x103, 4), &pool)
    }
    #expect(throws: OwnershipError.wrongState(PageFrameNumber(0x104), .owned)) {
      try set.remove(pages(0x102, 4), &pool)
    }
    #expect(set.count == 4)
    #expect(set.first(in: pages(0x104, 8), pool) == nil)
    try set.remove(pages(0x101, 2), &pool)
    #expect(set.first(in: pages(0x101, 2), pool) == nil)
    #expect(set.first(in: pages(0x101, 3), pool) == PageFrameNumber(0x103))
    #expect(set.count == 2)
  }

  @Test("Tables come with the first page of 128 MiB and go with the last")
  func tables() throws {
    var pool = Self.pool(16)
    var set = try PageSet(reaching: Self.last, pool: &pool)
    let root = pool.usedCount
    try set.insert(pages(0x7fff, 2), &pool)
    #expect(pool.usedCount == root + 3)
    try set.remove(pages(0x7fff, 1), &pool)
    #expect(pool.usedCount == root + 2)
    try set.insert(pages(0x8001, 0x7fff), &pool)
    #expect(pool.usedCount == root + 2)
    try set.remove(pages(0x8000, 0x8000), &pool)
    #expect(pool.usedCount == root)
    #expect(set.count == 0)
  }

  @Test("Without room for its tables a page is not added, and none is lost")
  func exhausted() throws {
    var pool = Self.pool(3)
    var set = try PageSet(reaching: Self.last, pool: &pool)
    #expect(throws: OwnershipError.poolExhausted(needed: 3, free: 2)) {
      try set.insert(pages(0x7fff, 2), &pool)
    }
    #expect(set.first(in: pages(0, 0x10000), pool) == nil)
    try set.insert(pages(0x7fff, 1), &pool)
    #expect(pool.freeCount == 0)
  }

  @Test("Pages beyond what it was made for are refused, and are not in it")
  func outOfRange() throws {
    var pool = Self.pool(16)
    var set = try PageSet(reaching: PageFrameNumber(0xfffff), pool: &pool)
    let beyond = pages(PageRange.limit - 1, 1)
    #expect(throws: OwnershipError.outOfRange(beyond.last)) { try set.insert(beyond, &pool) }
    try set.insert(pages(0, 1), &pool)
    #expect(set.first(in: beyond, pool) == nil)
  }

  @Test("No set reaches beyond what a tree has addresses for")
  func tooLarge() {
    var pool = Self.pool(16)
    #expect(throws: OwnershipError.unsupportedSize(bits: 50)) {
      _ = try PageSet(reaching: PageFrameNumber(1 << 49), pool: &pool)
    }
  }

  @Test("What a table of pins holds of pages is the first slot's page among them")
  func pins() throws {
    let memory = SimulatedMemory(machine: SimulatedMachine())
    let keeper = CountingKeeper()
    var table = PinTable(list: PhysicalAddress(0x5fff_0000), capacity: 4)
    #expect(table.firstHeld(of: pages(0, 0x50000), memory: memory) == nil)
    let first = try keeper.hold(pages(0x44000, 4), in: &table, memory: memory)
    _ = try keeper.hold(pages(0x45000, 4), in: &table, memory: memory)
    #expect(table.firstHeld(of: pages(0x44002, 0x1000), memory: memory) == PageFrameNumber(0x44002))
    #expect(table.firstHeld(of: pages(0x43000, 0x1001), memory: memory) == PageFrameNumber(0x44000))
    #expect(table.firstHeld(of: pages(0x44004, 0xffc), memory: memory) == nil)
    keeper.release(first, of: &table, memory: memory)
    #expect(table.firstHeld(of: pages(0x44000, 0x2000), memory: memory) == PageFrameNumber(0x45000))
  }
}
