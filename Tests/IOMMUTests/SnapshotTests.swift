// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import Simulation
import Testing

/// A translation of a host that fills it as it goes: most of it is absent.
struct LazyHost: HostLeaves {
  let leaves: [HostLeaf]
  var pageLimit: UInt64 { leaves.last.map { $0.pages.last.rawValue + 1 } ?? 0 }

  func leaf<Memory: TableMemory & ~Copyable>(
    from first: PageFrameNumber, in memory: borrowing Memory
  ) -> HostLeaf {
    for leaf in leaves where leaf.pages.contains(first) {
      let rest = pages(first.rawValue, leaf.pages.last.rawValue - first.rawValue + 1)
      return HostLeaf(rest, leaf.content)
    }
    fatalError("the page is beyond the limit")
  }

  mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 { 0 }
  mutating func commit<Memory: TableMemory & ~Copyable>(
    _ change: HostChange, _ pages: PageRange, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {}
  mutating func abort(_ change: HostChange, _ ranges: Span<PageRange>) {}
}

@Suite("The snapshot")
struct SnapshotTests {
  @Test("It says what the host's translation says, in few runs")
  func equal() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    let subject = try MirroredBoard.following(machine, recorder)
    #expect(try recorder.table == MirroredBoard.expected(subject, machine))
    // MMIO, memory, without the hypervisor's 2 MiB at its end, and MMIO.
    #expect(
      recorder.table.runs == [
        .init(first: 0, end: 0x40000, access: .full(.mmio)),
        .init(first: 0x40000, end: 0x5fe00, access: .full(.memory)),
        .init(first: 0x60000, end: 1 << 28, access: .full(.mmio)),
      ])
    #expect(recorder.violations == [])
  }

  @Test(
    "What was claimed before is left out: memory, MMIO, whole blocks; what was shared or lent is in"
  )
  func claimedBefore() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.make(machine, recorder)
    let memory = HeldClaim(
      try subject.donate(list([pages(0x43ffe, 4), pages(0x46200, 0x200)]), expecting: .memory), [])
    let mmio = HeldClaim(try subject.donate(list([pages(0x8080, 16)]), expecting: .mmio), [])
    try subject.share([pages(0x50000, 2)].span)
    let lent = try subject.donate(list([pages(0x51000)]), expecting: .memory)
    try subject.lend(lent)
    _ = lent.keepForever()
    // Off, it has been told nothing.
    #expect(recorder.calls == [])
    try MirroredBoard.start(&subject)
    #expect(try recorder.table == MirroredBoard.expected(subject, machine))
    for page: UInt64 in [0x43ffe, 0x44001, 0x46200, 0x463ff, 0x8080, 0x808f, 0x5fe00, 0x5ffff] {
      #expect(!recorder.isReachable(page))
    }
    for page: UInt64 in [0x43ffd, 0x44002, 0x461ff, 0x46400, 0x807f, 0x8090, 0x50000, 0x51000] {
      #expect(recorder.table[page] != nil)
    }
    withExtendedLifetime((memory, mmio)) {}
  }

  @Test(
    "What is absent is mapped by its kind, split where memory begins and ends; rights are the host's"
  )
  func lazy() throws {
    let recorder = Recorder()
    recorder.pageLimit = 0x70000
    var pool = PagePool(
      pages: pages(0x5fe00, 8), memory: SimulatedMemory(machine: SimulatedMachine()))
    let host = LazyHost(leaves: [
      HostLeaf(pages(0, 0x8000), .absent),
      HostLeaf(pages(0x8000, 0x100), .claimed),
      HostLeaf(pages(0x8100, 0x40000 - 0x8100), .mapped(isReadable: true, isWritable: true)),
      HostLeaf(pages(0x40000, 8), .mapped(isReadable: true, isWritable: false)),
      HostLeaf(pages(0x40008, 8), .mapped(isReadable: false, isWritable: false)),
      // From memory into what is behind it.
      HostLeaf(pages(0x40010, 0x30000), .absent),
    ])
    var mirror = DMAMirror(RecordingDriver(recorder: recorder))
    let map = try SmallBoard.map()
    try mirror.start(host, map, &pool)
    #expect(
      recorder.table.runs == [
        .init(first: 0, end: 0x8000, access: .full(.mmio)),
        .init(first: 0x8100, end: 0x40000, access: .full(.mmio)),
        .init(
          first: 0x40000, end: 0x40008,
          access: DMAAccess(isReadable: true, isWritable: false, kind: .memory)),
        .init(first: 0x40010, end: 0x60000, access: .full(.memory)),
        // The limit of the IOMMU, not that of the host.
        .init(first: 0x60000, end: 0x70000, access: .full(.mmio)),
      ])
    #expect(recorder.violations == [])
  }

  @Test("It follows from the moment that it ends, and not before")
  func switchedOn() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.make(machine, recorder)
    var claim: Claim<8>? = try subject.donate(list([pages(0x44444)]), expecting: .memory)
    try subject.giveBack(&claim)
    #expect(recorder.calls == [] && subject.observer.phase == .off)
    try MirroredBoard.start(&subject)
    #expect(subject.observer.phase == .following && recorder.calls.first == .begin)
    recorder.calls = []
    claim = try subject.donate(list([pages(0x44444)]), expecting: .memory)
    #expect(recorder.calls == [.unmap(pages(0x44444)), .sync])
    try subject.giveBack(&claim)
    #expect(recorder.calls.last == .map(pages(0x44444), .full(.memory)))
    #expect(throws: IOMMUError.wrongPhase) { try MirroredBoard.start(&subject) }
  }

  @Test("A driver that can't begin leaves the mirror off, and it says why")
  func noBegin() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    recorder.failsToBegin = true
    var subject = try MirroredBoard.make(machine, recorder)
    #expect(throws: IOMMUError.unsupported(reason: 7)) { try MirroredBoard.start(&subject) }
    #expect(subject.observer.phase == .off && recorder.calls == [.begin])
    let claim = try subject.donate(list([pages(0x44444)]), expecting: .memory)
    _ = claim.keepForever()
    #expect(recorder.calls == [.begin])
  }

  @Test(
    "A snapshot that can be neither written nor taken back has the host lose no page",
    arguments: [false, true])
  func noMap(runsOutOfPages: Bool) throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.make(machine, recorder, free: 10)
    if runsOutOfPages { recorder.tables = 11 } else { recorder.refusedPage = 0x7_0000 }
    recorder.failsToSync = true
    let error = #expect(throws: IOMMUError.self) { try MirroredBoard.start(&subject) }
    let expected: IOMMUError =
      runsOutOfPages ? .poolExhausted(needed: 11, free: 10) : .refused(frame(0x7_0000))
    #expect(error == expected)
    #expect(subject.observer.phase == .failed)
    #expect(throws: OwnershipError.refusedByObserver(frame(0x44444))) {
      let claim = try subject.donate(list([pages(0x44444)]), expecting: .memory)
      _ = claim.keepForever()
    }
    #expect(subject.pageRecord(of: frame(0x44444)) == .untouched)
    #expect(subject.freeTablePages == 10)
  }

  @Test("A snapshot that is undone leaves devices nothing, and the mirror off")
  func undone() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.make(machine, recorder)
    // The last of three runs, and nothing after that.
    recorder.refusedPage = 0x7_0000
    recorder.refusalsLeft = 1
    let error = #expect(throws: IOMMUError.self) { try MirroredBoard.start(&subject) }
    #expect(error == .refused(frame(0x7_0000)))
    #expect(subject.observer.phase == .off)
    #expect(recorder.table.runs == [] && recorder.confirmed.runs == [])
    #expect(recorder.calls.suffix(2) == [.unmap(pages(0, 1 << 28)), .sync])
    let claim = try subject.donate(list([pages(0x44444)]), expecting: .memory)
    _ = claim.keepForever()
  }

  @Test("Doorbells are there to be written, whatever is claimed around them and whoever owns them")
  func doorbells() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.make(machine, recorder, doorbells: MirroredBoard.doorbells())
    // The control frame and, as some do, the translation frame with it.
    let before = HeldClaim(try subject.donate(list([pages(0x8080, 32)]), expecting: .mmio), [])
    try MirroredBoard.start(&subject)
    #expect(recorder.table[0x8090] == .doorbell && recorder.table[0x9fff] == .doorbell)
    for page in UInt64(0x8080)..<0x80a0 where page != 0x8090 {
      #expect(!recorder.isReachable(page))
    }
    var later: Claim<8>? = try subject.donate(list([pages(0x9ff8, 16)]), expecting: .mmio)
    #expect(recorder.table[0x9fff] == .doorbell && recorder.table[0x9ffe] == nil)
    #expect(recorder.table[0xa000] == nil)
    try subject.giveBack(&later)
    let bells = [MirroredBoard.doorbell, MirroredBoard.farDoorbell]
    #expect(try recorder.table == MirroredBoard.expected(subject, machine, doorbells: bells))
    #expect(recorder.violations == [])
    withExtendedLifetime(before) {}
  }

  @Test("There is room for a doorbell of each ITS")
  func manyDoorbells() {
    var doorbells = Doorbells()
    for index in UInt64(0)..<32 {
      let isAdded = doorbells.add(pages(index))
      #expect(isAdded)
    }
    let isAdded = doorbells.add(pages(32))
    #expect(!isAdded && doorbells.count == 32)
  }
}
