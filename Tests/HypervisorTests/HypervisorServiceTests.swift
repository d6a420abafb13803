// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Hypervisor

@Suite("Calls that the hypervisor answers")
struct HypervisorServiceTests {
  private let memory: WordMemory

  init() throws { memory = try WordMemory(words: 64) }

  private func ask(_ selector: UInt64, _ argument: UInt64 = 0) -> SMCCC.Result {
    HypervisorService.answerForTests(
      SMCCC.Call(HypervisorService.function, selector, argument),
      canary: Canary(range: memory.range), memory: memory)
  }

  private func facts(isKnown: Bool) -> HypervisorService.Facts {
    HypervisorService.Facts(
      image: isKnown ? AddressRange(base: PhysicalAddress(0x4000), size: 0x200) : nil, regions: 2,
      memory: isKnown ? AddressRange(base: PhysicalAddress(0x8000), size: 0x3000) : nil)
  }

  @Test(
    "The interface tells its version, the image and the count of regions", arguments: [true, false])
  func about(isKnown: Bool) {
    let result = HypervisorService.answerAbout(facts(isKnown: isKnown))
    let image: [UInt64] = isKnown ? [0x4000, 0x200] : [0, 0]
    #expect([result.x2, result.x3] == image)
    #expect([result.x0, result.x1, result.x4] == [0, 1, 2])
  }

  @Test("It tells what memory there is beside the image", arguments: [true, false])
  func further(isKnown: Bool) {
    let result = HypervisorService.answerMemory(facts(isKnown: isKnown))
    #expect([result.x0, result.x1, result.x2] == (isKnown ? [0, 0x8000, 0x3000] : [0, 0, 0]))
  }

  @Test("It tells the identity of an ITS, and of none that it is not supported")
  func identity() {
    let identity = ITSIdentity(
      base: PhysicalAddress(0x10000), address: VirtualAddress(0), typer: 1, iidr: 11, pidr2: 21)
    let result = HypervisorService.answer(identity)
    #expect([result.x0, result.x1, result.x2, result.x3, result.x4] == [0, 1, 11, 21, 0x10000])
    #expect(HypervisorService.answer(nil) == SMCCC.Result(SMCCC.notSupported))
  }

  @Test(
    "Anything else is not supported",
    arguments: [(3, 0), (0xff, 0), (0x102, 0), (.max, 0)]
      as [(UInt64, UInt64)])
  func unknown(selector: UInt64, index: UInt64) {
    #expect(ask(selector, index) == SMCCC.Result(SMCCC.notSupported))
  }

  @Test("A record of the trace is told in two halves", arguments: [0, 1] as [UInt64])
  func trace(_ half: UInt64) {
    let result = HypervisorService.answerTrace(half, [1, 2, 3, 4, 5, 6, 7, 8])
    let first = half * 4 + 1
    #expect(
      [result.x0, result.x1, result.x2, result.x3, result.x4]
        == [0, first, first + 1, first + 2, first + 3])
    #expect(HypervisorService.answerTrace(half, nil) == SMCCC.Result(1))
    #expect(HypervisorService.answerTrace(half + 2, nil) == SMCCC.Result(UInt64(bitPattern: -3)))
  }

  @Test("It tells where the canary is")
  func canaryPlace() {
    let result = ask(0x100)
    #expect([result.x0, result.x1, result.x2] == [0, memory.range.base.rawValue, 512])
  }

  @Test("It tells how much of the canary was overwritten, once")
  func canaryCheck() {
    Canary(range: memory.range).fill(memory)
    #expect([ask(0x101).x1, ask(0x101).x2] == [0, 0])
    memory.words[7] ^= 1
    memory.words[9] = 0
    let result = ask(0x101)
    #expect([result.x0, result.x1, result.x2] == [0, 2, memory.range.base.rawValue + 56])
    #expect([ask(0x101).x1, ask(0x101).x2] == [0, 0])
  }
}
