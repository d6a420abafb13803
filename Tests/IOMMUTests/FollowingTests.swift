// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import Simulation
import Testing

/// What devices should see of a page that goes from one state to another.
enum Outcome { case mapped, unmapped, untouched }

@Suite("Following")
struct FollowingTests {
  static let states: [PageState] = [.owned, .sharedOwned, .sharedBorrowed, .none]

  /// Every transition, written down a second time.
  ///
  /// Rows are what a page was, columns what it becomes, both in the order of `states`. Of `none` to be shared
  /// again nobody makes use today.
  static let table: [[Outcome]] = [
    [.untouched, .untouched, .untouched, .unmapped],
    [.untouched, .untouched, .untouched, .unmapped],
    [.untouched, .untouched, .untouched, .unmapped],
    [.mapped, .mapped, .mapped, .unmapped],
  ]

  /// Tells a mirror of a transition, as the ledger would.
  static func tell(
    _ mirror: inout DMAMirror<RecordingDriver>, _ transition: PageTransition, _ ranges: [PageRange],
    _ pool: inout PagePool<SimulatedMemory>
  ) throws(OwnershipError) {
    let needed = try mirror.prepare(transition, ranges.span, pool)
    var reservation = try pool.reserve(needed)
    if !transition.new.isHostAccessible {
      do throws(OwnershipError) {
        try mirror.revoke(transition, ranges.span, &pool, &reservation)
      } catch {
        pool.release(reservation)
        throw error
      }
    } else {
      mirror.commit(transition, ranges.span, &pool, &reservation)
    }
    pool.release(reservation)
  }

  static func emptyPool() -> PagePool<SimulatedMemory> {
    PagePool(pages: pages(0x5fe00, 8), memory: SimulatedMemory(machine: SimulatedMachine()))
  }

  @Test("Every state to every state, of memory and of MMIO", arguments: states, states)
  func transitions(old: PageState, new: PageState) throws {
    for kind in [PageKind.memory, .mmio] {
      let recorder = Recorder()
      var pool = Self.emptyPool()
      let page: UInt64 = kind == .memory ? 0x44444 : 0x8080
      let content: HostLeaf.Content =
        old.isHostAccessible ? .mapped(isReadable: true, isWritable: true) : .claimed
      let host = LazyHost(leaves: [
        HostLeaf(pages(0, page), .absent), HostLeaf(pages(page, 3), content),
        HostLeaf(pages(page + 3, 0x80000), .absent),
      ])
      var mirror = DMAMirror(RecordingDriver(recorder: recorder))
      try mirror.start(host, SmallBoard.map(), &pool)
      recorder.calls = []
      let before = recorder.table
      let range = pages(page, 3)
      try Self.tell(&mirror, PageTransition(kind: kind, old: old, new: new), [range], &pool)
      let row = try #require(Self.states.firstIndex(of: old))
      let column = try #require(Self.states.firstIndex(of: new))
      switch Self.table[row][column] {
      case .mapped: #expect(recorder.calls == [.map(range, .full(kind))])
      case .unmapped: #expect(recorder.calls == [.unmap(range), .sync])
      case .untouched: #expect(recorder.calls == [] && recorder.table == before)
      }
      #expect((recorder.table[page] != nil) == new.isHostAccessible)
      #expect(recorder.table[page - 1] != nil && recorder.table[page + 3] != nil)
      #expect(recorder.violations == [])
    }
  }

  @Test(
    "Every operation on every mixed pair of pages is told for each page, or refused and told for none"
  )
  func mixedRanges() throws {
    // A page in each state, and each next to each: a range of two takes in both.
    enum Place: CaseIterable { case owned, shared, pinned, claimed, lent }
    func enter(
      _ place: Place, _ page: UInt64, _ subject: inout Mirrored, _ held: inout [HeldClaim]
    ) throws {
      let range = pages(page)
      switch place {
      case .owned: break
      case .shared: try subject.share([range].span)
      case .pinned:
        try subject.share([range].span)
        let pin = try subject.pin(list([range]))
        forget(pin)
      case .claimed, .lent:
        let claim = try subject.donate(list([range]), expecting: .memory)
        if place == .lent { try subject.lend(claim) }
        held.append(HeldClaim(claim, [range]))
      }
    }
    var refusals = 0
    for first in Place.allCases {
      for second in Place.allCases {
        for order in [[pages(0x441ff, 2)], [pages(0x44200), pages(0x441ff)]] {
          for operation in 0..<3 {
            let machine = SimulatedMachine()
            let recorder = Recorder()
            var subject = try MirroredBoard.following(machine, recorder)
            var held: [HeldClaim] = []
            try enter(first, 0x441ff, &subject, &held)
            try enter(second, 0x44200, &subject, &held)
            #expect(try recorder.table == MirroredBoard.expected(subject, machine))
            recorder.calls = []
            do throws(OwnershipError) {
              switch operation {
              case 0:
                let claim = try subject.donate(list(order), expecting: .memory)
                _ = claim.keepForever()
                #expect(first == .owned && second == .owned)
                #expect(recorder.calls == order.map { .unmap($0) } + [.sync])
              case 1:
                try subject.share(order.span)
                #expect(first == .owned && second == .owned && recorder.calls == [])
              default:
                try subject.unshare(order.span)
                #expect(first == .shared && second == .shared && recorder.calls == [])
              }
            } catch {
              #expect(recorder.calls == [])
              refusals += 1
            }
            #expect(try recorder.table == MirroredBoard.expected(subject, machine))
            #expect(recorder.table == recorder.confirmed && recorder.violations == [])
          }
        }
      }
    }
    // Of the 25 pairs, one may be donated, one shared and one unshared, in each order.
    #expect(refusals == 2 * 3 * 24)
  }

  @Test("A donation takes the pages from devices, everywhere, before stage 2 or EL2 changes")
  func order() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.following(machine, recorder)
    let walk = subject.host.walk
    let range = pages(0x8080, 16)
    var seen: [Bool] = []
    recorder.onCall = { [unowned machine] _ in
      let address = IntermediatePhysicalAddress(0x8080_000)
      let lookup = walk.lookup(address, in: SimulatedMemory(machine: machine))
      if case .mapped = lookup { seen.append(true) } else { seen.append(false) }
    }
    var claim: Claim<8>? = try subject.donate(list([range]), expecting: .mmio)
    #expect(recorder.calls == [.unmap(range), .sync] && seen == [true, true])
    for page in UInt64(0x8080)..<0x8090 { #expect(!recorder.isReachable(page)) }
    // And gives them back to devices last.
    recorder.calls = []
    seen = []
    try subject.giveBack(&claim)
    #expect(recorder.calls == [.map(range, .full(.mmio))] && seen == [true])
  }

  @Test("One wait for the IOMMUs a donation, however many ranges")
  func oneSync() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.following(machine, recorder)
    let ranges = [pages(0x43ffe, 4), pages(0x46200, 0x200), pages(0x50000), pages(0x41000, 7)]
    let claim = try subject.donate(list(ranges), expecting: .memory)
    _ = claim.keepForever()
    #expect(recorder.calls == ranges.map { .unmap($0) } + [.sync])
  }

  @Test("Lending and recalling reach devices, too; the pages' rights are the host's")
  func loan() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.following(machine, recorder)
    let range = pages(0x44444, 2)
    let claim = try subject.donate(list([range]), expecting: .memory)
    recorder.calls = []
    try subject.lend(claim)
    #expect(recorder.calls == [.map(range, .full(.memory))])
    recorder.calls = []
    try subject.recall(claim)
    #expect(recorder.calls == [.unmap(range), .sync] && !recorder.isReachable(0x44445))
    _ = claim.keepForever()
  }

  @Test("A driver that refuses any page refuses the whole change, in both directions")
  func refusal() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.following(machine, recorder)
    let ranges = [pages(0x43ffe, 4), pages(0x50000, 3)]
    let before = recorder.table
    let words = machine.words
    for refused: UInt64 in [0x43ffe, 0x44001, 0x50002] {
      recorder.refusedPage = refused
      #expect(throws: OwnershipError.refusedByObserver(frame(refused))) {
        let claim = try subject.donate(list(ranges), expecting: .memory)
        _ = claim.keepForever()
      }
      #expect(recorder.table == before && recorder.calls == [] && machine.words == words)
    }
    recorder.refusedPage = nil
    var claim: Claim<8>? = try subject.donate(list(ranges), expecting: .memory)
    machine.words[0x50000 << 12] = 42
    let after = recorder.table
    recorder.refusedPage = 0x50001
    #expect(throws: OwnershipError.refusedByObserver(frame(0x50001))) {
      try subject.giveBack(&claim)
    }
    // The claim is held, the page as it was, and no device reaches it.
    #expect(recorder.table == after && machine.words[0x50000 << 12] == 42)
    #expect(subject.pageRecord(of: frame(0x50000)).state == PageState.none)
    recorder.refusedPage = nil
    try subject.giveBack(&claim)
    #expect(recorder.table == before && subject.observer.refusals == 4)
  }

  @Test(
    "Where an IOMMU doesn't confirm, the page stays the host's and its devices reach it",
    arguments: [nil, 0x43ffe, 0x44000, 0x50000, 0x50002] as [UInt64?])
  func unconfirmed(stuck: UInt64?) throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.following(machine, recorder)
    let ranges = [pages(0x43ffe, 4), pages(0x50000, 3)]
    let before = recorder.table
    recorder.stuckPage = stuck
    recorder.failsToSync = stuck == nil
    #expect(throws: OwnershipError.refusedByObserver(frame(0x43ffe))) {
      let claim = try subject.donate(list(ranges), expecting: .memory)
      _ = claim.keepForever()
    }
    #expect(recorder.table == before && subject.observer.refusals == 1)
    #expect(try recorder.table == MirroredBoard.expected(subject, machine))
    for range in ranges {
      for offset in 0..<range.count {
        let number = frame(range.first.rawValue + offset)
        #expect(subject.pageRecord(of: number) == .untouched)
      }
    }
    // EL2 has not got it either, and the next attempt succeeds.
    recorder.stuckPage = nil
    recorder.failsToSync = false
    let claim = try subject.donate(list(ranges), expecting: .memory)
    _ = claim.keepForever()
    for range in ranges { #expect(!recorder.isReachable(range.last.rawValue)) }
    #expect(recorder.violations == [])
  }

  @Test("A recall that isn't confirmed leaves the pages lent, with the rights that they had")
  func unconfirmedRecall() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    var subject = try MirroredBoard.following(machine, recorder)
    let claim = try subject.donate(list([pages(0x44444)]), expecting: .memory)
    try subject.lend(claim)
    recorder.failsToSync = true
    #expect(throws: OwnershipError.refusedByObserver(frame(0x44444))) { try subject.recall(claim) }
    #expect(subject.pageRecord(of: frame(0x44444)).state == .sharedBorrowed)
    #expect(recorder.table[0x44444] == .full(.memory))
    _ = claim.keepForever()
  }

  @Test("A page that devices may only read is not theirs to write after a change that was undone")
  func restoredRights() throws {
    let recorder = Recorder()
    var pool = Self.emptyPool()
    let host = LazyHost(leaves: [
      HostLeaf(pages(0, 0x44444), .absent),
      HostLeaf(pages(0x44444), .mapped(isReadable: true, isWritable: false)),
      HostLeaf(pages(0x44445, 0x1000), .absent),
    ])
    var mirror = DMAMirror(RecordingDriver(recorder: recorder))
    try mirror.start(host, SmallBoard.map(), &pool)
    recorder.failsToSync = true
    #expect(throws: OwnershipError.self) {
      try Self.tell(
        &mirror, PageTransition(kind: .memory, old: .owned, new: .none), [pages(0x44443, 3)], &pool)
    }
    #expect(recorder.table[0x44443] == .full(.memory))
    #expect(
      recorder.table[0x44444] == DMAAccess(isReadable: true, isWritable: false, kind: .memory))
  }

  @Test("What devices can't address is claimed and given back without them")
  func beyondTheLimit() throws {
    let machine = SimulatedMachine()
    let recorder = Recorder()
    recorder.pageLimit = 0x50001
    var subject = try MirroredBoard.following(machine, recorder)
    let ranges = [pages(0x4fffe, 8), pages(0x51000, 2)]
    var claim: Claim<8>? = try subject.donate(list(ranges), expecting: .memory)
    #expect(recorder.calls == [.unmap(pages(0x4fffe, 3)), .sync])
    try subject.giveBack(&claim)
    #expect(recorder.calls.last == .map(pages(0x4fffe, 3), .full(.memory)))
    #expect(try recorder.table == MirroredBoard.expected(subject, machine, limit: 0x50001))
    #expect(recorder.violations == [])
  }
}
