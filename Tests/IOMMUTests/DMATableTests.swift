// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import SimulatedHardware
import Simulation
import Testing

@testable import Ownership

/// Both ways to split a block.
private let bothSplittings: [DMATable.Splitting] = [.atOnce, .broken]

@Suite("The table of the devices")
struct DMATableTests {
  @Test("A snapshot is the host's translation, in few tables where blocks may be split")
  func snapshot() throws {
    var used: [UInt64] = []
    for splitting in bothSplittings {
      let machine = SimulatedMachine()
      var subject = try TableBoard.make(machine, Unit(), splitting)
      let before = subject.usedTablePages
      try TableBoard.start(&subject)
      #expect(TableBoard.allDifferences(subject, machine) == [])
      used.append(subject.usedTablePages - before)
      #expect(machine.violations == [])
    }
    // A root of two, and of its 1 GiB entries those with the doorbell and with memory: the first takes a
    // table of 2 MiB entries and one of pages, the second one of 2 MiB entries, and with pages seven more.
    #expect(used == [5, 12])
  }

  @Test("An entry is as the architecture has it", arguments: bothSplittings)
  func entries(splitting: DMATable.Splitting) throws {
    let machine = SimulatedMachine()
    var subject = try TableBoard.make(machine, Unit(), splitting)
    try TableBoard.start(&subject)
    let memory = SimulatedMemory(machine: machine)
    let table = try #require(subject.observer.driver.table)
    func entry(_ page: UInt64) -> UInt64 { table.tree.walk(to: page, in: memory).entry }
    // Device-nGnRE, Outer Shareable, read and write, execute-never; a block of 1 GiB.
    #expect(entry(0x8000_0000 >> 12) == 0x0040_0000_8000_06c5)
    // The doorbell: a page, write alone.
    #expect(entry(0x8090) == 0x0040_0000_0809_0687)
    // Memory: Write-Back, Inner Shareable; a block of 2 MiB or a page.
    #expect(
      entry(0x40200) == (splitting == .atOnce ? 0x0040_0000_4020_07fd : 0x0040_0000_4020_07ff))
    #expect(table.geometry.bits == 40 && table.root.isAligned(to: 0x2000))
  }

  @Test(
    "A claim splits what it must; what is given back is as before",
    arguments: bothSplittings)
  func claims(splitting: DMATable.Splitting) throws {
    let machine = SimulatedMachine()
    let unit = Unit()
    var subject = try TableBoard.make(machine, unit, splitting)
    try TableBoard.start(&subject)
    var memory: Claim<8>? = try subject.donate(
      list([pages(0x401fe, 4), pages(0x40600, 0x200)]), expecting: .memory)
    #expect(TableBoard.allDifferences(subject, machine) == [])
    #expect(unit.syncs == 1 && unit.breaks == [])
    var mmio: Claim<8>? = try subject.donate(
      list([pages(0x8080, 32), pages(0x100000, 16)]), expecting: .mmio)
    #expect(TableBoard.allDifferences(subject, machine) == [])
    #expect(unit.syncs == 2)
    // The doorbell's neighbours are pages already; the other lies in a block of 1 GiB, then of 2 MiB.
    #expect(
      unit.breaks
        == (splitting == .broken ? [pages(0x100000, 0x40000), pages(0x100000, 0x200)] : []))
    try subject.giveBack(&memory)
    try subject.giveBack(&mmio)
    #expect(TableBoard.allDifferences(subject, machine) == [])
    #expect(machine.violations == [])
  }

  @Test("A part of a block that was taken whole is given back alone")
  func partOfABlock() throws {
    let machine = SimulatedMachine()
    var subject = try TableBoard.make(machine, Unit(), .atOnce)
    try TableBoard.start(&subject)
    var set = ClaimSet(list: PhysicalAddress(0x40ff_f000), capacity: 8)
    try subject.donate(pages(0x40600, 0x200), into: &set)
    try subject.giveBackUntouched(&set)
    set.keepForever()
    #expect(TableBoard.allDifferences(subject, machine) == [])
    // The table alone, for the ledger gives back what it has taken.
    var pool = PagePool(pages: pages(0x50000, 16), memory: SimulatedMemory(machine: machine))
    let table = try DMATable(SmallBoard.geometry(), splitting: .atOnce, pool: &pool)
    var reservation = try pool.reserve(8)
    table.map(
      pages(0x40600, 0x200), isReadable: true, isWritable: true, .memory, &pool, &reservation)
    table.unmap(pages(0x40600, 0x200), &pool, &reservation) { _ in Issue.record("nothing to break")
    }
    table.map(pages(0x40700), isReadable: true, isWritable: false, .memory, &pool, &reservation)
    let memory = SimulatedMemory(machine: machine)
    #expect(table.leaf(from: frame(0x40700), in: memory).output == frame(0x40700).address)
    for page: UInt64 in [0x40600, 0x406ff, 0x40701, 0x407ff] {
      #expect(table.leaf(from: frame(page), in: memory).output == nil)
    }
    pool.release(reservation)
  }

  @Test(
    "What isn't confirmed is undone to the bit that matters", arguments: bothSplittings
  )
  func undone(splitting: DMATable.Splitting) throws {
    let machine = SimulatedMachine()
    let unit = Unit()
    var subject = try TableBoard.make(machine, unit, splitting)
    try TableBoard.start(&subject)
    let sets: [(PageKind, [PageRange])] = [
      (.memory, [pages(0x401fe, 4), pages(0x40600, 0x200)]),
      (.mmio, [pages(0x8080, 32), pages(0x100000, 16)]),
    ]
    for failsToBreak in [true, false] {
      unit.failsToSync = !failsToBreak
      unit.failsToBreak = failsToBreak
      for (kind, ranges) in sets {
        // Only blocks are broken, and only where they can't be split at once.
        let fails = !failsToBreak || (splitting == .broken && kind == .mmio)
        var failure: OwnershipError?
        do throws(OwnershipError) {
          var claim: Claim<8>? = try subject.donate(list(ranges), expecting: kind)
          try subject.giveBack(&claim)
        } catch {
          failure = error
        }
        #expect(failure == (fails ? .refusedByObserver(ranges[0].first) : nil))
        #expect(TableBoard.allDifferences(subject, machine) == [])
      }
    }
    // Once in vain, and once for each level of the block.
    #expect(unit.breaks.count == (splitting == .atOnce ? 0 : 3))
    #expect(machine.violations == [])
  }

  @Test(
    "What was taken for good does not come back with what can't be confirmed",
    arguments: bothSplittings)
  func takenBefore(splitting: DMATable.Splitting) throws {
    for again in [pages(0x40600, 0x200), pages(0x40610, 4)] {
      let machine = SimulatedMachine()
      // Nobody invalidates here.
      machine.checksReplacement = false
      let memory = SimulatedMemory(machine: machine)
      var pool = PagePool(pages: pages(0x50000, 16), memory: SimulatedMemory(machine: machine))
      let table = try DMATable(SmallBoard.geometry(), splitting: splitting, pool: &pool)
      var reservation = try pool.reserve(8)
      table.map(
        pages(0x40600, 0x201), isReadable: true, isWritable: true, .memory, &pool, &reservation)
      // Confirmed. The host gets it back, but its devices do not.
      table.unmap(pages(0x40600, 0x200), &pool, &reservation) { _ in }
      // Not confirmed.
      table.unmap(again, &pool, &reservation) { _ in }
      table.unmap(pages(0x40800), &pool, &reservation) { _ in }
      table.restore(again, &pool)
      table.restore(pages(0x40800), &pool)
      for page in again.numbers {
        #expect(table.leaf(from: frame(page), in: memory).output == nil)
      }
      #expect(table.leaf(from: frame(0x407ff), in: memory).output == nil)
      #expect(table.leaf(from: frame(0x40800), in: memory).output == frame(0x40800).address)
      pool.release(reservation)
    }
  }

  @Test("Too small a pool, of every size, refuses to start; devices reach nothing")
  func exhaustion() throws {
    let machine = SimulatedMachine()
    let full = try TableBoard.make(machine, Unit(), .atOnce).usedTablePages
    for free in UInt64(0)..<6 {
      let machine = SimulatedMachine()
      var subject = try TableBoard.make(machine, Unit(), .atOnce, pool: full + free)
      do throws(IOMMUError) {
        try TableBoard.start(&subject)
        #expect(subject.observer.phase == .following)
        #expect(TableBoard.allDifferences(subject, machine) == [])
      } catch {
        guard case .poolExhausted = error else {
          Issue.record("\(error)")
          continue
        }
        #expect(subject.observer.phase == .off && free < 6)
        guard let table = subject.observer.driver.table else { continue }
        var page: UInt64 = 0
        while page < 1 << 28 {
          let leaf = table.leaf(from: frame(page), in: SimulatedMemory(machine: machine))
          #expect(leaf.output == nil)
          page = leaf.end
        }
      }
    }
  }

  @Test(
    "A random workload: both tables agree after every step", arguments: bothSplittings,
    [1, 2] as [UInt64])
  func workload(splitting: DMATable.Splitting, seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let machine = SimulatedMachine()
    let unit = Unit()
    var subject = try TableBoard.make(machine, unit, splitting)
    try TableBoard.start(&subject)
    var held: [HeldClaim] = []
    var counts = (done: 0, unconfirmed: 0)
    for step in 0..<400 {
      let kind: PageKind = random.next() % 3 == 0 ? .mmio : .memory
      // Around the edge of blocks; now and then a whole one.
      let base: UInt64 = kind == .memory ? 0x401f8 : [0x8088, 0xc_0000 - 8][Int(random.next() % 2)]
      let isWhole = random.next() % 16 == 0
      let range =
        isWhole
        ? pages(kind == .memory ? 0x40600 : 0xc_0000, 0x200)
        : pages(base + random.next() % 16, 1 + random.next() % 4)
      unit.failsToSync = random.next() % 8 == 0
      unit.failsToBreak = random.next() % 4 == 0
      do throws(OwnershipError) {
        if random.next() % 2 == 0 {
          held.append(HeldClaim(try subject.donate(list([range]), expecting: kind), [range]))
        } else {
          guard let index = held.indices.randomElement(using: &random) else { continue }
          try subject.giveBack(&held[index].value)
          held.remove(at: index)
        }
        counts.done += 1
      } catch {
        if case .refusedByObserver = error { counts.unconfirmed += 1 }
      }
      #expect(TableBoard.differences(subject, machine, 0x401f0..<0x40220) == [])
      #expect(TableBoard.differences(subject, machine, 0x40600..<0x40800) == [])
      #expect(TableBoard.differences(subject, machine, 0x8080..<0x80a4) == [])
      #expect(TableBoard.differences(subject, machine, 0xb_fff0..<0xc_0210) == [])
      if step % 100 == 99 { #expect(TableBoard.allDifferences(subject, machine) == []) }
    }
    #expect(counts.done > 100 && counts.unconfirmed > 10)
    #expect(machine.violations == [])
  }
}
