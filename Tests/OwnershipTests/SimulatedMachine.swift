// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Ownership

/// The physical memory that tables live in, and the translation caches, with a history of both.
///
/// It knows the architecture's rule for live stage-2 tables: a valid entry is never replaced by
/// another valid entry without an invalid one, and an invalidation, in between.
final class SimulatedMachine: @unchecked Sendable {
  enum Event: Hashable {
    case invalidateStage2(PageRange)
    case invalidateEL2(VirtualAddress, UInt64)
    case prepared(PageFrameNumber)
    case committed(PageFrameNumber, hostReaches: Bool, hypervisorReaches: Bool)
    case aborted(PageFrameNumber)
    case scrubbed(PageFrameNumber)
  }

  var words: [UInt64: UInt64] = [:]
  var events: [Event] = []
  /// Entries that were valid and have not been invalidated since.
  var cached: Set<UInt64> = []
  /// What broke the rules.
  var violations: [String] = []
  /// Where the observer refuses; nil is nowhere.
  var refusedFrame: PageFrameNumber?
  /// How many pages the observer holds prepared.
  var preparedCount = 0
  /// What the observer asks at commit.
  var onCommit: ((PageFrameNumber) -> (host: Bool, hypervisor: Bool))?
}

struct SimulatedMemory: TableMemory {
  let machine: SimulatedMachine

  func load(_ address: PhysicalAddress) -> UInt64 { machine.words[address.rawValue] ?? 0 }

  func store(_ value: UInt64, at address: PhysicalAddress) {
    if !address.isAligned(to: 8) { machine.violations.append("misaligned store at \(address)") }
    let old = machine.words[address.rawValue] ?? 0
    if old & 1 == 1 && value & 1 == 1 && old != value {
      machine.violations.append("valid to valid at \(String(address.rawValue, radix: 16))")
    }
    if old & 1 == 0 && value & 1 == 1 && machine.cached.contains(address.rawValue) {
      machine.violations.append("made before invalidated at \(String(address.rawValue, radix: 16))")
    }
    if old & 1 == 1 { machine.cached.insert(address.rawValue) }
    if value == 0 {
      machine.words[address.rawValue] = nil
    } else {
      machine.words[address.rawValue] = value
    }
  }

  func publishTables() {}
}

struct SimulatedCache: TranslationCache {
  let machine: SimulatedMachine

  func invalidateStage2(_ pages: PageRange) {
    machine.cached = []
    machine.events.append(.invalidateStage2(pages))
  }

  func invalidateStage2All() { machine.cached = [] }

  func invalidateEL2(_ address: VirtualAddress, count: UInt64) {
    machine.cached = []
    machine.events.append(.invalidateEL2(address, count))
  }
}

struct RecordingObserver: OwnershipObserver {
  let machine: SimulatedMachine

  mutating func prepare(_ transition: PageTransition) -> Bool {
    if transition.frame == machine.refusedFrame { return false }
    machine.preparedCount += 1
    machine.events.append(.prepared(transition.frame))
    return true
  }

  mutating func commit(_ transition: PageTransition) {
    machine.preparedCount -= 1
    let reach = machine.onCommit?(transition.frame) ?? (host: true, hypervisor: true)
    machine.events.append(
      .committed(transition.frame, hostReaches: reach.host, hypervisorReaches: reach.hypervisor))
  }

  mutating func abort(_ transition: PageTransition) {
    machine.preparedCount -= 1
    machine.events.append(.aborted(transition.frame))
  }
}

typealias Subject = Ownership<
  SimulatedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>, RecordingObserver
>

func frame(_ number: UInt64) -> PageFrameNumber { PageFrameNumber(number) }

func pages(_ first: UInt64, _ count: UInt64 = 1) -> PageRange {
  guard let range = PageRange(first: PageFrameNumber(first), count: count) else {
    fatalError("bad range in a test")
  }
  return range
}

func list(_ ranges: [PageRange]) -> FixedList<8, PageRange> {
  var list = FixedList<8, PageRange>(filler: ranges.first ?? pages(0))
  for range in ranges { _ = list.append(range) }
  return list
}

/// A board with 512 MiB of memory at 1 GiB, the hypervisor in its last 2 MiB, the pool there.
struct Board {
  static let hypervisor = pages(0x5fe00, 0x200)
  static let memory = pages(0x40000, 0x20000)
  /// Frames of both kinds, with owners of both kinds.
  static let memoryPage: UInt64 = 0x44444
  static let mmioPage: UInt64 = 0x8080
  static let linear = VirtualAddress(1 << 40)
  static let window = VirtualAddress(1 << 46)

  static func map() throws -> MemoryMap {
    var map = MemoryMap()
    try map.add(memory)
    return map
  }

  static func space() throws -> EL2AddressSpace {
    try #require(
      EL2AddressSpace(
        linearBase: linear, linearPages: 1 << 28, window: window, windowPages: 1 << 18))
  }

  static func geometry() throws -> TranslationGeometry {
    try #require(TranslationGeometry(bits: 40))
  }

  /// A board with `free` pages left in the pool after boot.
  static func make(_ machine: SimulatedMachine, free: UInt64 = 100) throws -> Subject {
    let subject = try build(machine: machine, poolPages: bootPages.get() + free)
    machine.events = []
    machine.violations = []
    return subject
  }

  /// How many pages of the pool the boot of this board takes.
  static let bootPages = Result {
    try build(machine: SimulatedMachine(), poolPages: 400).usedTablePages
  }

  static func build(machine: SimulatedMachine, poolPages: UInt64) throws -> Subject {
    var pool = PagePool(
      pages: pages(hypervisor.first.rawValue, poolPages), memory: SimulatedMemory(machine: machine))
    let excluded = [hypervisor]
    let host = try Stage2Table(
      geometry(), memoryMap: map(), excluded: excluded.span, pool: &pool,
      cache: SimulatedCache(machine: machine))
    var el2 = try EL2Stage1Table(space(), pool: &pool, cache: SimulatedCache(machine: machine))
    try el2.map(hypervisor, at: VirtualAddress(0x20_0000), .data, pool: &pool)
    return try Ownership(
      geometry(), memoryMap: map(), hypervisorPages: excluded.span, pool: pool, host: host,
      hypervisor: el2, observer: RecordingObserver(machine: machine))
  }
}

/// Everything that can be seen of an ownership, over frames of interest.
struct Snapshot: Equatable {
  struct EL2Entry: Equatable {
    let address: PhysicalAddress
    let attributes: EL2Attributes
  }

  /// What stage 2 says of a page, without the size of the block it says it with.
  struct HostEntry: Equatable {
    let address: PhysicalAddress?
    let kind: PageKind?
    let owner: PageOwner?
  }

  let records: [PageRecord]
  let host: [HostEntry]
  let linear: [EL2Entry?]
  let window: [EL2Entry?]
  let free: UInt64
}

func hostEntry(_ subject: borrowing Subject, _ number: UInt64) -> Snapshot.HostEntry {
  let address = IntermediatePhysicalAddress(number << 12)
  switch subject.host.walk.lookup(address, in: subject.pool.memory) {
  case .mapped(let address, let kind, _): return .init(address: address, kind: kind, owner: nil)
  case .claimed(let owner): return .init(address: nil, kind: nil, owner: owner)
  case .changing, .unmapped: return .init(address: nil, kind: nil, owner: nil)
  }
}

func el2Entry(_ subject: borrowing Subject, _ address: UInt64) -> Snapshot.EL2Entry? {
  let found = subject.hypervisor.lookup(VirtualAddress(address), in: subject.pool.memory)
  return found.map { Snapshot.EL2Entry(address: $0.0, attributes: $0.1) }
}

func snapshot(_ subject: borrowing Subject, _ frames: [UInt64], windowPages: UInt64 = 40)
  -> Snapshot
{
  var records: [PageRecord] = []
  var host: [Snapshot.HostEntry] = []
  var linear: [Snapshot.EL2Entry?] = []
  var window: [Snapshot.EL2Entry?] = []
  for number in frames {
    records.append(subject.pageRecord(of: frame(number)))
    host.append(hostEntry(subject, number))
    linear.append(el2Entry(subject, Board.linear.rawValue + number << 12))
  }
  for page in 0..<windowPages {
    window.append(el2Entry(subject, Board.window.rawValue + page << 12))
  }
  return Snapshot(
    records: records, host: host, linear: linear, window: window, free: subject.freeTablePages)
}
