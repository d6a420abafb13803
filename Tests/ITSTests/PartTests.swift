// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import SimulatedHardware
import Testing

@testable import ITS

/// Numbers that look random and are the same each time.
struct Numbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33 ^ state << 31
  }
}

/// Memory by itself.
struct PlainMemory: BusMemory {
  let memory = PhysicalMemory(hasCache: false)

  func load(_ address: PhysicalAddress) -> UInt64 { memory.load(.double, at: address.rawValue) }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    memory.store(.double, value, at: address.rawValue)
  }
  func publishTables() {}
  func publishToDevices() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

@Suite("The parts of the mediation against models") struct PartTests {
  private static func pages(_ count: UInt64, from first: UInt64 = 0x50010) -> PageRange {
    guard let range = PageRange(first: PageFrameNumber(first), count: count) else {
      fatalError("bad range in a test")
    }
    return range
  }

  @Test(
    "The arena hands out what is free, aligned, apart, and as long as there is any",
    arguments: [1, 5, 63, 64, 65, 130, 4096] as [UInt64], [1, 2] as [UInt64])
  func arena(_ size: UInt64, _ seed: UInt64) {
    let memory = PlainMemory()
    var numbers = Numbers(state: seed)
    var arena = PageArena(Self.pages(size), memory: memory)
    var isTaken = [Bool](repeating: false, count: Int(size))
    isTaken[0] = true
    var held: [PageRange] = []
    for _ in 0..<600 {
      #expect(arena.freeCount == UInt64(isTaken.count { !$0 }))
      if Bool.random(using: &numbers), let index = held.indices.randomElement(using: &numbers) {
        let range = held.remove(at: index)
        arena.giveBack(range, memory: memory)
        for page in 0..<range.count { isTaken[Int(range.first.rawValue - 0x50010 + page)] = false }
        continue
      }
      let count = UInt64.random(in: 0...max(size / 4, 2), using: &numbers)
      let alignment = 1 << UInt64.random(in: 0...4, using: &numbers) as UInt64
      let exists =
        count > 0
        && stride(from: 0, through: Int(size), by: 1).contains { start in
          (UInt64(start) + 0x50010) % alignment == 0 && start + Int(count) <= Int(size)
            && !isTaken[start..<start + Int(count)].contains(true)
        }
      let found = arena.take(count, alignment: alignment, memory: memory)
      #expect((found != nil) == exists)
      guard let found else { continue }
      #expect(found.count == count && found.first.rawValue % alignment == 0)
      for page in 0..<count {
        let index = Int(found.first.rawValue - 0x50010 + page)
        #expect(!isTaken[index])
        isTaken[index] = true
      }
      held.append(found)
    }
  }

  @Test("An arena that is too small for its own bitmap has nothing to give")
  func tinyArena() {
    let memory = PlainMemory()
    var arena = PageArena(Self.pages(1), memory: memory)
    #expect(arena.freeCount == 0)
    let found = [arena.take(1, memory: memory), arena.take(.max, memory: memory)]
    #expect(found == [nil, nil])
    #expect(arena.takeZeroed(4096, memory: memory) == nil)
  }

  @Test(
    "The ledger of devices is a dictionary of fixed capacity",
    arguments: [16, 64, 256] as [UInt64], [1, 2, 3] as [UInt64])
  func devices(_ slots: UInt64, _ seed: UInt64) {
    let memory = PlainMemory()
    var numbers = Numbers(state: seed)
    var ledger = DeviceLedger(PhysicalAddress(0x5000_0000), slots: slots)
    var model: [UInt32: UInt64] = [:]
    // Few IDs, so that they meet; some far apart.
    let ids = (0..<slots * 2).map {
      UInt32(truncatingIfNeeded: $0 % 3 == 0 ? $0 &* 0x1_0001_0001 : $0)
    }
    for step in 0..<3000 as Range<UInt64> {
      let id = ids.randomElement(using: &numbers) ?? 0
      if Bool.random(using: &numbers) {
        let isKept = ledger.insert(
          MappedDevice(
            deviceID: id, eventIDBits: step % 32 + 1, table: Self.pages(step % 100 + 1, from: step),
            name: step << 8),
          memory: memory)
        #expect(isKept == (model[id] != nil || UInt64(model.count) < ledger.capacity))
        if isKept { model[id] = step }
      } else {
        ledger.remove(id, memory: memory)
        model[id] = nil
      }
      #expect(ledger.count == UInt64(model.count))
      guard step % 100 == 0 else { continue }
      for id in ids {
        let found = ledger.find(id, memory: memory)
        #expect(found?.table == model[id].map { Self.pages($0 % 100 + 1, from: $0) })
        #expect(ledger.eventIDBits(of: id, memory: memory) == model[id].map { $0 % 32 + 1 })
        #expect(found.map { $0.deviceID == id && $0.name >> 8 == model[id] } ?? true)
      }
      let inSlots = (0..<ledger.slots).compactMap {
        ledger.device(in: $0, memory: memory)?.deviceID
      }
      #expect(Set(inSlots) == Set(model.keys) && inSlots.count == model.count)
    }
  }

  @Test(
    "B-70 A map of translation tables knows which bytes are taken, page by page",
    arguments: [1, 2, 3] as [UInt64])
  func translationMap(_ seed: UInt64) {
    let memory = PlainMemory()
    var numbers = Numbers(state: seed)
    let map = TranslationMap(PhysicalAddress(0x5000_0000), pages: 64)
    var tables: [Range<UInt64>] = []
    var pages = Set<UInt64>()
    var refusals = 0
    // Near the end of what an ITS can reach, where the frame has the most bits.
    let base: UInt64 = 1 << 52 - 64 << 12
    for _ in 0..<2000 {
      let address = base + UInt64.random(in: 0..<(63 << 4), using: &numbers) << 8
      let size = max(256, UInt64.random(in: 0...0x1000, using: &numbers))
      let table = address..<(address + size)
      let isFree = !tables.contains { $0.overlaps(table) }
      let first = table.lowerBound >> 12
      var findings: [TranslationMap.Finding] = []
      for frame in first...(table.upperBound - 1) >> 12 {
        findings.append(
          map.occupy(PageFrameNumber(frame), from: address, size: size, memory: memory))
        if findings.last == .taken { break }
        #expect((findings.last == .newPage) == pages.insert(frame).inserted)
      }
      #expect(findings.contains(.taken) == !isFree)
      if isFree {
        tables.append(table)
        continue
      }
      // As far as it was noted it stays: a handover that is refused needs the map no more.
      refusals += 1
      let taken = first + UInt64(findings.count - 1)
      if taken > first { tables.append(address..<(taken << 12)) }
    }
    #expect(tables.count > 20 && refusals > 20)
  }

  @Test("A map of translation tables is full at twice its pages, and says so")
  func fullTranslationMap() {
    let memory = PlainMemory()
    let map = TranslationMap(PhysicalAddress(0x5000_0000), pages: 4)
    func occupy(_ frame: UInt64) -> TranslationMap.Finding {
      map.occupy(PageFrameNumber(frame), from: frame << 12, size: 4096, memory: memory)
    }
    for frame in 0..<8 as Range<UInt64> { #expect(occupy(frame) == .newPage) }
    #expect(occupy(8) == .full)
    for frame in 0..<8 as Range<UInt64> { #expect(occupy(frame) == .taken) }
  }

  @Test("The ledger of collections knows what is mapped, below its capacity")
  func collections() {
    let memory = PlainMemory()
    var ledger = CollectionLedger(PhysicalAddress(0x5000_0000), capacity: 10)
    for id in 0..<12 as Range<UInt64> {
      #expect(!ledger.isMapped(id, memory: memory))
      ledger.set(id, isMapped: true, memory: memory)
      #expect(ledger.isMapped(id, memory: memory) == (id < 10))
    }
    // What is as it was counts nothing.
    ledger.set(4, isMapped: true, memory: memory)
    let all = ledger.count
    for _ in 0..<2 { ledger.set(3, isMapped: false, memory: memory) }
    let rest = ledger.count
    #expect(all == 10 && rest == 9)
    #expect((0..<12).filter { ledger.isMapped($0, memory: memory) } == [0, 1, 2, 4, 5, 6, 7, 8, 9])
    #expect(memory.load(PhysicalAddress(0x5000_0050)) == 0)
  }

  @Test("Tables leave the queue of retirements in order, each behind its own count")
  func retirement() {
    let memory = PlainMemory()
    var queue = RetirementQueue(PhysicalAddress(0x5000_0000))
    var next: UInt64 = 1
    var expected: UInt64 = 1
    for round in 1...10 as ClosedRange<UInt64> {
      while !queue.isFull {
        queue.append(Self.pages(next % 7 + 1, from: next), memory: memory)
        next += 1
      }
      #expect(queue.takeFirst(completed: .max, memory: memory) == nil, "nothing is sealed")
      #expect(queue.hasUnsealed)
      queue.seal(at: round * 100, memory: memory)
      #expect(!queue.hasUnsealed)
      #expect(queue.takeFirst(completed: round * 100 - 1, memory: memory) == nil)
      for _ in 0..<RetirementQueue.capacity {
        let table = queue.takeFirst(completed: round * 100, memory: memory)
        #expect(table == .table(Self.pages(expected % 7 + 1, from: expected)))
        expected += 1
      }
      #expect(queue.isEmpty)
    }
  }

  @Test("A token is found by the CPU and value that it was made for, until it is half a queue old")
  func tokens() {
    let memory = PlainMemory()
    var tokens = DoorbellTokens(PhysicalAddress(0x5000_0000), cpus: 2)
    func find(_ offset: UInt64, cpu: UInt64, count: UInt64) -> Bool {
      tokens.find(offset, cpu: cpu, count: count, size: 128, memory: memory)
    }
    func add(_ offset: UInt64, cpu: UInt64, count: UInt64) -> Bool {
      tokens.add(offset, cpu: cpu, count: count, memory: memory)
    }
    #expect(!find(32, cpu: 0, count: 5))
    #expect(add(32, cpu: 0, count: 5) && add(32, cpu: 0, count: 5))
    #expect(tokens.count == 1)
    #expect(find(32, cpu: 0, count: 5) && find(32, cpu: 0, count: 68))
    #expect(!find(32, cpu: 1, count: 5) && !find(64, cpu: 0, count: 5))
    // Old: the host has given that store up.
    #expect(!find(32, cpu: 0, count: 69))
    #expect(tokens.count == 0)
    // Four at once for each CPU, zero among the offsets.
    #expect((0..<4).allSatisfy { add($0 * 32, cpu: 1, count: 9) })
    #expect(!add(999, cpu: 1, count: 9))
    #expect(add(999, cpu: 0, count: 9))
    tokens.remove(0, cpu: 1, memory: memory)
    #expect(!find(0, cpu: 1, count: 9) && find(32, cpu: 1, count: 9))
    #expect(tokens.count == 4)
    #expect(!add(0, cpu: 2, count: 9) && !find(0, cpu: 2, count: 9))
    tokens.remove(0, cpu: 2, memory: memory)
    tokens.removeAll(memory: memory)
    #expect(tokens.count == 0 && !find(32, cpu: 1, count: 9))
    tokens.removeAll(memory: memory)
  }

  @Test(
    "The commit queue takes a command only into a slot that the hardware has passed",
    arguments: [true, false])
  func commit(_ isCoherent: Bool) {
    let memory = PlainMemory()
    var queue = CommitQueue(
      PhysicalAddress(0x5000_0000), origins: PhysicalAddress(0x5001_0000), slots: 8)
    queue.isCoherent = isCoherent
    #expect(queue.publish(memory: memory) == nil)
    var numbers = Numbers(state: 7)
    var sent: [UInt64] = []
    var read = 0
    for step in 0..<500 as Range<UInt64> {
      while queue.freeCount > 0, Bool.random(using: &numbers) {
        queue.append(ITSCommand(step), for: UInt64(sent.count) * 32, memory: memory)
        sent.append(step)
      }
      #expect(queue.freeCount + (queue.written - queue.completed) == 7)
      if let offset = queue.publish(memory: memory) {
        #expect(offset == UInt64(sent.count) % 8 * 32)
      }
      // The hardware goes on as far as it likes, up to what was published.
      let ahead = Int(queue.published) - read
      read += Int.random(in: 0...ahead, using: &numbers)
      let isPossible = queue.observe(readOffset: UInt64(read) % 8 * 32)
      #expect(isPossible)
      #expect(queue.completed == UInt64(read))
      #expect(queue.isIdle == (read == sent.count))
      #expect(
        queue.currentOrigin(memory: memory) == (read == sent.count ? nil : UInt64(read) * 32))
      if read < sent.count {
        #expect(memory.load(PhysicalAddress(0x5000_0000 + UInt64(read) % 8 * 32)) == sent[read])
      }
      // Where it can't be.
      let beyond = UInt64(Int(queue.published) + 1)
      if Int(beyond) - read < 8 {
        let isPossible = queue.observe(readOffset: beyond % 8 * 32)
        #expect(!isPossible)
      }
      let isPast = queue.observe(readOffset: 8 * 32)
      #expect(!isPast)
    }
  }

  @Test(
    "What a GITS_BASER<n> makes of a value is found by trying, and hardware that aborts is told")
  func rules() {
    func hardware(_ value: UInt64) -> UInt64 {
      // Two page sizes, one shareability, no Device memory.
      var result = value & (1 << 63 | 1 << 62 | 0xffff_ffff_f000 | 0xff) | 1 << 56 | 7 << 48
      result |= (value >> 8 & 0b11 == 2 ? 2 : 0) << 8
      result |= 1 << 10
      result |= max(value >> 59 & 0b111, 1) << 59 | (value >> 53 & 0b111) << 53
      return result
    }
    guard let rules = TableBaseRules(initial: hardware(0), access: hardware) else {
      Issue.record("no rules")
      return
    }
    var numbers = Numbers(state: 3)
    for _ in 0..<1000 {
      let value = numbers.next() ^ numbers.next() << 32
      #expect(rules.readBack(value).rawValue == hardware(value))
    }
    for failing in 0..<27 {
      var count = 0
      let rules = TableBaseRules(initial: hardware(0)) { value in
        count += 1
        return count > failing ? nil : hardware(value)
      }
      #expect(rules == nil || count <= failing)
    }
    let kept = TableBaseRules(keeping: hardware(0x1_0000 | 1 << 59))
    #expect(kept.readBack(.max).pageSize == .kib4)
    #expect(kept.readBack(0).attributes == 1 << 59 | 1 << 10)
  }

  @Test("There is a counter for each reason to refuse a command")
  func counters() {
    #expect(ITSCounters().refused.count == CommandRefusalReason.count)
  }
}
