// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import SimulatedHardware
import Testing

@testable import ITS

/// Memory that the host names and that answers EL2 with an external abort.
@Suite("Memory of the host that does not answer") struct SilentMemoryTests {
  @Test(
    "F-12: A queue that does not answer stalls, and goes on at the same command by Retry",
    arguments: [0, 1, 3] as [UInt64])
  func queue(_ position: UInt64) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.stage([
      .mapc(0, target: driver.target(0)), .mapd(1, table: driver.table(1), eventIDBits: 5),
      .mapti(1, 0, interrupt: 8200, collectionID: 0), .sync(target: driver.target(0)),
    ])
    world.gic.memory.silence(driver.queue + position * 32, size: 32)
    driver.ring()
    #expect(driver.readPointer.isStalled)
    #expect(driver.readPointer.offset == position * 32)
    #expect(world.its.counters.accepted == position)
    world.expectSound()

    world.gic.memory.answerAgain()
    driver.ring(isRetry: true)
    #expect(driver.isDone)
    #expect(world.its.counters.accepted == 4)
    world.expectSound()
  }

  @Test("F-12: An abort within a command leaves nothing of it", arguments: 0..<4 as Range<UInt64>)
  func word(_ word: UInt64) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.stage([.mapd(1, table: driver.table(1), eventIDBits: 5)])
    world.gic.memory.silence(driver.queue + word * 8, size: 8)
    driver.ring()
    #expect(driver.readPointer.isStalled)
    #expect(world.its.counters.accepted == 0)
    #expect(world.its.devices.count == 0)
    world.expectSound()
  }

  @Test(
    "F-12: A handover is refused where a page that it names does not answer",
    arguments: Named.allCases)
  func handover(_ named: Named) throws {
    let host = try HandoverHost.live(Variant(isIndirect: true))
    let (silent, told) = named.place(host)
    host.world.gic.memory.silence(silent, size: 8)
    host.expectRefusal(.unreadable(PhysicalAddress(told)))
    host.world.gic.memory.answerAgain()
    try host.handOver()
    host.expectWorking()
  }

  /// What a handover names.
  enum Named: CaseIterable, Sendable {
    case header, devices, queue, firstLevel, firstLevelEntry, secondLevel, translationTable

    /// The word that does not answer, and the address that the refusal speaks of.
    func place(_ host: HandoverHost) -> (silent: UInt64, told: UInt64) {
      let driver = host.driver
      func own(_ word: UInt64) -> (UInt64, UInt64) { (word, word) }
      switch self {
      case .header: return (host.descriptorPlace + 8, host.descriptorPlace)
      case .devices: return (host.descriptorPlace + 24 * 8, host.descriptorPlace)
      case .queue: return own(driver.queue)
      case .firstLevel: return own(driver.devices)
      case .firstLevelEntry: return own(driver.devices + 8)
      case .secondLevel: return own(driver.secondLevel)
      case .translationTable: return own(driver.table(1))
      }
    }
  }
}
