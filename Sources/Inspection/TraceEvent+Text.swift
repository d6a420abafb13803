// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import ITS
public import Trace
internal import Traps

// What a record says, in the words of the specification.
extension TraceEvent {
  /// What sort of event it is: one word.
  public var kind: String {
    switch self {
    case .header: "header"
    case .service: "its"
    case .table: "table"
    case .target: "target"
    case .access(let access): access.isWrite ? "write" : "read"
    case .command: "command"
    case .hardware: "hardware"
    case .pin: "pin"
    case .look: "look"
    case .unreadable: "unreadable"
    case .lost: "lost"
    }
  }

  /// What it is about.
  public var text: String {
    switch self {
    case .header(let header):
      "version \(header.version), \(header.frequency) counts a second"
    case .service(let service):
      "GITS_TYPER \(service.typer.hexadecimal), frame \(service.frame.hexadecimal), "
        + "\(service.arenaPages) pages at \(service.arena.hexadecimal)"
        + (service.isHandedOver ? ", handed over" : "")
    case .table(let table):
      "\(Self.register(0x100 + UInt64(table.index) * 8)) \(table.fixed.hexadecimal) "
        + table.fields.hexadecimal
    case .target(let target): "RDbase \(target.hexadecimal)"
    case .access(let access):
      "\(Self.register(access.offset)) \(8 << UInt64(access.width)) bits "
        + access.value.hexadecimal + (access.isForwarded ? ", forwarded" : "")
    case .command(let command): command.command.text
    case .hardware(let register):
      (register.isWrite ? "write " : "read ")
        + "\(Self.register(register.offset)) \(register.value.hexadecimal)"
    case .pin(let pin): "\(pin.pages) pages at \(pin.base.hexadecimal)"
    case .look(let look): "\(look.value.hexadecimal) at \(look.address.hexadecimal)"
    case .unreadable(let address): "command at \(address.hexadecimal)"
    case .lost(let count): "\(count) records"
    }
  }

  /// What became of it; nil where nothing can.
  public var outcome: String? {
    switch self {
    case .access(let access):
      switch access.outcome {
      case .done: "done"
      case .again: "again"
      case .refused(let reason):
        "refused: " + (Refusal(rawValue: reason).map { "\($0.text)" } ?? "reason \(reason)")
      }
    case .command(let command):
      switch command.verdict {
      case .accepted: "accepted"
      case .later: "later"
      case .refused(let reason):
        "refused: "
          + (CommandRefusalReason(rawValue: reason).map { "\($0.text)" } ?? "reason \(reason)")
      }
    case .hardware(let register): register.isAborted ? "aborted" : "done"
    case .pin(let pin): pin.isGranted ? "granted" : "refused"
    case .unreadable: "aborted"
    case .header, .service, .table, .target, .look, .lost: nil
    }
  }

  /// The name of the register of the control frame at `offset` (IHI 0069, 12.19).
  static func register(_ offset: UInt64) -> String {
    if let name = ITSRegister.name(at: offset) { return "\(name)" }
    // The upper half of a register of 64 bits.
    if offset & 4 != 0, ITSRegister.widths(at: offset) != .none,
      let name = ITSRegister.name(at: offset - 4)
    {
      return "\(name)+4"
    }
    return offset.hexadecimal
  }
}

extension TracedCommand {
  /// The command, to take its fields from.
  var command: ITSCommand { ITSCommand(word0, word1, word2, word3) }
}

extension ITSCommand {
  /// The command with the fields that it has.
  fileprivate var text: String {
    guard let opcode else {
      return "\(UInt64(number).hexadecimal)" + wordsText
    }
    let name = "\(opcode.name)"
    let device = " device \(deviceID.hexadecimal)"
    let event = " event \(eventID.hexadecimal)"
    let collection = " collection \(collectionID)"
    return switch opcode {
    case .movi: name + device + event + collection
    case .int, .clear, .inv, .discard: name + device + event
    case .sync: name + " RDbase \(target.hexadecimal)"
    case .mapd:
      isValid
        ? name + device + " bits \(eventIDBitsMinusOne + 1) table \(translationTable.hexadecimal)"
        : name + device + " unmapped"
    case .mapc:
      isValid
        ? name + collection + " RDbase \(target.hexadecimal)" : name + collection + " unmapped"
    case .mapti: name + device + event + " interrupt \(physicalID)" + collection
    case .mapi: name + device + event + collection
    case .invall: name + collection
    case .movall: name + " RDbase \(target.hexadecimal) to \(secondTarget.hexadecimal)"
    case .vmovi, .vmovp, .vsgi, .vsync, .vmapp, .vmapti, .vmapi, .vinvall, .invdb:
      name + wordsText
    }
  }

  private var wordsText: String {
    [word0, word1, word2, word3].map { " " + $0.hexadecimal }.joined()
  }
}

extension UInt32 {
  fileprivate var hexadecimal: String { UInt64(self).hexadecimal }
}
