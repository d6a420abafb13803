// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// Attacks by commands, and by the way in which they get into the queue.
func testCommandAttacks(_ report: inout TestReport, _ psci: PSCI) {
  testTranslationTableAttacks(&report)
  testExhaustion(&report)
  testQueueAttacks(&report)
  testOtherCommands(&report)
  testRaces(&report, OtherCPU(psci))
}

/// Interrupt Translation Tables in EL2's memory.
private func testTranslationTableAttacks(_ report: inout TestReport) {
  attack(&report, "B-64 translation table in EL2's memory") {
    $0.mapEvent($0.device, table: $0.canary)
  }
  attack(&report, "B-50 translation table at a page's start in EL2's memory, last entry") {
    $0.mapEvent($0.device, table: $0.canary + 0x1000, event: 15)
  }
  attack(&report, "B-56 translation table of less than a page in EL2's memory") {
    $0.mapEvent($0.device, table: $0.canary + 0xd00, event: 63, eventIDBits: 6)
  }
  attack(&report, "B-56 translation table that begins in the host's memory and ends in EL2's") {
    host in
    let table = host.hypervisor - 0x100
    host.mapEvent(
      host.device, table: table, event: host.event(reaching: host.canary, from: table),
      eventIDBits: 16)
  }
  attack(&report, "B-64 translation table of which only the last entries are EL2's canary") {
    host in
    let table = (host.canary - 15 * ITSDriver.typer.translationEntrySize) & ~0xff
    host.mapEvent(
      host.device, table: table, event: host.event(reaching: host.canary, from: table),
      eventIDBits: 5)
  }
  attack(&report, "B-61 mapped device mapped again with a table in EL2's memory") {
    $0.mapHonestly($0.device)
    $0.mapEvent($0.device, table: $0.canary)
  }
  attack(&report, "B-61 device mapped again and again, with EL2's memory at last") { host in
    for index in 0..<100 as Range<UInt64> {
      host.its.append(
        .mapd(host.device, table: Arena.translations + index * 0x100, eventIDBits: 4))
    }
    host.mapEvent(host.device, table: host.canary)
  }
  attack(&report, "B-60 unmapped with another table than it was mapped with, then mapped") { host in
    host.mapHonestly(host.device)
    host.send(host.unmapd(host.neighbour, table: host.canary))
    host.mapEvent(host.neighbour, table: host.canary)
  }
  attack(&report, "B-58 unmapped by a command that names another device's table") { host in
    host.mapEvent(host.device, table: host.canary)
    host.send(host.unmapd(host.neighbour, table: host.canary))
    host.mapEvent(host.device, 1)
  }
  attack(&report, "B-59 two devices on one page, one unmapped twice") { host in
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.its.append(.mapd(host.neighbour, table: host.canary + 0x100, eventIDBits: 4))
    host.its.append(.unmapd(host.device))
    host.its.append(.unmapd(host.device))
    host.mapEvent(host.neighbour, 3)
  }
  attack(&report, "B-43 unmapped and mapped again in one batch") { host in
    host.mapHonestly(host.device)
    host.its.append(.unmapd(host.device))
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.mapEvent(host.device)
  }
  attack(&report, "B-60 unmapping with EL2's memory as table maps nothing") { host in
    host.send(host.unmapd(host.device, table: host.canary))
    host.mapEvent(host.device)
  }
  attack(&report, "B-62 an EventID of 32 bits, which the ITS doesn't have") {
    $0.mapEvent($0.device, table: $0.canary, eventIDBits: 32)
  }
  attack(&report, "B-62 an EventID behind the end of the translation table") { host in
    host.mapHonestly(host.device)
    host.mapEvent(host.device, 16)
    host.mapEvent(host.device, 0xffff)
    host.mapEvent(host.device, 0xffff_ffff)
  }
  attack(&report, "B-54 reserved bits beside a table in EL2's memory") { host in
    host.its.append(
      ITSCommand(
        0x08 | 0xffff_ff00 | UInt64(host.device) << 32, 3 | ~0x1f,
        1 << 63 | 0x7ff0_0000_0000_00ff | host.canary, .max))
    host.mapEvent(host.device)
  }
  attack(&report, "MAPI writes into a table in EL2's memory") { host in
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 14))
    host.send(.mapi(host.device, 8192, collectionID: 0))
  }
  attack(&report, "DISCARD clears an entry in EL2's memory") { host in
    host.mapEvent(host.device, table: host.canary)
    host.send(.event(.discard, host.device, 0))
  }
  attack(&report, "MOVI changes an entry in EL2's memory") { host in
    host.mapEvent(host.device, table: host.canary)
    host.send(.mapc(1, target: Redistributors.target(of: currentCPU())))
    host.send(.movi(host.device, 0, collectionID: 1))
  }
  attack(&report, "B-70 a translation table over the command queue") { host in
    host.its.append(.mapd(host.device, table: host.its.queue, eventIDBits: 11))
    for event in 0..<64 as Range<UInt32> {
      host.its.append(.mapti(host.device, event, interrupt: 8192, collectionID: 0))
    }
    _ = host.its.finish()
  }
  attack(&report, "B-70 a translation table over the pending table of a Redistributor") { host in
    host.mapEvent(host.device, table: Arena.pending(currentCPU()), event: 5)
    host.send(.unmapd(host.device))
    el1_zero(Arena.pending(currentCPU()), Arena.page)
  }
  attack(&report, "B-27 so many devices that every list is full, EL2's memory at last") { host in
    for device in 0..<1500 as Range<UInt32> {
      host.its.append(
        .mapd(100 + device, table: Arena.translations + UInt64(device) * 0x100, eventIDBits: 4))
    }
    host.mapEvent(host.device, table: host.canary)
  }
}

/// Devices that take all there is.
private func testExhaustion(_ report: inout TestReport) {
  attack(&report, "B-61 devices of 2^16 events until no memory is left, then EL2's memory") {
    host in
    let bits = min(ITSDriver.typer.eventIDBits, 16)
    for device in 0..<500 as Range<UInt32> {
      host.its.append(.mapd(100 + device, table: Arena.translations, eventIDBits: bits))
    }
    host.mapEvent(host.device, table: host.canary)
  }
  attack(&report, "B-53 a device in every second-level page, EL2's memory in the last") { host in
    host.empty(Arena.firstLevel)
    host.move(.devices, host.baser(Arena.firstLevel, pageSize: .kib4, isIndirect: true))
    let last: UInt32 = 127
    for index in 0..<last {
      el1_store64(
        Arena.firstLevel + UInt64(index) * 8, 1 << 63 | Arena.spare + UInt64(index) * 0x1000)
    }
    host.empty(Arena.spare)
    host.forge(Arena.firstLevel + UInt64(last) * 8, 1 << 63 | host.canary)
    for index in 0...last {
      host.its.append(.mapd(512 * index, table: Arena.translations, eventIDBits: 4))
    }
    _ = host.its.finish()
  }
  attack(&report, "B-26 every collection, the last ones in EL2's memory") { host in
    let base = host.hypervisor - Arena.page
    host.move(.collections, host.baser(base, pages: 256))
    let first = (host.canary - base) / 8
    let target = Redistributors.target(of: currentCPU())
    for index in 0..<1500 as Range<UInt64> {
      host.its.append(.mapc(UInt16(truncatingIfNeeded: first + index), target: target))
    }
    _ = host.its.finish()
  }
}

/// The queue itself.
private func testQueueAttacks(_ report: inout TestReport) {
  attack(&report, "B-33 command changed behind the doorbell, before the ITS is enabled") { host in
    _ = ITSDriver.disable()
    let place = host.its.queue + host.its.next
    host.its.append(.mapd(host.device, table: Arena.translations, eventIDBits: 4))
    host.its.append(
      .mapti(host.device, 0, interrupt: Attacker.interrupt, collectionID: 0))
    host.its.ring()
    host.forge(place + 16, 1 << 63 | host.canary)
    ITSDriver.enable()
  }
  attack(&report, "B-34 command behind the queue's wrap, in the second part of a batch") { host in
    // Up to eight slots before the end, all harmless.
    while host.its.next != host.its.queueSize - 256 { host.its.append(.invall(0)) }
    _ = host.its.finish()
    for _ in 0..<10 { host.its.append(.invall(0)) }
    host.mapEvent(host.device, table: host.canary)
  }
  attack(&report, "B-34 command in the last slot of the queue") { host in
    while host.its.next != host.its.queueSize - 32 { host.its.append(.invall(0)) }
    _ = host.its.finish()
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.mapEvent(host.device)
  }
  attack(&report, "B-35 GITS_CWRITER at the queue's end, then a command in the first slot") {
    host in
    store32(Board.itsControl + Register.gitsCWRITER, host.its.queueSize)
    store32(Board.itsControl + Register.gitsCWRITER, 0xf_ffe0)
    store64(Board.itsControl + Register.gitsCWRITER, .max)
    host.its.ring()
    host.mapEvent(host.device, table: host.canary)
  }
  attack(&report, "B-37 first doorbell with a place that isn't zero") { host in
    _ = host.its.program()
    // A queue that was filled before the ITS knew of it.
    host.its.next = 0
    for _ in 0..<32 { host.its.append(.invall(0)) }
    host.its.append(.mapc(0, target: Redistributors.target(of: currentCPU())))
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.its.append(
      .mapti(host.device, 0, interrupt: Attacker.interrupt, collectionID: 0))
    host.its.ring()
    ITSDriver.enable()
  }
  attack(&report, "B-38 doorbell with Retry and reserved bits") { host in
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.its.append(
      .mapti(host.device, 0, interrupt: Attacker.interrupt, collectionID: 0))
    el1_barrier()
    store64(Board.itsControl + Register.gitsCWRITER, host.its.next | 0xffff_ffff_fff0_001f)
    store32(Board.itsControl + Register.gitsCWRITER, host.its.next | 1)
  }
  attack(&report, "B-39 a command that is refused, before one that maps EL2's memory") { host in
    host.its.append(ITSCommand(0xff))
    host.its.append(.mapd(0xffff_ffff, table: Arena.translations, eventIDBits: 4))
    host.mapEvent(host.device, table: host.canary)
  }
  attack(&report, "B-42 2047 commands at once, EL2's memory in the last of them") { host in
    for index in 0..<2045 as Range<UInt32> { host.its.append(.event(.inv, index, 0)) }
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.its.append(
      .mapti(host.device, 0, interrupt: Attacker.interrupt, collectionID: 0))
    _ = host.its.finish()
  }
  attack(&report, "B-44 2047 commands that map and unmap a device, EL2's memory among them") {
    host in
    for index in 0..<680 as Range<UInt64> {
      let table = index == 500 ? host.canary : Arena.translations + index * 0x100
      host.its.append(.mapd(host.device, table: table, eventIDBits: 4))
      host.its.append(
        .mapti(host.device, 0, interrupt: Attacker.interrupt, collectionID: 0))
      host.its.append(.unmapd(host.device))
    }
    _ = host.its.finish()
  }
  attack(&report, "B-80 queue moved by its low half alone, to one with other commands") { host in
    host.empty(Arena.secondQueue)
    _ = ITSDriver.disable()
    let register = Board.itsControl + Register.gitsCBASER
    let value = load64(register)
    store32(register, value & 0xfff | Arena.secondQueue & 0xffff_f000)
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    host.its.queue = Arena.secondQueue
    host.its.next = 0
    ITSDriver.enable()
    host.send(.mapc(0, target: Redistributors.target(of: currentCPU())))
    host.mapEvent(host.device, table: host.canary)
  }
  attack(&report, "B-80 queue in EL2's memory") { host in
    _ = ITSDriver.disable()
    store64(
      Board.itsControl + Register.gitsCBASER,
      GITSCommandBase(base: host.canary, pages: 16, attributes: MemoryAttributes.coherent).rawValue)
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    ITSDriver.enable()
    store32(Board.itsControl + Register.gitsCWRITER, 0x200)
    host.queueGoesOn = false
  }
  attack(&report, "B-80 queue that begins in the host's memory and ends in EL2's") { host in
    _ = ITSDriver.disable()
    store64(
      Board.itsControl + Register.gitsCBASER,
      GITSCommandBase(
        base: host.hypervisor - 0x1000, pages: 256, attributes: MemoryAttributes.coherent
      ).rawValue)
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    ITSDriver.enable()
    store32(Board.itsControl + Register.gitsCWRITER, 0x2000)
    host.queueGoesOn = false
  }
  attack(&report, "B-80 queue where there is no memory") { host in
    _ = ITSDriver.disable()
    store64(
      Board.itsControl + Register.gitsCBASER,
      GITSCommandBase(
        base: 0x000f_0000_0000_0000, pages: 1, attributes: MemoryAttributes.coherent
      ).rawValue)
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    ITSDriver.enable()
    store32(Board.itsControl + Register.gitsCWRITER, 0x40)
    host.queueGoesOn = false
  }
  attack(&report, "B-80 queue in a device's registers") { host in
    _ = ITSDriver.disable()
    store64(
      Board.itsControl + Register.gitsCBASER,
      GITSCommandBase(
        base: Board.console, pages: 1, attributes: MemoryAttributes.coherent
      ).rawValue)
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    ITSDriver.enable()
    store32(Board.itsControl + Register.gitsCWRITER, 0x40)
    host.queueGoesOn = false
  }
  attack(&report, "B-84 queue that isn't Valid") { host in
    _ = ITSDriver.disable()
    let register = Board.itsControl + Register.gitsCBASER
    store64(register, load64(register) & ~(1 << 63))
    store64(Board.itsControl + Register.gitsCWRITER, 0)
    ITSDriver.enable()
    store32(Board.itsControl + Register.gitsCWRITER, 0x40)
    host.queueGoesOn = false
  }
  attack(&report, "B-83 queue moved while the ITS is enabled") { host in
    host.empty(Arena.secondQueue)
    let place = Arena.secondQueue + host.its.next
    host.forge(place, 0x08 | UInt64(host.device) << 32)
    host.forge(place + 8, 3)
    host.forge(place + 16, 1 << 63 | host.canary)
    let register = Board.itsControl + Register.gitsCBASER
    store64(register, load64(register) & ~0xf_ffff_f000 | Arena.secondQueue)
    host.its.append(.mapd(host.device, table: host.canary, eventIDBits: 4))
    host.mapEvent(host.device)
  }
}

/// Commands whose arguments nobody has.
private func testOtherCommands(_ report: inout TestReport) {
  attack(&report, "B-48 every command number that is reserved") { host in
    for number in 0..<256 as Range<UInt64> {
      guard ITSOpcode(rawValue: UInt8(truncatingIfNeeded: number)) == nil else { continue }
      host.its.append(
        ITSCommand(
          number | UInt64(host.device) << 32, 1 << 32, 1 << 63 | host.canary, host.canary | 15))
    }
    _ = host.its.finish()
  }
  attack(&report, "B-47 MAPC to a Redistributor that isn't there, as a number and as an address") {
    host in
    let targets: InlineArray<4, UInt64> = [0xffff, 64, 0xf_ffff_ffff, host.canary >> 16]
    for index in targets.indices {
      host.its.append(.mapc(0, target: targets[index]))
      host.its.append(.sync(target: targets[index]))
    }
    host.mapHonestly(host.device)
    host.send(.event(.int, host.device, 0))
  }
  attack(&report, "B-47 MOVALL between Redistributors that aren't there") { host in
    let own = Redistributors.target(of: currentCPU())
    host.its.append(.movall(from: own, to: host.canary >> 16))
    host.its.append(.movall(from: host.canary >> 16, to: own))
    host.its.append(.movall(from: 0xffff, to: 0xffff))
    _ = host.its.finish()
  }
  attack(&report, "B-83 GITS_CTLR with all bits set") { host in
    store32(Board.itsControl + Register.gitsCTLR, 0xffff_ffff)
    host.mapHonestly(host.device)
  }
  attack(&report, "commands of every kind with all their bits set") { host in
    for number in 0..<256 as Range<UInt64> {
      host.its.append(ITSCommand(~0xff | number, .max, .max, .max), isExact: true)
    }
    _ = host.its.finish()
  }
}

/// What two CPUs do at once; on a machine with one CPU the word is changed but once, before the doorbell.
private func testRaces(_ report: inout TestReport, _ other: OtherCPU?) {
  let rounds: UInt64 = 400

  /// Rings for commands of which one word changes between `honest` and something else meanwhile.
  func race(
    _ host: inout Attacker, _ address: UInt64, _ difference: UInt64,
    _ commands: (inout ITSDriver) -> Void
  ) {
    commands(&host.its)
    if let other {
      other.flip(address, by: difference)
      _ = host.its.finish()
      other.flip(0, by: 0)
    } else {
      el1_store64(address, el1_load64(address) ^ difference)
      _ = host.its.finish()
    }
  }

  attack(&report, "B-66 a command that another CPU changes all the time") { host in
    guard host.require(other?.start(EL1_JOB_FLIP) ?? true) else { return }
    let device = host.device
    let honest: UInt64 = 1 << 63 | Arena.translations
    let evil: UInt64 = 1 << 63 | host.canary
    for _ in 0..<rounds {
      let address = host.its.queue + host.its.next + 16
      race(&host, address, honest ^ evil) { its in
        its.append(.mapd(device, table: Arena.translations, eventIDBits: 4))
        its.append(.mapti(device, 0, interrupt: Attacker.interrupt, collectionID: 0))
      }
    }
    host.require(other?.stop() ?? true)
  }
  attack(&report, "B-66 a command whose kind another CPU changes all the time") { host in
    guard host.require(other?.start(EL1_JOB_FLIP) ?? true) else { return }
    let device = host.device
    // INV has no address; MAPD has.
    let inv = ITSCommand(0x0c | UInt64(device) << 32, 3, 1 << 63 | host.canary)
    for _ in 0..<rounds {
      let address = host.its.queue + host.its.next
      race(&host, address, 0x08 ^ 0x0c) { its in
        its.append(inv, isExact: true)
        its.append(.mapti(device, 0, interrupt: Attacker.interrupt, collectionID: 0))
      }
    }
    host.require(other?.stop() ?? true)
  }
  attack(&report, "B-66 a first-level entry that another CPU changes all the time") { host in
    guard host.require(other?.start(EL1_JOB_FLIP) ?? true) else { return }
    host.useTwoLevels(.devices)
    host.empty(Arena.secondLevel(0))
    host.forge(Arena.firstLevel, 1 << 63 | Arena.secondLevel(0))
    let device = host.device
    for _ in 0..<rounds {
      race(&host, Arena.firstLevel, Arena.secondLevel(0) ^ host.canary) { its in
        its.append(.mapd(device, table: Arena.translations, eventIDBits: 4))
        its.append(.unmapd(device))
      }
    }
    host.require(other?.stop() ?? true)
  }

  attack(&report, "B-66 another CPU rings for places that this one hasn't written yet") { host in
    let device = host.device
    guard host.require(other?.start(EL1_JOB_RING) ?? true) else { return }
    // All of the queue maps EL2's memory, and what this CPU says of it is harmless.
    for slot in 0..<host.its.queueSize / 64 {
      let command = ITSCommand.mapd(device, table: host.canary, eventIDBits: 4)
      let event = ITSCommand.mapti(
        device, 0, interrupt: Attacker.interrupt, collectionID: 0)
      host.its.place(command, at: slot * 64)
      host.its.place(event, at: slot * 64 + 32)
    }
    if let other {
      host.require(other.waitForRounds(200))
    } else {
      store32(Board.itsControl + Register.gitsCWRITER, 0x1000)
    }
    host.require(other?.stop() ?? true)
  }
  attack(&report, "B-83 another CPU disables the ITS and moves its device table all the time") {
    host in
    let register = Attacker.register(.devices)
    let difference = load64(register) ^ host.baser(host.canary)
    guard host.require(other?.start(EL1_JOB_MOVE) ?? true) else { return }
    if let other {
      other.flip(register, by: difference)
    } else {
      host.move(.devices, load64(register) ^ difference)
    }
    for device in 0..<200 as Range<UInt32> {
      host.its.append(.mapd(device, table: Arena.translations, eventIDBits: 4))
      _ = host.its.finish()
    }
    host.require(other?.stop() ?? true)
    ITSDriver.enable()
  }
  attack(&report, "B-83 device table moved while 2047 commands are under way") { host in
    for index in 0..<2047 as Range<UInt32> {
      host.its.append(
        .mapd(index % 500, table: Arena.translations + 0x100 * UInt64(index % 500), eventIDBits: 4))
    }
    host.its.ring()
    host.move(.devices, host.baser(host.canary))
    host.mapHonestly(host.device)
  }
}
