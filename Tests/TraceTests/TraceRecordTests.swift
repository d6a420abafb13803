// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Testing
import Trace

@Suite("A record of a trace") struct TraceRecordTests {
  private static var service: TracedService {
    var service = TracedService(
      frame: 0x808_0000, typer: 0x1_2345, arena: 0x4800_0000, arenaPages: 2048, cpus: 64,
      interruptLimit: 1 << 32, commandsPerTrap: .max, bytesPerTrap: 1 << 17)
    service.isHandedOver = true
    service.stalls = true
    service.isNonCoherent = true
    service.isVirtual = true
    return service
  }

  static let events: [TraceEvent] = [
    .header(TraceHeader(frequency: 62_500_000)), .service(service),
    .table(TracedTable(index: 7, fixed: 1 << 56 | 7 << 48, fields: .max)),
    .target(0xf_ffff_ffff),
    .access(
      TracedAccess(
        offset: 0x88, width: 3, isWrite: true, value: .max, outcome: .again, duration: 99)),
    .access(
      TracedAccess(
        offset: 0xffe8, width: 2, isWrite: false, value: 0x30, outcome: .done, isForwarded: true)),
    .access(
      TracedAccess(offset: 4, width: 0, isWrite: false, value: 0, outcome: .refused(10))),
    .command(TracedCommand(8, 1, 2, 3, at: 0x4000_0fe0, .accepted)),
    .command(TracedCommand(.max, .max, .max, .max, at: .max, .refused(11))),
    .command(TracedCommand(0, 0, 0, 0, at: 0, .later)),
    .hardware(
      TracedRegister(offset: 0x90, width: 3, isWrite: false, isAborted: false, value: 0x1fe0)),
    .hardware(TracedRegister(offset: 0x88, width: 3, isWrite: true, isAborted: true, value: 32)),
    .pin(TracedPin(base: 0x4000_0000, pages: 16, isGranted: true)),
    .pin(TracedPin(base: 0x5000_0000, pages: 1, isGranted: false)), .lost(3),
    .look(TracedLook(address: 0x4000_1000, value: 1 << 63)),
    .unreadable(0x4000_0020),
  ]

  @Test("Encoded and decoded it is what it was", arguments: events)
  func roundTrip(_ event: TraceEvent) {
    let record = TraceRecord(time: 0x0123_4567_89ab_cdef, cpu: 0xffff, its: 7, event)
    #expect(TraceRecord(words: record.words) == record)
  }

  @Test(
    "Each bit that means nothing makes it none, and each other one changes it", arguments: events)
  func everyBit(_ event: TraceEvent) {
    let record = TraceRecord(time: 0, cpu: 0, its: 0, event)
    let words = record.words
    for bit in 0..<512 {
      var changed = words
      changed[bit / 64] ^= 1 << UInt64(bit % 64)
      #expect(TraceRecord(words: changed) != record)
    }
    var reserved = words
    reserved[0] |= 1 << 63
    #expect(TraceRecord(words: reserved) == nil)
  }

  @Test("The layout is that of version 2")
  func layout() {
    let record = TraceRecord(
      time: 5, cpu: 2, its: 1,
      .access(
        TracedAccess(
          offset: 0x88, width: 3, isWrite: true, value: 0x40, outcome: .refused(1), duration: 6)))
    let words = record.words
    #expect((0..<8).map { words[$0] } == [0x0003_0301_0002_0105, 5, 0x88, 0x40, 6, 0, 0, 0])
    let header = TraceRecord(time: 0, cpu: 0, its: 0, .header(TraceHeader(frequency: 7))).words
    #expect(header[2] == TraceHeader.magic && header[3] == 2 && header[4] == 7)
  }

  @Test("No record is of a kind that there isn't", arguments: [0, 12, 255] as [UInt64])
  func unknown(_ kind: UInt64) {
    var words = InlineArray<8, UInt64>(repeating: 0)
    words[0] = kind
    #expect(TraceRecord(words: words) == nil)
  }
}
