// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Foundation
import Inspection
import Testing
import Trace

/// A small trace.
enum SmallTrace {
  static let records = [
    TraceRecord(time: 1000, cpu: 0, its: 0, .header(TraceHeader(frequency: 62_500_000))),
    TraceRecord(
      time: 1125, cpu: 1, its: 0,
      .command(
        TracedCommand(0x5_0000_0008, 4, 1 << 63 | 0x4000_1000, 0, at: 0x4000_0000, .accepted))),
    TraceRecord(
      time: 1130, cpu: 1, its: 0,
      .command(TracedCommand(0x99, 0, 0, 0, at: 0x4000_0020, .refused(0)))),
    TraceRecord(
      time: 1140, cpu: 1, its: 0,
      .hardware(
        TracedRegister(offset: 0x88, width: 3, isWrite: true, isAborted: false, value: 0x20))),
    TraceRecord(
      time: 1100, cpu: 1, its: 0,
      .access(
        TracedAccess(
          offset: 0x88, width: 2, isWrite: true, value: 0x40, outcome: .again, duration: 50))),
    TraceRecord(
      time: 1200, cpu: 0, its: 3,
      .access(
        TracedAccess(offset: 0x105, width: 0, isWrite: false, value: 0, outcome: .refused(1)))),
    TraceRecord(time: 1300, cpu: 0, its: 0, .lost(7)),
  ]

  static func bytes(_ records: [TraceRecord] = records) -> [UInt8] {
    records.flatMap { record in
      let words = record.words
      return (0..<8).flatMap { word in
        (0..<8).map { UInt8(truncatingIfNeeded: words[word] >> UInt64($0 * 8)) }
      }
    }
  }

  static func line(_ record: TraceRecord) -> String {
    let words = record.words
    return "portcullis: trace "
      + (0..<8).map { index in
        let digits = String(words[index], radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
      }.joined()
  }

  static var console: String {
    "Portcullis at EL2\r\nTAP version 14\nok 1 - x\n"
      + records.map { "[ 12.5] " + line($0) }.joined(separator: "\r\nok 2 - y\r\n") + "\n1..2\n"
  }
}

@Suite("A trace that was kept") struct TraceFileTests {
  @Test("Its bytes are read, and what a console printed")
  func read() throws {
    #expect(try TraceFile(SmallTrace.bytes()).records == SmallTrace.records)
    #expect(try TraceFile(Array(SmallTrace.console.utf8)).records == SmallTrace.records)
  }

  @Test("What is no trace is told")
  func failures() {
    func expect(_ bytes: [UInt8], _ failure: TraceFile.Failure) {
      #expect(throws: failure) { try TraceFile(bytes) }
    }
    expect([], .noTrace)
    expect(Array("portcullis: tracing\n".utf8), .noTrace)
    expect(Array(SmallTrace.bytes().dropLast()), .truncated)
    expect(SmallTrace.bytes() + [0], .truncated)
    expect(Array("a\nportcullis: trace 12\n".utf8), .line(2))
    let line = SmallTrace.line(SmallTrace.records[0])
    expect(Array((line.dropLast() + "g").utf8), .line(1))
    expect(Array((line.dropLast() + "A").utf8), .line(1))
    expect(Array((line + "0").utf8), .line(1))
    var damaged = SmallTrace.bytes()
    damaged[64] = 0xff
    expect(damaged, .record(1))
    expect(SmallTrace.bytes(SmallTrace.records + SmallTrace.records), .header(7))
    let headless = SmallTrace.records.dropFirst().map(SmallTrace.line).joined(separator: "\n")
    expect(Array(headless.utf8), .header(0))
    let other = TraceRecord(
      time: 0, cpu: 0, its: 0, .header(TraceHeader(version: 3, frequency: 1)))
    expect(SmallTrace.bytes([other]), .version(3))
  }

  @Test("The table has a line for each record")
  func table() throws {
    let lines = try TraceFile(SmallTrace.bytes()).table.split(separator: "\n").map(String.init)
    #expect(lines.count == SmallTrace.records.count + 1)
    #expect(
      lines[2]
        == "         2.000   1   0 command  MAPD device 0x5 bits 5 table 0x40001000: accepted")
    #expect(lines[3].hasSuffix("command  0x99 0x99 0x0 0x0 0x0: refused: reserved command"))
    #expect(lines[4].hasSuffix("hardware write GITS_CWRITER 0x20: done"))
    #expect(lines[5].hasSuffix("write    GITS_CWRITER 32 bits 0x40: again in 0.800"))
    #expect(lines[6].hasSuffix("read     0x105 8 bits 0x0: refused: width not permitted in 0.000"))
    #expect(lines[7].hasSuffix("lost     7 records"))
  }

  private func object(_ bytes: [UInt8]) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
  }

  @Test("The JSON has every record but the header, which it has of its own")
  func json() throws {
    let text = try object(TraceFile(SmallTrace.bytes()).json)
    #expect(Set(text.keys) == ["schema", "version", "frequency", "records"])
    #expect(text["frequency"] as? Int == 62_500_000)
    let records = try #require(text["records"] as? [[String: Any]])
    #expect(records.count == SmallTrace.records.count - 1)
    for record in records {
      #expect(
        Set(record.keys) == [
          "time", "cpu", "its", "kind", "text", "outcome", "duration", "words",
        ])
    }
    #expect(records[3]["outcome"] as? String == "again")
    #expect(records[3]["duration"] as? Int == 50)
    #expect((records[0]["words"] as? [String])?[0] == "0x500000008")
  }

  @Test("The timeline has traps on the tracks of CPUs, and the rest on those of ITSes")
  func timeline() throws {
    let text = try object(TraceFile(SmallTrace.bytes()).traceEvents)
    let events = try #require(text["traceEvents"] as? [[String: Any]])
    let traps = events.filter { $0["ph"] as? String == "X" }
    #expect(traps.count == 2)
    #expect(traps[0]["name"] as? String == "write GITS_CWRITER")
    #expect(traps[0]["ts"] as? Double == 1.6 && traps[0]["dur"] as? Double == 0.8)
    #expect(traps[0]["pid"] as? Int == 0 && traps[0]["tid"] as? Int == 1)
    let instants = events.filter { $0["ph"] as? String == "i" }
    #expect(
      instants.compactMap { $0["name"] as? String } == [
        "MAPD", "0x99", "write GITS_CWRITER", "lost",
      ])
    #expect(instants.allSatisfy { $0["pid"] as? Int == 1 && $0["s"] as? String == "t" })
    let names = events.filter { $0["name"] as? String == "thread_name" }
      .compactMap { ($0["args"] as? [String: Any])?["name"] as? String }
    #expect(names == ["CPU 0", "CPU 1", "ITS 0", "ITS 3"])
  }

  @Test("A clock of no frequency does no harm")
  func noFrequency() throws {
    var records = SmallTrace.records
    records[0].event = .header(TraceHeader(frequency: 0))
    records[4].time = .max
    #expect(try TraceFile(SmallTrace.bytes(records)).table.contains("18446744073709550.615"))
    records[0].event = .header(TraceHeader(frequency: 1))
    #expect(try !TraceFile(SmallTrace.bytes(records)).table.isEmpty)
  }
}

@Suite("The program and traces") struct TraceProgramTests {
  private let data = Data(SmallTrace.bytes())

  @Test(
    "Wrong usage is told on standard error and ends with 64",
    arguments: [
      (["trace"], "no file"), (["replay"], "no file"),
      (["trace", "a", "b"], "trace takes one file"),
      (["replay", "a", "b"], "replay takes one file"),
      (["trace", "--json", "--perfetto", "a"], "either --json or --perfetto"),
      (["inspect", "--perfetto", "a"], "option '--perfetto' is none of inspect's"),
      (["replay", "--perfetto", "a"], "option '--perfetto' is none of replay's"),
      (["replay", "--json", "a"], "option '--json' is none of replay's"),
      (["trace", "--page-size=4k", "a"], "option '--page-size' is none of trace's"),
    ])
  func misuse(_ arguments: [String], _ reason: String) throws {
    let result = try #require(Fixtures.run(Fixtures.program, arguments))
    #expect(result.status == 64)
    #expect(result.output.isEmpty)
    #expect(result.errorLines.first == "portcullis: \(reason)")
  }

  @Test(
    "A trace is printed from standard input in each form", arguments: ["", "--json", "--perfetto"])
  func forms(_ option: String) throws {
    let result = try #require(
      Fixtures.run(
        Fixtures.program, ["trace", "-"] + (option.isEmpty ? [] : [option]), input: data))
    #expect(result.status == 0)
    #expect(result.errors.isEmpty)
    #expect(result.text.hasPrefix(option.isEmpty ? "MICROSECONDS" : "{"))
    #expect(result.text.hasSuffix("\n"))
  }

  @Test(
    "A file that is no trace ends with 65, one that can't be opened with 66",
    arguments: ["trace", "replay"])
  func failures(_ command: String) throws {
    let other = try #require(
      Fixtures.run(Fixtures.program, [command, "-"], input: Data("hello\n".utf8)))
    #expect(other.status == 65)
    #expect(other.errors == "portcullis: -: no record of a trace\n")
    let missing = try #require(Fixtures.run(Fixtures.program, [command, "/nonexistent\u{1b}"]))
    #expect(missing.status == 66)
    #expect(missing.errors == "portcullis: /nonexistent\\x1b: No such file or directory\n")
    #expect(missing.output.isEmpty)
  }

  @Test("What can't be run again ends with 65, what runs differently with 1, the same with 0")
  func replay() throws {
    let none = try #require(Fixtures.run(Fixtures.program, ["replay", "-"], input: data))
    #expect(none.status == 65)
    #expect(none.errors == "portcullis: -: no ITS that was mediated from boot\n")
    let url = Fixtures.root.appending(path: "Tests/ReplayTests/Traces/attacks.trace")
    let same = try #require(Fixtures.portcullis("replay", url.path))
    #expect(same.status == 0 && same.errors.isEmpty)
    #expect(same.text.hasSuffix(": 0 differences\n"))
    var bytes = try Fixtures.contents(of: url)
    // The verdict of the first command.
    let place = try #require(
      stride(from: bytes.startIndex, to: bytes.endIndex, by: 64).first { bytes[$0] == 6 })
    bytes[place + 6] = 5
    let other = try #require(Fixtures.run(Fixtures.program, ["replay", "-"], input: bytes))
    #expect(other.status == 1)
    #expect(other.text.contains("different at record \(place / 64)\n  recorded: command"))
    #expect(other.text.contains("\n  replayed: command"))
  }
}
