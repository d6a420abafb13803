// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import Hypervisor

@Suite("Calls that the hypervisor answers")
struct HypervisorServiceTests {
  private let facts: HypervisorService.Facts
  private let memory: WordMemory

  init() throws {
    memory = try WordMemory(words: 64)
    facts = HypervisorService.Facts(
      imageBase: 0x4000, imageSize: 0x200, regions: 2,
      memory: try #require(AddressRange(base: PhysicalAddress(0x8000), size: 0x3000)))
  }

  private func ask(_ selector: UInt64, _ index: UInt64 = 0) -> SMCCC.Result {
    var identities = ITSClaim.noIdentities
    for number in 1...2 as ClosedRange<UInt64> {
      _ = identities.append(
        ITSIdentity(
          base: PhysicalAddress(number << 16), address: VirtualAddress(0), typer: number,
          iidr: number + 10,
          pidr2: number + 20))
    }
    return HypervisorService.answer(
      SMCCC.Call(HypervisorService.function, selector, index), facts: facts, itses: identities,
      canary: Canary(range: memory.range), memory: memory)
  }

  @Test("The interface tells its version, the image and the count of regions")
  func about() {
    let result = ask(0)
    #expect([result.x0, result.x1, result.x2, result.x3, result.x4] == [0, 1, 0x4000, 0x200, 2])
  }

  @Test("It tells what memory there is beside the image")
  func further() {
    let result = ask(2)
    #expect([result.x0, result.x1, result.x2] == [0, 0x8000, 0x3000])
  }

  @Test("It tells the identity of each ITS", arguments: [0, 1] as [UInt64])
  func identity(index: UInt64) {
    let result = ask(1, index)
    let number = index + 1
    #expect(
      [result.x0, result.x1, result.x2, result.x3, result.x4]
        == [0, number, number + 10, number + 20, number << 16])
  }

  @Test(
    "Anything else is not supported",
    arguments: [(1, 2), (1, 8), (1, .max), (1, 1 << 63), (3, 0), (0xff, 0), (0x102, 0), (.max, 0)]
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
