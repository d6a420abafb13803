// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import ITS

/// How often each command was accepted, and refused for each reason.
package struct CommandTally {
  private var accepted = [UInt64](repeating: 0, count: 256)
  private var refused = [UInt64](repeating: 0, count: 256 * CommandRefusalReason.count)

  /// Counts nothing yet.
  package init() {}

  mutating func accept(_ number: UInt8) { accepted[Int(number)] += 1 }
  mutating func refuse(_ number: UInt8, _ reason: CommandRefusalReason) {
    refused[Int(number) * CommandRefusalReason.count + Int(reason.rawValue)] += 1
  }

  /// Adds another one's counts.
  package mutating func add(_ other: CommandTally) {
    for index in accepted.indices { accepted[index] += other.accepted[index] }
    for index in refused.indices { refused[index] += other.refused[index] }
  }

  /// The rules that there are: each command, and why it may be refused.
  private static let rules: [(ITSOpcode, [CommandRefusalReason])] = [
    (
      .mapd,
      [
        .deviceOutOfRange, .eventOutOfRange, .tooManyDevices, .outOfMemory,
        .unknownDevice,
      ]
    ),
    (.mapc, [.collectionOutOfRange, .unknownTarget]),
    (
      .mapti,
      [
        .deviceNotMapped, .eventOutOfRange, .collectionOutOfRange,
        .interruptOutOfRange,
      ]
    ),
    (
      .mapi,
      [
        .deviceNotMapped, .eventOutOfRange, .collectionOutOfRange,
        .interruptOutOfRange,
      ]
    ),
    (.movi, [.deviceNotMapped, .eventOutOfRange, .collectionOutOfRange]),
    (.discard, [.deviceNotMapped, .eventOutOfRange]),
    (.int, [.deviceNotMapped, .eventOutOfRange]),
    (.clear, [.deviceNotMapped, .eventOutOfRange]),
    (.inv, [.deviceNotMapped, .eventOutOfRange]),
    (.invall, [.collectionOutOfRange, .collectionNotMapped]),
    (.movall, [.unknownTarget]),
    (.sync, [.unknownTarget]),
    (
      .vmapp,
      [.virtualInterrupts, .vpeOutOfRange, .unknownTarget, .interruptOutOfRange, .notHostMemory]
    ),
    (
      .vmapti,
      [.virtualInterrupts, .deviceNotMapped, .eventOutOfRange, .vpeNotMapped, .interruptOutOfRange]
    ),
    (
      .vmapi,
      [.virtualInterrupts, .deviceNotMapped, .eventOutOfRange, .vpeNotMapped, .interruptOutOfRange]
    ),
    (
      .vmovi,
      [.virtualInterrupts, .deviceNotMapped, .eventOutOfRange, .vpeNotMapped, .interruptOutOfRange]
    ),
    (.vmovp, [.virtualInterrupts, .vpeNotMapped, .unknownTarget]),
    (.vinvall, [.virtualInterrupts, .vpeNotMapped]),
    (.vsync, [.virtualInterrupts, .vpeOutOfRange]),
    (.vsgi, [.virtualInterrupts]), (.invdb, [.virtualInterrupts]),
  ]

  /// A line for each verdict of each rule, and the smallest count.
  package var lines: [String] {
    var lines: [String] = []
    var least = UInt64.max
    func line(_ command: String, _ verdict: String, _ count: UInt64) {
      least = min(least, count)
      let name = command + String(repeating: " ", count: max(0, 10 - command.count)) + verdict
      lines.append(name + String(repeating: " ", count: max(1, 48 - name.count)) + "\(count)")
    }
    for (opcode, reasons) in Self.rules {
      let name = "\(opcode)".uppercased()
      // Those of GICv4.1 are refused.
      if opcode != .vsgi, opcode != .invdb {
        line(name, "accepted", accepted[Int(opcode.rawValue)])
      }
      for reason in reasons {
        line(name, "\(reason.text)", count(opcode.rawValue, reason))
      }
    }
    let reserved = (UInt8.min...UInt8.max).filter { ITSOpcode(rawValue: $0) == nil }
    line("reserved", "reserved command", reserved.reduce(0) { $0 + count($1, .reservedCommand) })
    for number in 0...255 as ClosedRange<Int> {
      for reason in 0..<CommandRefusalReason.count
      where refused[number * CommandRefusalReason.count + reason] > 0 {
        guard let opcode = ITSOpcode(rawValue: UInt8(number)),
          let reason = CommandRefusalReason(rawValue: UInt8(reason)),
          !Self.rules.contains(where: { $0.0 == opcode && $0.1.contains(reason) })
        else { continue }
        lines.append("\(opcode) \(reason.text): a verdict that no rule has")
      }
    }
    lines.append("least of all: \(least)")
    return lines
  }

  private func count(_ number: UInt8, _ reason: CommandRefusalReason) -> UInt64 {
    refused[Int(number) * CommandRefusalReason.count + Int(reason.rawValue)]
  }
}
