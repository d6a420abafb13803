// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

extension TraceRecord {
  /// The words of the record.
  public var words: InlineArray<8, UInt64> {
    switch event {
    case .header(let header):
      pack(1, TraceHeader.magic, header.version, header.frequency)
    case .service(let service):
      pack(
        2,
        flags: bit(service.isHandedOver, 0) | bit(service.stalls, 1)
          | bit(service.isNonCoherent, 2) | bit(service.isVirtual, 3),
        service.frame, service.typer, service.arena,
        UInt64(service.arenaPages) | UInt64(service.cpus) << 32, service.interruptLimit,
        UInt64(service.commandsPerTrap) | UInt64(service.bytesPerTrap) << 32)
    case .table(let table): pack(3, small: table.index, table.fixed, table.fields)
    case .target(let target): pack(4, target)
    case .access(let access):
      pack(
        5, flags: bit(access.isWrite, 0) | bit(access.isForwarded, 1), small: access.width,
        code: access.outcome.code, access.offset, access.value, access.duration)
    case .command(let command):
      pack(
        6, code: command.verdict.code, command.word0, command.word1, command.word2,
        command.word3, command.address)
    case .hardware(let register):
      pack(
        7, flags: bit(register.isWrite, 0) | bit(register.isAborted, 2), small: register.width,
        register.offset, register.value)
    case .pin(let pin): pack(8, flags: bit(pin.isGranted, 0), pin.base, pin.pages)
    case .lost(let count): pack(9, count)
    case .look(let look): pack(10, look.address, look.value)
    case .unreadable(let address): pack(11, address)
    }
  }

  private func bit(_ value: Bool, _ number: UInt64) -> UInt64 { value ? 1 << number : 0 }

  private func pack(
    _ kind: UInt64, flags: UInt64 = 0, small: UInt8 = 0, code: UInt8 = 0, _ word2: UInt64,
    _ word3: UInt64 = 0, _ word4: UInt64 = 0, _ word5: UInt64 = 0, _ word6: UInt64 = 0,
    _ word7: UInt64 = 0
  ) -> InlineArray<8, UInt64> {
    let word0 =
      kind | UInt64(its) << 8 | UInt64(cpu) << 16 | flags << 32 | UInt64(small) << 40
      | UInt64(code) << 48
    return [word0, time, word2, word3, word4, word5, word6, word7]
  }

  /// Reads a record from its words; nil where they are none.
  public init?(words: InlineArray<8, UInt64>) {
    let head = words[0]
    time = words[1]
    its = UInt8(truncatingIfNeeded: head >> 8)
    cpu = UInt16(truncatingIfNeeded: head >> 16)
    let flags = head >> 32 & 0xff
    let small = UInt8(truncatingIfNeeded: head >> 40)
    let code = UInt8(truncatingIfNeeded: head >> 48)
    func flag(_ number: UInt64) -> Bool { flags >> number & 1 != 0 }
    func low(_ word: UInt64) -> UInt32 { UInt32(truncatingIfNeeded: word) }
    switch head & 0xff {
    case 1:
      guard words[2] == TraceHeader.magic else { return nil }
      event = .header(TraceHeader(version: words[3], frequency: words[4]))
    case 2:
      var service = TracedService(
        frame: words[2], typer: words[3], arena: words[4], arenaPages: low(words[5]),
        cpus: low(words[5] >> 32), interruptLimit: words[6], commandsPerTrap: low(words[7]),
        bytesPerTrap: low(words[7] >> 32))
      service.isHandedOver = flag(0)
      service.stalls = flag(1)
      service.isNonCoherent = flag(2)
      service.isVirtual = flag(3)
      event = .service(service)
    case 3: event = .table(TracedTable(index: small, fixed: words[2], fields: words[3]))
    case 4: event = .target(words[2])
    case 5:
      event = .access(
        TracedAccess(
          offset: words[2], width: small, isWrite: flag(0), value: words[3],
          outcome: TracedAccess.Outcome(code: code), isForwarded: flag(1), duration: words[4]))
    case 6:
      event = .command(
        TracedCommand(
          words[2], words[3], words[4], words[5], at: words[6],
          TracedCommand.Verdict(code: code)))
    case 7:
      event = .hardware(
        TracedRegister(
          offset: words[2], width: small, isWrite: flag(0), isAborted: flag(2), value: words[3]))
    case 8: event = .pin(TracedPin(base: words[2], pages: words[3], isGranted: flag(0)))
    case 9: event = .lost(words[2])
    case 10: event = .look(TracedLook(address: words[2], value: words[3]))
    case 11: event = .unreadable(words[2])
    default: return nil
    }
    // Whatever has no meaning would be lost: then these aren't the words of a record.
    let again = self.words
    for index in 0..<8 where again[index] != words[index] { return nil }
    if let width = Self.width(of: event), width > 3 { return nil }
  }

  private static func width(of event: TraceEvent) -> UInt8? {
    switch event {
    case .access(let access): access.width
    case .hardware(let register): register.width
    default: nil
    }
  }
}

extension TracedAccess.Outcome {
  fileprivate var code: UInt8 {
    switch self {
    case .done: 0
    case .again: 1
    case .refused(let reason): reason &+ 2
    }
  }

  fileprivate init(code: UInt8) {
    switch code {
    case 0: self = .done
    case 1: self = .again
    default: self = .refused(code - 2)
    }
  }
}

extension TracedCommand.Verdict {
  fileprivate var code: UInt8 {
    switch self {
    case .accepted: 0
    case .later: 1
    case .refused(let reason): reason &+ 2
    }
  }

  fileprivate init(code: UInt8) {
    switch code {
    case 0: self = .accepted
    case 1: self = .later
    default: self = .refused(code - 2)
    }
  }
}
