// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership
import SMMU
import SMMUDriver
import Simulation
import SimulatedHardware
import Testing

/// Where a device is to reach, and what makes it worth reaching.
struct DMATarget: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let page: UInt64
  /// What EL2 claims before the attack, so that the page is not the host's.
  let claimed: PageRange?
  let kind: PageKind

  init(_ name: String, _ page: UInt64, claimed: PageRange? = nil, _ kind: PageKind = .memory) {
    testDescription = name
    self.page = page
    self.claimed = claimed
    self.kind = kind
  }

  static let all: [Self] = [
    Self("EL2's memory", SMMULayout.canary.first.rawValue),
    Self("the tables that the SMMUs walk", SMMULayout.hypervisor.first.rawValue),
    Self("a stream table", 0x40f04),
    Self("a claimed page", 0x40333, claimed: pages(0x40333)),
    Self("a page of a claimed block", 0x405ff, claimed: pages(0x40400, 0x200)),
    Self("the ITS's registers", 0x8080, claimed: SMMULayout.controlFrame, .mmio),
    Self("an SMMU's registers", SMMULayout.frame(0) >> 12),
  ]
}

@Suite("Attacks by DMA, without and with the mirror")
struct AttackTests {
  /// What a device comes to that reads and writes, and what is there afterwards.
  static func attack(
    _ target: DMATarget, isMirrored: Bool, isClaimedFirst: Bool
  ) throws -> (read: UInt64?, writes: Bool, isIntact: Bool) {
    let world = try SMMUWorld(LifeTests.options(2))
    if isClaimedFirst, let claimed = target.claimed { try world.donate([claimed], target.kind) }
    if isMirrored { try world.start() }
    // The device has been there before, so that an SMMU may have kept it.
    _ = world.read(target.page, unit: 1)
    if !isClaimedFirst, let claimed = target.claimed { try world.donate([claimed], target.kind) }
    let offset = target.page << 12 | 0x7f8
    let secret: UInt64 = 0x5ec_4e70
    world.memory.store(.double, secret, at: offset)
    world.memory.clean(offset, size: 8)
    var read: UInt64?
    if case .completed(let value) = world.units[1].read(8, offset) { read = value }
    let writes = world.units[1].write(8, offset, 0xbad) == .completed(0)
    let left = world.memory.load(.double, at: offset)
    return (read, writes, left == secret)
  }

  @Test("Without the mirror a device reads and writes it", arguments: DMATarget.all)
  func control(target: DMATarget) throws {
    for isClaimedFirst in [true, false] {
      let result = try Self.attack(target, isMirrored: false, isClaimedFirst: isClaimedFirst)
      #expect(result.read == 0x5ec_4e70 && result.writes && !result.isIntact)
    }
  }

  @Test("With it, it neither reads nor writes, in both orders", arguments: DMATarget.all)
  func mirrored(target: DMATarget) throws {
    for isClaimedFirst in [true, false] {
      let result = try Self.attack(target, isMirrored: true, isClaimedFirst: isClaimedFirst)
      #expect(result.read == nil && !result.writes && result.isIntact)
    }
  }
}
