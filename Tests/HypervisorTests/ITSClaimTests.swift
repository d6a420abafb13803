// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import Simulation
import Testing
import Traps

@testable import Boards
@testable import Hypervisor

/// ITSes that answer with their number, up to one that may be silent at one register.
final class SimulatedITSes: DeviceMemory, RefusingContext, @unchecked Sendable {

  var silent: (its: Int, read: Int)?
  private var reads: [(AccessWidth, UInt64)] = []

  /// Each ITS is asked three times, in the order of the tree.
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    let (its, read) = reads.count.quotientAndRemainder(dividingBy: 3)
    reads.append((width, address.rawValue))
    if let silent, silent == (its, read) { return nil }
    return UInt64(its << 8 | read)
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool { false }
  func orderAccesses() {}

  /// How many reads there were of a width at an offset from an address.
  func count(_ width: AccessWidth, _ offset: UInt64, from address: VirtualAddress) -> Int {
    reads.filter { $0 == (width, address.rawValue + offset) }.count
  }
}

private typealias Registry = RegionRegistry<ProtectedDevice<SimulatedITSes>>

/// A board with ITSes of 128 KiB at these addresses.
private func board(_ bases: [UInt64], verdict: Verdict = .protectable) throws -> Boards.Board {
  var board = Boards.Board(granule: .kib4)
  board.verdict = verdict
  for base in bases {
    let region = try #require(AddressRange(base: PhysicalAddress(base), size: 0x20000))
    let frame = try #require(AddressRange(base: PhysicalAddress(base), size: 0x10000))
    let isAdded = board.itses.append(
      ITSDescription(
        node: .root, region: region, controlFrame: frame, translationFrame: nil, traits: .none,
        preITS: nil))
    #expect(isAdded)
  }
  return board
}

/// Two in one 2 MiB block and one in another 1 GiB block.
private let bases: [UInt64] = [0x808_0000, 0x80c_0000, 0x1_0008_0000]

/// The pages of the frames, of the doorbells behind them, and a page before each.
private let frames = bases.flatMap { base in
  (0..<34).map { (base >> 12) - 1 + $0 }
}

@Suite("Claim of the ITSes")
struct ITSClaimTests {
  private func claim(
    _ board: borrowing Boards.Board, _ subject: inout Subject, _ registry: inout Registry,
    _ registers: SimulatedITSes = SimulatedITSes()
  ) throws(ITSClaimError) -> ITSClaim.Identities {
    var frames: RegionClaim.BoardFrames = RegionClaim.noFrames()
    return try ITSClaim.claim(
      board, collecting: &frames, from: &subject, registry: &registry, device: { _ in .forwarded },
      registers: registers)
  }

  @Test("All control frames are claimed, mapped and registered; the doorbells stay the host's")
  func success() throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var registry = Registry()
    let registers = SimulatedITSes()
    let identities = try claim(board(bases), &subject, &registry, registers)
    #expect(machine.violations == [])
    #expect(registry.isFrozen && registry.count == 3 && identities.count == 3)
    for (index, base) in bases.enumerated() {
      let number = UInt64(index << 8)
      #expect(identities[index].base == PhysicalAddress(base))
      #expect(identities[index].typer == number)
      #expect(identities[index].iidr == number | 1)
      #expect(identities[index].pidr2 == number | 2)
      let region = try #require(registry[index])
      #expect(region.layout.base == PhysicalAddress(base) && region.layout.extent == 0x10000)
      #expect(region.widths == .word.union(.double) && region.kinds == .readWrite)
      #expect(registry.index(of: PhysicalAddress(base + 0xffff)) == index)
      #expect(registry.index(of: PhysicalAddress(base + 0x10000)) == nil)
      #expect(registers.count(.double, 0x8, from: region.address) == 1)
      #expect(registers.count(.word, 0x4, from: region.address) == 1)
      #expect(registers.count(.word, 0xffe8, from: region.address) == 1)
      #expect(el2Entry(subject, region.address.rawValue)?.address == PhysicalAddress(base))
      #expect(el2Entry(subject, region.address.rawValue)?.attributes == .device)
      for page in base >> 12..<(base >> 12) + 16 {
        #expect(hostEntry(subject, page).owner == .hypervisor)
      }
      for page in [(base >> 12) - 1, (base >> 12) + 16, (base >> 12) + 31] {
        #expect(hostEntry(subject, page).address == PhysicalAddress(page << 12))
      }
    }
  }

  @Test("What is told of an ITS is true of it: the entries of a QDF2400 have 16 bytes")
  func understatedEntries() throws {
    struct Frame: DeviceMemory {
      let implementer: UInt64
      func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
        address.rawValue == 0x4 ? implementer : 0x71
      }
      func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
        false
      }
      func orderAccesses() {}
    }
    for (implementer, typer) in [(0x1070, 0xf1), (0x1071, 0x71)] as [(UInt64, UInt64)] {
      let identity = ITSIdentity(
        PhysicalAddress(0), at: VirtualAddress(0), through: Frame(implementer: implementer))
      #expect(identity?.typer == typer)
      #expect(identity?.iidr == implementer)
    }
  }

  @Test("An ITS that is silent at any register gives every page back", arguments: 0..<3, 0..<3)
  func silent(its: Int, read: Int) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var registry = Registry()
    let before = snapshot(subject, frames)
    let registers = SimulatedITSes()
    registers.silent = (its, read)
    #expect(throws: ITSClaimError.silent(PhysicalAddress(bases[its]))) {
      try claim(board(bases), &subject, &registry, registers)
    }
    let after = snapshot(subject, frames)
    #expect(after.records == before.records && after.host == before.host)
    #expect(after.linear == before.linear && after.window == before.window)
    #expect(!registry.isFrozen && registry.count == 0 && machine.violations == [])
    // The tables that the claim has split blocks with stay, and serve a second attempt.
    _ = try claim(board(bases), &subject, &registry)
    var fresh = try SmallBoard.make(SimulatedMachine())
    var other = Registry()
    _ = try claim(board(bases), &fresh, &other)
    #expect(subject.freeTablePages == fresh.freeTablePages && registry.count == 3)
  }

  @Test("A refusal at the last page of any ITS changes nothing", arguments: bases)
  func refused(base: UInt64) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var registry = Registry()
    let before = snapshot(subject, frames)
    let last = frame((base >> 12) + 15)
    machine.refusedFrame = last
    #expect(throws: ITSClaimError.ownership(.refusedByObserver(last))) {
      try claim(board(bases), &subject, &registry)
    }
    let after = snapshot(subject, frames)
    #expect(after == before && !registry.isFrozen && registry.count == 0)
  }

  @Test("A pool of any smaller size changes nothing")
  func exhaustion() throws {
    var roomy = try SmallBoard.make(SimulatedMachine())
    var first = Registry()
    let free = roomy.freeTablePages
    _ = try claim(board(bases), &roomy, &first)
    let needed = free - roomy.freeTablePages
    #expect(needed > 3)
    for free in 0...needed {
      let machine = SimulatedMachine()
      var subject = try SmallBoard.make(machine, free: free)
      var registry = Registry()
      guard free < needed else {
        _ = try claim(board(bases), &subject, &registry)
        #expect(registry.count == 3 && subject.freeTablePages == 0)
        return
      }
      let before = snapshot(subject, frames)
      let words = machine.words
      #expect(throws: ITSClaimError.ownership(.poolExhausted(needed: needed, free: free))) {
        try claim(board(bases), &subject, &registry)
      }
      let after = snapshot(subject, frames)
      #expect(after == before && machine.words == words)
      #expect(!registry.isFrozen && registry.count == 0)
    }
  }

  private func region(_ base: UInt64) throws -> Region<ProtectedDevice<SimulatedITSes>> {
    Region(
      try RegionLayout(base: PhysicalAddress(base), pages: 1), mappedAt: VirtualAddress(base),
      device: nil)
  }

  @Test("A registry that refuses any of the regions gives every page back", arguments: 0..<3)
  func registered(index: Int) throws {
    let machine = SimulatedMachine()
    var subject = try SmallBoard.make(machine)
    var registry = Registry()
    try registry.register(region(0x10_0000))
    try registry.register(region(bases[index] + 0xf000))
    let before = snapshot(subject, frames)
    #expect(
      throws: ITSClaimError.registry(.overlap(PhysicalAddress(bases[index]), with: 1))
    ) {
      try claim(board(bases), &subject, &registry)
    }
    let after = snapshot(subject, frames)
    #expect(after.records == before.records && after.host == before.host)
    #expect(after.window == before.window)
    #expect(!registry.isFrozen && registry.count == 2)
  }

  @Test("Regions that were registered before stay; a full or frozen registry refuses")
  func earlierRegions() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    var registry = Registry()
    for number in 0..<UInt64(Registry.capacity - 2) { try registry.register(region(number << 12)) }
    #expect(throws: ITSClaimError.registry(.full(PhysicalAddress(bases[2])))) {
      try claim(board(bases), &subject, &registry)
    }
    #expect(registry.count == Registry.capacity - 2)
    _ = try claim(board([bases[0], bases[1]]), &subject, &registry)
    #expect(registry.isFrozen && registry.count == Registry.capacity)
    #expect(registry.index(of: PhysicalAddress(0x1234)) == 1)
    #expect(throws: ITSClaimError.registry(.frozen(PhysicalAddress(bases[2])))) {
      try claim(board([bases[2]]), &subject, &registry)
    }
    #expect(hostEntry(subject, bases[2] >> 12).owner == nil)
  }

  @Test("A refused board is not claimed; one without an ITS freezes an empty registry")
  func nothing() throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    var registry = Registry()
    #expect(throws: ITSClaimError.boardRefused) {
      try claim(board(bases, verdict: .refused), &subject, &registry)
    }
    #expect(registry.isFrozen == false)
    let identities = try claim(board([], verdict: .nothingToProtect), &subject, &registry)
    #expect(identities.isEmpty && registry.isFrozen && registry.count == 0)
  }

  @Test("A frame beyond the physical address space is not claimed", arguments: [0, 1])
  func beyond(index: Int) throws {
    var subject = try SmallBoard.make(SimulatedMachine())
    var registry = Registry()
    var list = [bases[0]]
    list.insert(1 << 52, at: index)
    #expect(throws: ITSClaimError.badFrame(PhysicalAddress(1 << 52))) {
      try claim(board(list), &subject, &registry)
    }
    #expect(hostEntry(subject, bases[0] >> 12).owner == nil && !registry.isFrozen)
  }
}
