// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Simulation
import Testing

@testable import Ownership

/// What EL2 maps is EL2's, by a walk of every table.
@Suite("The audit of what EL2 maps") struct AuditTests {
  private static let image = SmallBoard.hypervisor

  /// Everything that is known of a board whose devices reach `reached`.
  private func audit(
    _ subject: borrowing Subject, devicesReach reached: Set<UInt64> = []
  ) -> Exposure? {
    subject.firstExposure { frame, _ in reached.contains(frame.rawValue) }
  }

  @Test("F-39: A board as it is built has nothing to tell")
  func sound() throws {
    let subject = try SmallBoard.make(SimulatedMachine())
    let found = audit(subject)
    #expect(found == nil)
  }

  @Test(
    "F-39: A page of EL2 that the host's stage 2 maps is found",
    arguments: [0, 1, 0x1ff] as [UInt64])
  func host(_ index: UInt64) throws {
    let machine = SimulatedMachine()
    machine.checksReplacement = false
    let subject = try SmallBoard.make(machine)
    let frame = Self.image.first.rawValue + index
    // As if a defect of the boot code had mapped it: the entry for the block, or the page, becomes valid.
    let slot = subject.host.tree.walk(to: frame, in: SimulatedMemory(machine: machine))
    let first = frame & ~(1 << PageTree.shift(slot.level) - 1)
    machine.words[slot.address.rawValue] = Stage2Descriptor.entry(
      .mapped(.memory), at: first, level: slot.level)
    let found = audit(subject)
    #expect(found?.reason == .host)
    #expect(found.map { Self.image.contains($0.frame) } == true)
  }

  @Test(
    "F-39: A page of EL2 that devices reach is found", arguments: [0, 0x123, 0x1ff] as [UInt64])
  func devices(_ index: UInt64) throws {
    let subject = try SmallBoard.make(SimulatedMachine())
    let frame = Self.image.first.rawValue + index
    let found = audit(subject, devicesReach: [frame, 0x44444])
    #expect(found?.reason == .devices)
    #expect(found?.frame == PageFrameNumber(frame))
  }

  @Test(
    "F-17: Memory of the host that is still mapped since boot is found, and gone once it is unmapped"
  )
  func leftover() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    let tree = pages(0x48000, 3)
    let address = VirtualAddress(SmallBoard.linear.rawValue + tree.first.address.rawValue)
    try subject.mapAtBoot(tree, at: address)
    let left = audit(subject)
    #expect(left?.reason == .leftover)
    #expect(left?.frame == tree.first)
    // Such a page can be no queue of the host's.
    let isRefused = !subject.shares(tree)
    #expect(isRefused)
    subject.unmapAtHypervisor(tree, at: address)
    let after = audit(subject)
    #expect(after == nil)
    let isShared = subject.shares(tree)
    #expect(isShared)
    let shared = audit(subject)
    #expect(shared == nil)
  }

  @Test("Pages are mapped as long as one of the places at which the hypervisor has one of them is")
  func mapped() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    let stack = pages(0x48000, 3)
    let both = FixedList<2, PageRange>([pages(0x47000), stack])
    let last = FixedList<2, PageRange>([pages(0x48002)])
    let places = [SmallBoard.linear.rawValue + stack.first.address.rawValue, 0x5000_0000]
    let before = subject.hypervisorMaps(anyOf: both)
    #expect(!before)
    for place in places { try subject.mapAtBoot(stack, at: VirtualAddress(place)) }
    for place in places {
      let isMapped = subject.hypervisorMaps(anyOf: last)
      #expect(isMapped)
      subject.unmapAtHypervisor(stack, at: VirtualAddress(place))
    }
    let after = subject.hypervisorMaps(anyOf: both)
    #expect(!after)
  }

  @Test(
    "F-39: Claimed registers are the hypervisor's, and those that boot has mapped may be the host's"
  )
  func registers() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    try subject.mapAtBoot(pages(0x9000), at: VirtualAddress(0x5000_0000), .device)
    let console = audit(subject)
    #expect(console == nil)
    let claim = try subject.donate(list([pages(SmallBoard.mmioPage, 2)]), expecting: .mmio)
    let claimed = audit(subject)
    #expect(claimed == nil)
    let reached = audit(subject, devicesReach: [SmallBoard.mmioPage + 1])
    #expect(reached?.reason == .devices)
    _ = claim.keepForever()
  }
}

extension Ownership
where
  Memory == SimulatedMemory, Host == Stage2Table<SimulatedCache>,
  Hypervisor == EL2Stage1Table<SimulatedCache>, Observer == RecordingObserver
{
  /// What boot code does before there are owners.
  fileprivate mutating func mapAtBoot(
    _ pages: PageRange, at address: VirtualAddress, _ attributes: EL2Attributes = .readOnlyData
  ) throws {
    try hypervisor.map(pages, at: address, attributes, pool: &pool)
  }

  /// Whether pages can be shared; they are then.
  fileprivate mutating func shares(_ pages: PageRange) -> Bool {
    let list = [pages]
    do throws(OwnershipError) {
      try share(list.span)
      return true
    } catch {
      return false
    }
  }
}
