// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import ITSWorld
import SimulatedITS
import Testing

@testable import ITS

@Suite("An honest host") struct HonestTests {
  @Test("An interrupt arrives")
  func interrupt() throws {
    let world = try World()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(3, events: 2)
    #expect(driver.isDone)
    driver.post(.event(.int, 3, 1), .sync(target: 0))
    #expect(world.taken(by: 0) == [8201])
    #expect(world.checkInvariant() == nil)
  }
}
