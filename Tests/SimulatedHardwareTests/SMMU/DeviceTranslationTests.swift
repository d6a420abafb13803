// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SimulatedHardware
import Testing

@Suite("ATS at the simulated SMMU")
struct DeviceTranslationTests {
  /// EATS of STE.DW1.
  func driver(
    service: UInt64, control: UInt64 = everything | 1 << 4,
    invalidation: SMMUConfiguration.Invalidation = .immediate
  ) -> SmallSMMUDriver {
    var configuration = SMMUConfiguration()
    configuration.hasATS = true
    configuration.invalidation = invalidation
    let driver = SmallSMMUDriver(configuration)
    driver.write(0x20, control)
    driver.confine(3)
    driver.put(SMMUPlace.streams + 3 * 64 + 8, 1 << 44 | service << 28)
    return driver
  }

  let secret: UInt64 = 0x9000_0000

  @Test("With EATS full a device that says it has translated passes stage 2 by")
  func full() {
    let driver = driver(service: 1)
    driver.put(secret, 42)
    let forged = DeviceTransaction(3, secret, type: .translated)
    #expect(driver.smmu.process(forged) == .completed(42))
    #expect(driver.smmu.read(3, secret) == .aborted)
  }

  @Test("With EATS none it may not, and may not ask either")
  func none() {
    let driver = driver(service: 0)
    #expect(driver.smmu.process(DeviceTransaction(3, secret, type: .translated)) == .aborted)
    #expect(driver.smmu.process(DeviceTransaction(3, secret, type: .request)) == .aborted)
    #expect(driver.events().map(\.type) == [.translatedForbidden, .badTranslationRequest])
  }

  @Test("Without ATSCHK nobody looks at EATS")
  func unchecked() {
    let driver = driver(service: 0, control: everything)
    driver.put(secret, 42)
    let forged = DeviceTransaction(3, secret, type: .translated)
    #expect(driver.smmu.process(forged) == .completed(42))
  }

  @Test("An SMMU without ATS takes no such word")
  func absent() {
    let driver = SmallSMMUDriver()
    driver.confine(3)
    #expect(driver.smmu.process(DeviceTransaction(3, secret, type: .translated)) == .aborted)
    #expect(driver.events().map(\.type) == [.translatedForbidden])
  }

  @Test("While the SMMU is off it serves no request, and passes nothing that says it is translated")
  func off() {
    let driver = driver(service: 1, control: 0b1100)
    driver.put(secret, 42)
    #expect(driver.smmu.read(3, secret) == .completed(42))
    #expect(driver.smmu.process(DeviceTransaction(3, secret, type: .translated)) == .aborted)
    #expect(driver.smmu.process(DeviceTransaction(3, secret, type: .request)) == .aborted)
    #expect(driver.events().map(\.type) == [.translatedForbidden, .badTranslationRequest])
  }

  @Test(
    "Of errors of the configuration an event tells where REC_CFG_ATS asks for it",
    arguments: [false, true])
  func configurationErrors(isAsked: Bool) {
    let driver = driver(service: 1, control: 0b1100)
    // Without RECINVSID.
    driver.write(0x2c, isAsked ? 0b1000 : 0)
    driver.write(0x20, everything | 1 << 4)
    // An entry that is not valid, and a stream beyond the table.
    driver.setEntry(4, 0)
    for stream in [4, 0x100] as [UInt32] {
      for type in [DeviceTransaction.AddressType.translated, .request] {
        #expect(driver.smmu.process(DeviceTransaction(stream, secret, type: type)) == .aborted)
      }
    }
    // A request for a stream that is not there also asks for RECINVSID.
    #expect(driver.events().map(\.type) == (isAsked ? [.badEntry, .badEntry, .badStream] : []))
    // A walk that is aborted.
    driver.smmu.holes = [SMMUPlace.level2..<SMMUPlace.level2 + 0x1000]
    let request = DeviceTransaction(3, SMMUPlace.pages, type: .request)
    #expect(driver.smmu.process(request) == .aborted)
    #expect(driver.events().map(\.type) == (isAsked ? [.walkAbort] : []))
    #expect(driver.smmu.read(3, SMMUPlace.pages) == .aborted)
    #expect(driver.events().map(\.type) == [.walkAbort])
  }

  @Test("Which entries ATS makes illegal, and which have none")
  func entries() {
    // EATS, S2S, ATSCHK: what comes of a transaction that is to be translated, and of a request.
    let cases: [(UInt64, Bool, Bool, SMMUEventType?, SMMUEventType?)] = [
      (1, false, true, nil, nil), (1, true, true, .badEntry, nil),
      // Split-stage ATS is for nested streams.
      (2, false, true, .badEntry, nil), (2, false, false, .badEntry, nil),
      // There is no Device Permission Table.
      (3, false, true, nil, .badTranslationRequest),
    ]
    for (service, stalls, checks, event, answer) in cases {
      let driver = driver(service: service, control: everything | (checks ? 1 << 4 : 0))
      driver.confine(3, flags: stalls ? 1 << 57 : 0)
      driver.put(SMMUPlace.streams + 3 * 64 + 8, 1 << 44 | service << 28)
      let response = driver.smmu.read(3, SMMUPlace.pages)
      #expect(response == (event == nil ? .completed(0) : .aborted))
      #expect(driver.events().map(\.type) == (event.map { [$0] } ?? []))
      _ = driver.smmu.process(DeviceTransaction(3, SMMUPlace.pages, type: .request))
      #expect(driver.events().map(\.type) == (answer.map { [$0] } ?? []))
    }
  }

  @Test("A device keeps what it asked for until CMD_ATC_INV")
  func kept() {
    let driver = driver(service: 1)
    driver.put(SMMUPlace.level3 + 8, secret | 0x77f)
    let request = DeviceTransaction(3, SMMUPlace.pages + 0x1010, type: .request)
    #expect(
      driver.smmu.process(request)
        == .translation(secret + 0x10, isReadable: true, isWritable: false))
    driver.post((0x40 | 3 << 32, SMMUPlace.pages), synchronise)
    let kept = driver.smmu.keptTranslation(3, SMMUPlace.pages + 0x1018)
    #expect(kept == 0x9000_0018)
    driver.post((0x40 | 3 << 32, SMMUPlace.pages | 1), synchronise)
    #expect(driver.smmu.keptTranslation(3, SMMUPlace.pages + 0x1018) == nil)
    let nowhere = DeviceTransaction(3, SMMUPlace.pages + 0x8000, type: .request)
    #expect(
      driver.smmu.process(nowhere) == .translation(nil, isReadable: false, isWritable: false))
    #expect(driver.events().isEmpty)
  }

  @Test(
    "A CMD_ATC_INV that is not behind the CMD_SYNC of CMD_TLBI may come too early",
    arguments: [false, true])
  func order(afterSync: Bool) {
    var kept = 0
    for seed in UInt64(0)..<32 {
      let driver = driver(service: 1, invalidation: .anyOrder(seed: seed))
      let request = DeviceTransaction(3, SMMUPlace.pages, type: .request)
      _ = driver.smmu.process(request)
      driver.put(SMMUPlace.level3, 0)
      let device: (UInt64, UInt64) = (0x40 | 3 << 32, SMMUPlace.pages)
      if afterSync {
        driver.post(invalidateStage2(SMMUPlace.pages), synchronise, device, synchronise)
      } else {
        driver.post(invalidateStage2(SMMUPlace.pages), device, synchronise)
      }
      if driver.smmu.keptTranslation(3, SMMUPlace.pages) != nil { kept += 1 }
    }
    #expect(afterSync ? kept == 0 : (1..<32).contains(kept))
  }
}
