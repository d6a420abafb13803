// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import Simulation
import SimulatedHardware
import Testing

@testable import ITS

/// The host writes its queue as GITS_CBASER says, and EL2 reads it through the caches of its CPUs.
@Suite("Caches")
struct CacheTests {
  @Test(
    "F-08: A queue that is written past the caches is read as it is, command by command",
    arguments: [
      MemoryAttributes.nonCacheable, MemoryAttributes.coherent,
      // Device, cacheable and Non-shareable, Non-cacheable and Inner Shareable.
      0, 0b111 << 59, 0b001 << 59 | 0b01 << 10,
    ] as [UInt64], [true, false])
  func commands(_ attributes: UInt64, isCoherent: Bool) throws {
    var configuration = ITSConfiguration()
    configuration.isCoherent = isCoherent
    var options = ITSWorldOptions([configuration])
    options.hasCache = true
    options.keepsLoads = true
    let world = try ITSWorld(options)
    world.enableLPIs()
    let driver = HostDriver(world)
    driver.attributes = attributes
    driver.start()
    // One command a doorbell, with four times as many as the queue holds: old text is in every line.
    for round in 0..<256 as Range<UInt32> {
      driver.post(.mapc(0, target: driver.target(0)))
      driver.post(.mapd(round, table: driver.table(1), eventIDBits: 5))
      driver.post(.mapti(round, 0, interrupt: 8200 + round, collectionID: 0))
      driver.post(.sync(target: driver.target(0)))
      #expect(driver.isDone)
      #expect(world.service().message(device: round, event: 0) == nil)
      driver.post(.unmapd(round))
    }
    #expect(world.taken(by: 0) == (0..<256).map { 8200 + $0 })
    let refused = world.its.counters.refused
    for index in refused.indices { #expect(refused[index] == 0) }
    world.expectSound()
  }
}
