// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

@Suite("The order of a commit")
struct CommitOrderTests {
  /// Reads both tables as hardware would, from the raw words, while a change is under way.
  static func reach(
    _ machine: SimulatedMachine, _ walk: Stage2Walk, _ number: UInt64, _ el2: PageTree,
    _ address: VirtualAddress
  ) -> (host: Bool, hypervisor: Bool) {
    let memory = SimulatedMemory(machine: machine)
    let lookup = walk.lookup(IntermediatePhysicalAddress(number << 12), in: memory)
    let entry = el2.walk(to: address.rawValue >> 12, in: memory)
    return (lookup != .claimed(.hypervisor), entry.entry != 0)
  }

  @Test("A donated page leaves the host's devices, the host and its TLBs before EL2 has it")
  func donate() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let walk = subject.host.walk
    let tree = subject.hypervisor.tree
    machine.onCommit = { [unowned machine] frame in
      Self.reach(machine, walk, frame.rawValue, tree, SmallBoard.window)
    }
    let range = pages(SmallBoard.mmioPage)
    let claim = try subject.donate(list([range]), expecting: .mmio)
    _ = claim.keepForever()
    // What may fail comes first: the host still has the page, and EL2 does not yet.
    let revoked = SimulatedMachine.Event.committed(
      range.first, hostReaches: true, hypervisorReaches: false)
    let told = try #require(machine.events.firstIndex(of: revoked))
    let invalidated = try #require(machine.events.lastIndex(of: .invalidateStage2(range)))
    #expect(told < invalidated)
    #expect(machine.events.filter { if case .committed = $0 { true } else { false } }.count == 1)
    #expect(machine.violations == [])
    #expect(machine.cached == [])
  }

  @Test("A returned page leaves EL2 and its TLBs before the host has it")
  func giveBack() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let range = pages(SmallBoard.mmioPage)
    var claim: Claim<8>? = try subject.donate(list([range]), expecting: .mmio)
    machine.events = []
    let walk = subject.host.walk
    let tree = subject.hypervisor.tree
    machine.onCommit = { [unowned machine] frame in
      Self.reach(machine, walk, frame.rawValue, tree, SmallBoard.window)
    }
    try subject.giveBack(&claim)
    #expect(
      machine.events == [
        .prepared(range.first), .invalidateEL2(SmallBoard.window, 1),
        .committed(range.first, hostReaches: true, hypervisorReaches: false),
      ])
    #expect(machine.violations == [])
  }

  @Test("A split breaks before it makes, and keeps every neighbour's translation")
  func split() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let block: [UInt64] = Array(0x44400..<0x44800)
    let far: [UInt64] = [0x40000, 0x441ff, 0x45000, 0x5fdff, 0x60000, 0x7ffff]
    let before = snapshot(subject, block + far).host
    let claim = try subject.donate(list([pages(SmallBoard.memoryPage)]), expecting: .memory)
    _ = claim.keepForever()
    let after = snapshot(subject, block + far).host
    for (index, number) in (block + far).enumerated() where number != SmallBoard.memoryPage {
      #expect(after[index] == before[index], "frame \(number)")
    }
    // The 2 MiB block is broken as a whole, then the one page is taken away.
    #expect(
      machine.events.filter { if case .invalidateStage2 = $0 { true } else { false } }
        == [
          .invalidateStage2(pages(0x44400, 0x200)), .invalidateStage2(pages(SmallBoard.memoryPage)),
        ])
    #expect(machine.violations == [])
  }

  @Test("The machine of these tests notices a rule that is broken")
  func checker() {
    let machine = SimulatedMachine()
    let memory = SimulatedMemory(machine: machine)
    memory.store(0x1000_0001, at: PhysicalAddress(8))
    memory.store(0x2000_0003, at: PhysicalAddress(8))
    #expect(machine.violations == ["valid to valid at 8"])
    memory.store(0, at: PhysicalAddress(8))
    memory.store(0x2000_0003, at: PhysicalAddress(8))
    #expect(machine.violations.last == "made before invalidated at 8")
  }

  @Test("A walk beside a split meets either side of it, or is told to repeat")
  func retry() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    let walk = subject.host.walk
    let memory = SimulatedMemory(machine: machine)
    let address = IntermediatePhysicalAddress(0x44445_123)
    let slot = walk.tree.walk(to: 0x44445, in: memory)
    #expect(walk.lookup(address, in: memory) == .mapped(address.identityMapped, .memory, level: 2))
    memory.store(Stage2Descriptor.changing, at: slot.address)
    #expect(walk.lookup(address, in: memory) == .changing)
    machine.cached = []
    memory.store(slot.entry, at: slot.address)
    let claim = try subject.donate(list([pages(0x44444)]), expecting: .memory)
    _ = claim.keepForever()
    #expect(walk.lookup(address, in: memory) == .mapped(address.identityMapped, .memory, level: 3))
    let claimed = walk.lookup(IntermediatePhysicalAddress(0x44444_000), in: memory)
    #expect(claimed == .claimed(.hypervisor))
    let outside = walk.lookup(IntermediatePhysicalAddress(1 << 40), in: memory)
    #expect(outside == .unmapped)
  }
}
