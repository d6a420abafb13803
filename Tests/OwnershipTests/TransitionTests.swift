// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

enum Step: CaseIterable {
  case donate, giveBack, share, unshare, lend, recall, pin, unpin
}

enum Start: CaseIterable {
  case owned, shared, pinned, claimed, lent
}

/// What is held on the way, as a test needs it at hand.
struct Holdings: ~Copyable {
  var claim: Claim<8>?
  var pin: Pin<8>?
}

@Suite("Transitions of one page")
struct TransitionTests {
  /// The edges of the state machine, written down a second time.
  static let legal: [(Start, Step, PageState, pins: UInt32)] = [
    (.owned, .donate, .none, 0), (.owned, .share, .sharedOwned, 0),
    (.shared, .unshare, .owned, 0), (.shared, .pin, .sharedOwned, 1),
    (.pinned, .pin, .sharedOwned, 2), (.pinned, .unpin, .sharedOwned, 0),
    (.claimed, .giveBack, .owned, 0), (.claimed, .lend, .sharedBorrowed, 0),
    (.lent, .recall, .none, 0),
  ]

  static func enter(
    _ start: Start, _ subject: inout Subject, _ holdings: inout Holdings, _ range: PageRange,
    _ kind: PageKind
  ) throws {
    switch start {
    case .owned: break
    case .shared: try subject.share([range].span)
    case .pinned:
      try subject.share([range].span)
      holdings.pin = try subject.pin(list([range]))
    case .claimed: holdings.claim = try subject.donate(list([range]), expecting: kind)
    case .lent:
      holdings.claim = try subject.donate(list([range]), expecting: kind)
      if let claim = holdings.claim.take() {
        try subject.lend(claim)
        holdings.claim = consume claim
      }
    }
  }

  /// Makes the step, with a claim or a pin forged where none is held, as a defect might.
  static func attempt(
    _ step: Step, _ subject: inout Subject, _ holdings: inout Holdings, _ range: PageRange,
    _ kind: PageKind
  ) throws(OwnershipError) {
    let mapped = MappedPages(pages: range, address: VirtualAddress(SmallBoard.window.rawValue))
    var forged = FixedList<8, MappedPages>(filler: mapped)
    _ = forged.append(mapped)
    var claim: Claim<8>? = holdings.claim.take() ?? Claim(forged, kind)
    defer { if let left = claim.take() { _ = left.keepForever() } }
    switch step {
    case .donate:
      let new = try subject.donate(list([range]), expecting: kind)
      _ = new.keepForever()
    case .giveBack: try subject.giveBack(&claim)
    case .share: try subject.share([range].span)
    case .unshare: try subject.unshare([range].span)
    case .lend, .recall:
      guard let held = claim.take() else { return }
      claim = nil
      do throws(OwnershipError) {
        if step == .lend { try subject.lend(held) } else { try subject.recall(held) }
      } catch {
        _ = held.keepForever()
        throw error
      }
      _ = held.keepForever()
    case .pin:
      let pin = try subject.pin(list([range]))
      drop(pin)
    case .unpin:
      guard let pin = holdings.pin.take() else { throw .nothingHeld }
      subject.unpin(pin)
    }
  }

  /// Forgets a pin without releasing it, for a test that ends there.
  static func drop(_ pin: consuming Pin<8>) { pin.isOpen = false }

  @Test(
    "Every step from every state of both kinds either is on the map or changes nothing",
    arguments: Start.allCases, Step.allCases)
  func matrix(_ start: Start, _ step: Step) throws {
    for kind in [PageKind.memory, .mmio] {
      if kind == .mmio && start != .owned && start != .claimed { continue }
      let number = kind == .memory ? SmallBoard.memoryPage : SmallBoard.mmioPage
      let range = pages(number)
      let frames = [number - 1, number, number + 1]
      let machine = SimulatedMachine()
      var subject = try SmallBoard.make(machine)
      var holdings = Holdings()
      try Self.enter(start, &subject, &holdings, range, kind)
      let before = snapshot(subject, frames)
      let expected = Self.legal.first { $0.0 == start && $0.1 == step }
      let isMemoryOnly = ![.donate, .giveBack].contains(step)

      var failure: OwnershipError?
      do throws(OwnershipError) {
        try Self.attempt(step, &subject, &holdings, range, kind)
      } catch { failure = error }
      let after = snapshot(subject, frames)

      if let expected, kind == .memory || !isMemoryOnly {
        #expect(failure == nil)
        #expect(
          after.records == [
            .untouched, PageRecord(state: expected.2, pins: expected.pins), .untouched,
          ])
        let state = expected.2
        #expect((after.host[1].address == frame(number).address) == state.isHostAccessible)
        #expect(after.host[1].owner == (state.isHostAccessible ? nil : .hypervisor))
        #expect(after.host[1].kind == (state.isHostAccessible ? kind : nil))
        let el2 = kind == .memory ? after.linear[1] : after.window[0]
        #expect((el2 != nil) == state.isHypervisorAccessible)
        if let el2 {
          #expect(el2.address == frame(number).address)
          #expect(el2.attributes == (kind == .memory ? .data : .device))
        }
        #expect([after.host[0], after.host[2]] == [before.host[0], before.host[2]])
        #expect(after.linear[0] == nil && after.linear[2] == nil)
      } else {
        #expect(failure != nil)
        #expect(after == before)
        switch failure {
        case .wrongState(let frame, let state):
          #expect(frame.rawValue == number && state == before.records[1].state)
        case .wrongKind(let frame, let actual):
          #expect(frame.rawValue == number && actual == kind && isMemoryOnly)
        case .pinned(let frame): #expect(frame.rawValue == number && start == .pinned)
        case .nothingHeld: #expect(step == .unpin)
        default: Issue.record("unexpected \(String(describing: failure))")
        }
      }
      #expect(machine.violations == [])
      #expect(machine.preparedCount == 0)
      if let claim = holdings.claim.take() { _ = claim.keepForever() }
      if let pin = holdings.pin.take() { Self.drop(pin) }
    }
  }

  @Test("The kind that is expected is checked inside", arguments: [PageKind.memory, .mmio])
  func kind(_ expected: PageKind) throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    let wrong = expected == .memory ? SmallBoard.mmioPage : SmallBoard.memoryPage
    let right = expected == .memory ? SmallBoard.memoryPage : SmallBoard.mmioPage
    let before = snapshot(subject, [wrong, right])
    let error = #expect(throws: OwnershipError.self) {
      let claim = try subject.donate(list([pages(right), pages(wrong)]), expecting: expected)
      _ = claim.keepForever()
    }
    #expect(error == .wrongKind(frame(wrong), expected == .memory ? .mmio : .memory))
    let after = snapshot(subject, [wrong, right])
    #expect(after == before)
  }

  @Test("A claim is given back once")
  func once() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    var claim: Claim<8>? = try subject.donate(list([pages(SmallBoard.mmioPage)]), expecting: .mmio)
    try subject.giveBack(&claim)
    let isGone = claim == nil
    #expect(isGone)
    #expect(throws: OwnershipError.nothingHeld) { try subject.giveBack(&claim) }
  }

  @Test("Memory is zeroed before the host has it back")
  func scrub() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var claim: Claim<8>? = try subject.donate(
      list([pages(SmallBoard.memoryPage)]), expecting: .memory)
    machine.words[SmallBoard.memoryPage << 12 + 0x18] = 0x5ec_4e70
    machine.words[SmallBoard.memoryPage << 12 + 0xff8] = 0x5ec_4e70
    var secretsAtCommit = 0
    machine.onCommit = { [unowned machine] _ in
      secretsAtCommit = machine.words.values.count { $0 == 0x5ec_4e70 }
      return (true, true)
    }
    try subject.giveBack(&claim)
    #expect(secretsAtCommit == 0)
    #expect(machine.words.values.contains(0x5ec_4e70) == false)
  }

  @Test("The hypervisor's own pages cannot be asked for")
  func ownPages() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    for number in [SmallBoard.hypervisor.first.rawValue, SmallBoard.hypervisor.last.rawValue] {
      #expect(hostEntry(subject, number).owner == .hypervisor)
      #expect(throws: OwnershipError.wrongState(frame(number), .none)) {
        try subject.share([pages(number)].span)
      }
    }
    #expect(hostEntry(subject, SmallBoard.hypervisor.first.rawValue - 1).kind == .memory)
    #expect(hostEntry(subject, SmallBoard.hypervisor.last.rawValue + 1).kind == .mmio)
  }
}
