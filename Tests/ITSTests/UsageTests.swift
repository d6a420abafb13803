// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

@Suite("How much is in use") struct UsageTests {
  /// A host that has mapped collections and device 3.
  private func begin() throws -> HostDriver {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(3, events: 4)
    return driver
  }

  /// A doorbell more, with which EL2 learns what the hardware has completed.
  private func settle(_ driver: HostDriver) -> ITSUsage {
    driver.post(.sync(target: driver.target(0)))
    return driver.world.its.usage
  }

  @Test("Devices that come and go, over and over, leave nothing behind")
  func devices() throws {
    let driver = try begin()
    let before = settle(driver)
    #expect(before.devices == 1 && before.retiring == 0 && before.doorbells == 0)
    for _ in 0..<40 {
      driver.mapDevice(4, bits: 4, events: 2, interrupt: 8300)
      driver.mapDevice(5, bits: 14, events: 2, interrupt: 8400)
      let between = driver.world.its.usage
      #expect(between.devices == 3 && between.pages > before.pages)
      #expect(between.pages + between.freePages == before.pages + before.freePages)
      driver.post(.unmapd(4), .unmapd(5), .sync(target: driver.target(0)))
    }
    let after = settle(driver)
    #expect(after == before)
    #expect(driver.world.its.counters.allRefused == 0)
  }

  @Test("A collection counts once, however often it is mapped or unmapped")
  func collections() throws {
    let driver = try begin()
    let before = settle(driver)
    #expect(before.collections == UInt64(driver.world.options.processors))
    driver.post(.mapc(0, target: driver.target(1)), .mapc(0, target: driver.target(0)))
    #expect(settle(driver).collections == before.collections)
    for _ in 0..<2 { driver.post(.unmapc(1)) }
    #expect(settle(driver).collections == before.collections - 1)
    driver.post(.mapc(1, target: driver.target(1)))
    #expect(settle(driver) == before)
    driver.world.expectSound()
  }

  @Test("A table waits until the hardware has let go of it, and its pages with it")
  func retiring() throws {
    let driver = try begin()
    let before = settle(driver)
    driver.world.service().pace = .manual
    driver.stage([.unmapd(3), .sync(target: driver.target(0))])
    driver.ring()
    let waiting = driver.world.its.usage
    #expect(waiting.devices == 0 && waiting.retiring == 1 && waiting.pages == before.pages)
    driver.world.service().run()
    driver.world.service().pace = .instant
    let after = settle(driver)
    #expect(after.retiring == 0 && after.pages < before.pages)
  }

  @Test("A doorbell whose store is to run again is counted, until it has")
  func doorbells() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.queuePages = 256
    driver.start()
    driver.mapCollections()
    driver.stage(Array(repeating: .sync(target: driver.target(0)), count: 4000))
    #expect(world.write(0, 0x88, .double, driver.writeOffset) == .again)
    let during = world.its.usage.doorbells
    driver.ring()
    let after = world.its.usage.doorbells
    #expect(during == 1 && after == 0)
  }
}
