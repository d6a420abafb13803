// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Testing

@testable import SimulatedHardware

// Each log breaks one rule with its last line. Mended, it breaks none.
@Suite("Rules for tables that hardware reads")
struct TableCheckerTests {
  /// A log without sequence numbers; `n: ` in front of a line is another CPU than 0.
  static func faults(_ log: String) throws -> [TableFault] {
    var checker = TableChecker()
    for (number, line) in log.split(separator: "\n").enumerated() {
      let parts = line.split(separator: ": ", maxSplits: 1)
      let (cpu, event) = parts.count == 2 ? (parts[0], parts[1]) : ("0", line)
      checker.take(try #require(TableRecord("\(number) \(cpu) \(event)"), "\(line)"))
    }
    return checker.faults
  }

  struct Example: CustomTestStringConvertible, Sendable {
    let name: String
    let rule: TableRule
    let log: String
    /// The log as it should be.
    let mended: String

    /// - Parameters:
    ///   - missing: what should stand in front of the last line.
    init(_ name: String, _ rule: TableRule, _ log: String, missing: String) {
      self.name = name
      self.rule = rule
      self.log = log
      var lines = log.split(separator: "\n")
      let last = lines.removeLast()
      mended = (lines + [Substring(missing), last]).joined(separator: "\n")
    }

    /// - Parameters:
    ///   - right: what should stand in place of the last line.
    init(_ name: String, _ rule: TableRule, _ log: String, right: String) {
      self.name = name
      self.rule = rule
      self.log = log
      mended = (log.split(separator: "\n").dropLast() + [Substring(right)]).joined(
        separator: "\n")
    }

    var testDescription: String { name }
  }

  private static let smmu = """
    smmu 0x9050000 enable 0
    root smmu-s2 0x50000 0x1000 1 0x0 3

    """
  private static let nested = smmu + "smmu 0x9050000 combine\n"
  private static let donated = """
    store smmu-s2 3 0x40001000 0x0 1 0x52008 0x400017ff 0x400017fe
    barrier

    """
  private static let page = "store s2 3 0x40001000 0x0 1 0x42008"
  private static let block = "store s2 2 0x40000000 0x0 1 0x41000"
  private static let taken = "store el2 3 0x10040001000 0x0 1 0x62008 0x0 0x40001703"

  static let examples: [Example] = [
    // Break before make.
    Example(
      "a page is moved at once", .breakBeforeMake, "\(page) 0x400017ff 0x500017ff",
      right:
        "\(page) 0x400017ff 0x0\nbarrier\ntlbi-s2 0x40001000 1\n\(page) 0x0 0x500017ff"),
    Example(
      "a block becomes a table at once", .breakBeforeMake, "\(block) 0x400007fd 0x42003",
      right:
        "\(block) 0x400007fd 0xff00\nbarrier\ntlbi-s2 0x40000000 512\n\(block) 0xff00 0x42003"),
    Example(
      "memory becomes another type", .breakBeforeMake, "\(page) 0x400017ff 0x400017d7",
      right: "\(page) 0x400017ff 0x0\nbarrier\ntlbi-s2-all\n\(page) 0x0 0x400017d7"),
    Example(
      "made without an invalidation", .breakBeforeMake,
      "\(block) 0x400007fd 0xff00\nbarrier\n\(block) 0xff00 0x42003",
      missing: "tlbi-s2 0x40000000 512"),
    Example(
      "made with an invalidation of half of it", .breakBeforeMake,
      "\(block) 0x400007fd 0xff00\nbarrier\ntlbi-s2 0x40000000 256\n\(block) 0xff00 0x42003",
      missing: "tlbi-s2 0x40000000 512"),
    Example(
      "made with an invalidation of EL2", .breakBeforeMake,
      "\(page) 0x400017ff 0x0\nbarrier\ntlbi-el2 0x40001000 1\n\(page) 0x0 0x500017ff",
      missing: "tlbi-s2 0x40001000 1"),
    Example(
      "invalidated before it is published", .breakBeforeMake,
      "\(page) 0x400017ff 0x0\ntlbi-s2 0x40001000 1\n\(page) 0x0 0x500017ff",
      missing: "barrier\ntlbi-s2 0x40001000 1"),
    Example(
      "EL2's page is moved at once", .breakBeforeMake,
      "store el2 3 0x200000 0x0 1 0x62000 0x40001703 0x40002703",
      right:
        "store el2 3 0x200000 0x0 1 0x62000 0x40001703 0x0\nbarrier\ntlbi-el2 0x200000 1\n"
        + "store el2 3 0x200000 0x0 1 0x62000 0x0 0x40002703"),
    Example(
      "an SMMU bears no change of size", .breakBeforeMake,
      smmu + "store smmu-s2 2 0x40000000 0x0 1 0x51000 0x400007fd 0x52003",
      missing: "smmu 0x9050000 enable 2"),
    Example(
      "an SMMU has not confirmed", .breakBeforeMake,
      smmu + donated
        + "smmu 0x9050000 tlbi-s2 3 0x40001000 0x40001fff\n"
        + "store smmu-s2 3 0x40001000 0x0 1 0x52008 0x400017fe 0x500017ff",
      missing: "smmu 0x9050000 sync"),
    Example(
      "an SMMU was asked for another VMID", .breakBeforeMake,
      smmu + donated + "smmu 0x9050000 tlbi-s12 4\nsmmu 0x9050000 sync\n"
        + "store smmu-s2 3 0x40001000 0x0 1 0x52008 0x400017fe 0x500017ff",
      missing: "smmu 0x9050000 tlbi-s12 3\nsmmu 0x9050000 sync"),
    Example(
      "one of two SMMUs has not confirmed", .breakBeforeMake,
      "smmu 0x9070000 enable 0\n" + smmu + donated
        + "smmu 0x9050000 tlbi-s12 3\nsmmu 0x9050000 sync\n"
        + "store smmu-s2 3 0x40001000 0x0 1 0x52008 0x400017fe 0x500017ff",
      missing: "smmu 0x9070000 tlbi-s12 3\nsmmu 0x9070000 sync"),
    Example(
      "an entry of a stream changes while it is valid", .breakBeforeMake,
      smmu + "store ste 2 0x8 0x9050000 1 0x70210 0x1 0x2",
      right: "store ste 2 0x8 0x9050000 0 0x70210 0x1 0x2"),
    Example(
      "an entry of a stream is made before the SMMU has forgotten it", .breakBeforeMake,
      smmu + "store ste 2 0x8 0x9050000 0 0x70210 0x1 0x2\nbarrier\n"
        + "store ste 0 0x8 0x9050000 0 0x70200 0x0 0xd",
      missing: "smmu 0x9050000 cfgi 0x8 0x8 1\nsmmu 0x9050000 sync"),
    // Reuse.
    Example(
      "EL2 writes a page before the host's TLBs have forgotten it", .invalidateBeforeReuse,
      "\(page) 0x400017ff 0x0\nbarrier\nstore memory 0x40001000 0x5 0x0",
      missing: "tlbi-s2 0x40001000 1"),
    Example(
      "EL2 maps a page before the host's TLBs have forgotten it", .invalidateBeforeReuse,
      "\(page) 0x400017ff 0x0\nbarrier\n\(taken)", missing: "tlbi-s2 0x40001000 1"),
    Example(
      "the host gets a page before EL2 has forgotten it", .invalidateBeforeReuse,
      "store el2 3 0x10040001000 0x0 1 0x62008 0x40001703 0x0\nbarrier\n\(page) 0x0 0x400017ff",
      missing: "tlbi-el2 0x10040001000 1"),
    Example(
      "EL2 maps a page of a block that the host's TLBs have", .invalidateBeforeReuse,
      "\(block) 0x400007fd 0x0\nbarrier\n\(taken)", missing: "tlbi-s2 0x40000000 512"),
    Example(
      "EL2 maps a page that an SMMU has not confirmed", .invalidateBeforeReuse,
      smmu + donated + "smmu 0x9050000 tlbi-s2 3 0x40001000 0x40001fff\n\(taken)",
      missing: "smmu 0x9050000 sync"),
    Example(
      "an SMMU still has what is combined with a stage 1", .invalidateBeforeReuse,
      nested + donated
        + "smmu 0x9050000 tlbi-s2 3 0x40001000 0x40001fff\nsmmu 0x9050000 sync\n\(taken)",
      missing: "smmu 0x9050000 tlbi-s1 3\nsmmu 0x9050000 sync"),
    Example(
      "what is combined is forgotten in any order with its stage 2", .invalidateBeforeReuse,
      nested + donated + "smmu 0x9050000 tlbi-s2 3 0x40001000 0x40001fff\n"
        + "smmu 0x9050000 tlbi-s1 3\nsmmu 0x9050000 sync\n\(taken)",
      missing: "smmu 0x9050000 tlbi-s1 3\nsmmu 0x9050000 sync"),
    Example(
      "a table is used again while a walk may be in it", .invalidateBeforeReuse,
      "store el2 2 0x200000 0x0 1 0x61008 0x62003 0x0\nbarrier\nstore memory 0x62000 0x0 0x77000",
      missing: "tlbi-el2 0x200000 1"),
    Example(
      "a table is linked again while a walk may be in it", .invalidateBeforeReuse,
      "store el2 2 0x200000 0x0 1 0x61008 0x62003 0x0\nbarrier\n"
        + "store s2 2 0x40000000 0x0 1 0x41000 0x0 0x62003",
      missing: "tlbi-el2 0x200000 1"),
    Example(
      "a table of streams is used again before its SMMU has forgotten it", .invalidateBeforeReuse,
      smmu + "store strtab1 0 0x40 0x9050000 1 0x70008 0x71007 0x0\nbarrier\n"
        + "smmu 0x9050000 cfgi 0x0 0xffffffff 0\nstore memory 0x71040 0x9 0x0",
      missing: "smmu 0x9050000 sync"),
    Example(
      "an ITT is used again before the SYNC", .invalidateBeforeReuse,
      "its 0x8080000 mapc 0x0\nits 0x8080000 mapc 0x1\nits 0x8080000 mapd 5 0x90000 0x100\n"
        + "its 0x8080000 unmapd 5\nits 0x8080000 sync 0x0\nstore memory 0x90000 0x9 0x0",
      missing: "its 0x8080000 sync 0x1"),
    Example(
      "an ITT is written while a device has it", .invalidateBeforeReuse,
      "its 0x8080000 mapd 5 0x90000 0x100\nstore memory 0x90008 0x9 0x0",
      missing: "its 0x8080000 unmapd 5"),
    Example(
      "a table that the ITS has is written", .invalidateBeforeReuse,
      "store its-table 0 0x0 0x8080000 1 0x92000 0x9 0x0",
      right: "store memory 0x92000 0x9 0x0"),
    // Locks.
    Example(
      "a store without the lock", .storeUnderLock, "run\n\(page) 0x0 0x400017ff",
      missing: "take ownership"),
    Example(
      "a store with another lock", .storeUnderLock, "run\ntake its\n\(page) 0x0 0x400017ff",
      missing: "take ownership"),
    Example(
      "a store with the lock of another CPU", .storeUnderLock,
      "run\n1: take ownership\n\(page) 0x0 0x400017ff",
      missing: "1: release ownership\ntake ownership"),
    Example(
      "a store behind the lock", .storeUnderLock,
      "run\ntake its\nrelease its\nstore its-queue 0 0x0 0x8080000 1 0x93000 0x0 0x8",
      missing: "take its"),
    // Publication.
    Example(
      "a table is linked before it is published", .publishBeforeUse,
      "store memory 0x42008 0x0 0x400017ff\n\(block) 0x0 0x42003", missing: "barrier"),
    Example(
      "a table of streams is linked before it is published", .publishBeforeUse,
      smmu + "store memory 0x71000 0x0 0xd\nstore strtab1 0 0x40 0x9050000 1 0x70008 0x0 0x71007",
      missing: "barrier"),
    Example(
      "an entry of a stream is valid before the rest of it is published", .publishBeforeUse,
      smmu + "store memory 0x70ff8 0x0 0x1\nstore ste 0 0x8 0x9050000 0 0x70200 0x0 0xd",
      missing: "barrier"),
    Example(
      "an SMMU is told of a command that is not published", .publishBeforeUse,
      smmu + "store smmu-queue 0 0x0 0x9050000 1 0x73000 0x0 0x46\nsmmu 0x9050000 tell",
      missing: "barrier"),
    Example(
      "an ITS is told of a command that is not published", .publishBeforeUse,
      "store its-queue 0 0x0 0x8080000 1 0x93000 0x0 0x8\nits 0x8080000 tell",
      missing: "barrier"),
    Example(
      "the barrier is another CPU's", .publishBeforeUse,
      "store its-queue 0 0x0 0x8080000 1 0x93000 0x0 0x8\n1: barrier\nits 0x8080000 tell",
      missing: "barrier"),
    Example(
      "an ITS that looks into no cache is told with a barrier alone", .publishBeforeUse,
      "uncached\nstore its-queue 0 0x0 0x8080000 1 0x93000 0x0 0x8\nbarrier\nits 0x8080000 tell",
      missing: "clean 0x93000 0x20"),
    Example(
      "a second-level page is linked before it is published", .publishBeforeUse,
      "store memory 0xa0000 0x9 0x0\n"
        + "store its-l1 0 0x1 0x8080000 1 0x91008 0x0 0x80000000000a0000", missing: "barrier"),
    Example(
      "an ITT is mapped before it is published", .publishBeforeUse,
      "store memory 0x90000 0x9 0x0\nits 0x8080000 mapd 5 0x90000 0x100", missing: "barrier"),
    // The end of a trap.
    Example(
      "a trap ends with a store that is not published", .doneAtExit,
      "enter\n\(page) 0x0 0x400017ff\nleave", missing: "barrier"),
    Example(
      "a trap ends without an invalidation", .doneAtExit,
      "enter\n\(page) 0x400017ff 0x0\nbarrier\nleave", missing: "tlbi-s2 0x40001000 1"),
    Example(
      "a trap ends with a lock", .locksAtExit, "enter\ntake its\nleave",
      missing: "release its"),
    Example(
      "the start-up ends with a lock", .locksAtExit, "take ownership\nrun",
      missing: "release ownership"),
  ]

  @Test("A log that breaks a rule is told by its name and the event", arguments: examples)
  func breaks(example: Example) throws {
    let found = try Self.faults(example.log)
    try #require(found.count == 1, "\(found)")
    #expect(found[0].rule == example.rule)
    let lines = example.log.split(separator: "\n")
    let last = try #require(lines.last)
    #expect(found[0].record.sequence == UInt64(lines.count - 1))
    #expect(found[0].description.hasSuffix(last), "\(found[0])")
    #expect(found[0].description.hasPrefix(example.rule.rawValue))
  }

  @Test("The same log as it should be breaks none", arguments: examples)
  func keeps(example: Example) throws { #expect(try Self.faults(example.mended) == []) }

  @Test("What is restored as it was needs no invalidation")
  func restored() throws {
    let log =
      Self.smmu + Self.donated
      + "store smmu-s2 3 0x40001000 0x0 1 0x52008 0x400017fe 0x400017ff\n\(Self.taken)"
    #expect(try Self.faults(log) == [])
  }

  @Test("An SMMU that is off confirms nothing, and keeps nothing")
  func off() throws {
    #expect(
      try Self.faults(Self.smmu + Self.donated + "smmu 0x9050000 disable\n\(Self.taken)") == [])
  }
}
