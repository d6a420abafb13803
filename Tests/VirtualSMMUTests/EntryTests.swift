// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import Simulation
import SimulatedHardware
import Testing
import VirtualSMMU

@Suite("Entries of the host's stream table")
struct EntryTests {
  typealias Place = HostSMMUDriver.Place

  /// An entry, and what becomes of its stream.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let word0: UInt64
    var word1 = HostSMMUDriver.attributes
    /// nil where it is permitted.
    var reason: SMMURefusalReason?
    /// What the hardware has then; nil for an entry that is not valid.
    let configuration: StreamTableEntry.Configuration?
  }

  private static let valid: UInt64 = 0b1011 | Place.context
  /// One below what stage 2 translates, and room for one context.
  private static let last: UInt64 = 1 << 40 - 64

  static let cases: [Case] = [
    Case(testDescription: "V 0", word0: valid & ~1, configuration: nil),
    Case(testDescription: "abort", word0: 0b0001, configuration: .abort),
    Case(testDescription: "Config 1", word0: 0b0011, configuration: .abort),
    Case(testDescription: "Config 2", word0: 0b0101, configuration: .abort),
    Case(testDescription: "Config 3", word0: 0b0111, configuration: .abort),
    Case(testDescription: "bypass", word0: 0b1001, configuration: .stage2),
    Case(
      testDescription: "bypass, all else set", word0: ~0b110, word1: ~0, configuration: .stage2),
    Case(testDescription: "stage 1", word0: valid, configuration: .nested),
    Case(testDescription: "stage 2", word0: 0b1101, reason: .stage2, configuration: nil),
    Case(testDescription: "nested", word0: valid | 0b100, reason: .stage2, configuration: nil),
    Case(
      testDescription: "S1CDMax as many as there are", word0: valid | 4 << 59,
      configuration: .nested),
    Case(
      testDescription: "S1CDMax too many", word0: valid | 5 << 59, reason: .contextTable,
      configuration: nil),
    Case(
      testDescription: "S1Fmt 1", word0: valid | 4 << 59 | 1 << 4, configuration: .nested),
    Case(
      testDescription: "S1Fmt 2", word0: valid | 4 << 59 | 2 << 4, configuration: .nested),
    Case(
      testDescription: "F-21: S1Fmt 3", word0: valid | 4 << 59 | 3 << 4, configuration: .nested),
    Case(
      testDescription: "S1Fmt 3 of one context", word0: valid | 3 << 4, configuration: .nested),
    Case(
      testDescription: "F-21: S1DSS 3", word0: valid | 1 << 59, word1: 1 << 44 | 3,
      configuration: .nested),
    Case(
      testDescription: "S1DSS 3 of one context", word0: valid, word1: 1 << 44 | 3,
      configuration: .nested),
    Case(
      testDescription: "F-21: EATS 1", word0: valid, word1: 1 << 28, configuration: .nested),
    Case(
      testDescription: "F-21: EATS 2", word0: valid, word1: 2 << 28, configuration: .nested),
    Case(
      testDescription: "F-21: EATS 3", word0: valid, word1: 3 << 28, configuration: .nested),
    Case(testDescription: "F-21: STRW", word0: valid, word1: 3 << 30, configuration: .nested),
    Case(
      testDescription: "the last context", word0: 0b1011 | last, configuration: .nested),
    Case(
      testDescription: "contexts across the end", word0: 0b1011 | last | 1 << 59,
      reason: .contextAddress, configuration: nil),
    Case(
      testDescription: "contexts beyond the end", word0: 0b1011 | 1 << 40,
      reason: .contextAddress, configuration: nil),
    Case(
      testDescription: "contexts at the end of all", word0: 0b1011 | 0xf_ffff_ffff_ffc0,
      reason: .contextAddress, configuration: nil),
    Case(
      testDescription: "CONT, MEV, DRE, DCP, PPAR, MPAM, FWB, MTCFG, SHCFG and the like",
      word0: valid, word1: 0xd4 | ~0xff,
      configuration: .nested),
  ]

  /// The entry that the hardware has for a stream; nil for none, or one that is not valid.
  static func hardware(_ world: NestedWorld, _ stream: UInt64) -> StreamTableEntry? {
    let base = StreamTableBase(rawValue: world.smmu.read(.double, at: 0x80) ?? 0).base
    let descriptor = StreamTableDescriptor(rawValue: world.load(base + (stream >> 6) * 8))
    guard descriptor.log2 != nil else { return nil }
    let place = descriptor.table + (stream & 63) * 64
    let words = (0..<8).map { world.load(place + $0 * 8) }
    let entry = StreamTableEntry(
      words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7])
    return entry.isValid ? entry : nil
  }

  @Test("Each is permitted or refused, and the hardware has EL2's own", arguments: cases)
  func rules(item: Case) throws {
    for isBefore in [true, false] {
      let world = try NestedWorld()
      let host = HostSMMUDriver(world)
      // Read when the SMMU is turned on, and by a command.
      if !isBefore { host.start() }
      host.setEntry(5, item.word0, item.word1, ~0, ~0, ~0, ~0, invalidates: !isBefore)
      host.setEntry(6, 0b1001, 1 << 44, invalidates: !isBefore)
      if isBefore { host.start() }
      let refused = world.mediated.counters.allRefused
      #expect(refused == (item.reason == nil ? 0 : 1))
      if let reason = item.reason {
        let count = world.mediated.counters.count(reason)
        #expect(count == 1)
        let refusal = world.mediated.takeRefusal()
        #expect(refusal?.stream == StreamID(5))
      }
      let entry = Self.hardware(world, 5)
      #expect(entry?.configuration == item.configuration)
      let pass = try #require(Self.hardware(world, 6))
      guard let entry else { continue }
      // Stage 2 is the same in all of them.
      #expect(entry.word2 == pass.word2 && entry.word3 == pass.word3)
      #expect(entry.vmid == VMID(0) && entry.hasAArch64Stage2 && entry.recordsStage2)
      #expect(
        !entry.stallsStage2 && entry.translationService == StreamTableEntry.TranslationService.none)
      let rest = entry.word4 | entry.word5 | entry.word6 | entry.word7
      #expect(rest == 0)
      if item.configuration == .nested {
        let isStalling = !entry.forbidsStalls
        #expect(!isStalling && entry.contextTable == item.word0 & 0xf_ffff_ffff_ffc0)
        // S1STALLD, SHCFG, and of the host's what says how contexts are read.
        // With substreams the reserved values of S1Fmt and S1DSS are as 0; without, each is ignored.
        let isOne = item.word0 >> 59 == 0
        let ignored: UInt64 = isOne || item.word1 & 3 == 3 ? 3 : 0
        let expected = item.word1 & 0xff & ~ignored | 1 << 27 | 1 << 44
        #expect(entry.word1 == expected)
        if isOne || item.word0 >> 4 & 3 == 3 { #expect(entry.contextFormat == 0) }
      } else {
        #expect(entry.word1 == 1 << 44)
      }
    }
  }

  @Test("F-21: without substreams S1CDMax, S1Fmt and S1DSS are ignored")
  func noSubstreams() throws {
    var configuration = NestedWorld.configuration
    configuration.substreamIDBits = 0
    let world = try NestedWorld(configuration)
    let host = HostSMMUDriver(world)
    host.start()
    host.buildStage1()
    host.setEntry(
      5, 0b1011 | Place.context | 0x1f << 59 | 3 << 4, HostSMMUDriver.attributes | 3)
    let entry = try #require(Self.hardware(world, 5))
    #expect(entry.configuration == .nested && entry.contextLog2 == 0)
    #expect(world.mediated.counters.allRefused == 0)
    #expect(world.complaints == [])
  }

  @Test(
    "A first level: a reserved Span, and one beyond SPLIT, are refused",
    arguments: [(0, 0), (1, 0), (7, 0), (8, 1), (12, 1), (31, 1)] as [(UInt64, UInt64)])
  func spans(span: UInt64, refusals: UInt64) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.put(Place.streams, Place.secondLevel | span)
    for stream: UInt64 in 0..<128 { host.put(Place.secondLevel + stream * 64, 0b1001) }
    host.start(log2: 7, split: 6)
    let refused = world.mediated.counters.count(.span)
    #expect(refused == refusals)
    for stream: UInt64 in [0, 1, 63, 64] {
      let isPassed = Self.hardware(world, stream) != nil
      let isExpected = refusals == 0 && span > 0 && stream < 1 << (span - 1) && stream < 64
      #expect(isPassed == isExpected, "stream \(stream)")
    }
    // Taken away: none of them is left.
    host.put(Place.streams, 0)
    host.send((0x04, 31), (0x46, 0))
    for stream: UInt64 in 0..<128 { #expect(Self.hardware(world, stream) == nil) }
    #expect(world.complaints == [])
  }

  @Test(
    "A range of streams is read again, and no others",
    arguments: [(0, 0, 0..<2), (5, 0, 4..<6), (5, 2, 0..<8), (200, 3, 192..<208), (7, 9, 0..<256)]
      as [(UInt64, UInt64, Range<UInt64>)])
  func ranges(stream: UInt64, range: UInt64, expected: Range<UInt64>) throws {
    let world = try NestedWorld()
    let host = HostSMMUDriver(world)
    host.start()
    for stream: UInt64 in 0..<256 { host.setEntry(stream, 0b1001, invalidates: false) }
    host.send((0x04 | stream << 32, range), (0x46, 0))
    for stream: UInt64 in 0..<256 {
      let isPassed = Self.hardware(world, stream) != nil
      #expect(isPassed == expected.contains(stream), "stream \(stream)")
    }
  }
}
