// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

/// A board whose ITS takes addresses as targets, and so writes wherever RDbase says.
private let byAddress = Variant(targetsAreAddresses: true).options
/// A target that is no Redistributor: EL2's own memory.
private let stray = canary >> 16

/// A board whose ITS goes on after an error of its own.
private func tolerant(_ version: ITSConfiguration.Version) -> ITSWorldOptions {
  var options = Variant(version: version).options
  options.services[0].errorResponse = .ignore
  return options
}

@Suite("Attacks on the queue") struct QueueAttacks {
  @Test("B-33 A command that changes after the doorbell is carried out as it was")
  func changed() throws {
    try attack { driver in
      driver.world.service().pace = .manual
      driver.start()
      driver.post(.mapd(3, table: driver.table(3), eventIDBits: 5))
      driver.put(.mapd(3, table: canary, eventIDBits: 5), at: 0)
      driver.world.service().run()
    }
  }

  @Test("B-33 A command that changes while EL2 reads it is one command, whole or refused")
  func changedMeanwhile() throws {
    let world = try ITSWorld(byAddress)
    let driver = HostDriver(world).start()
    for word in 0..<4 as Range<UInt64> {
      let offset = driver.writeOffset
      driver.stage([.mapc(0, target: driver.target(0))])
      var loads: [UInt64: Int] = [:]
      world.onHypervisorLoad = { address in
        guard address &- driver.queue < 0x1000 else { return }
        loads[address, default: 0] += 1
        // The host turns it into another command after so many words.
        guard address == driver.queue + offset + word * 8 else { return }
        driver.put(.mapc(0, target: stray), at: offset)
      }
      driver.ring()
      world.onHypervisorLoad = nil
      #expect(loads.count == 4)
      #expect(loads.values.allSatisfy { $0 == 1 }, "a word is read once")
      world.expectSound()
    }
  }

  @Test("B-34 Commands behind the wrap are checked like all others")
  func wrapped() throws {
    try attack(byAddress) { driver in
      driver.start()
      driver.post(Array(repeating: .sync(target: driver.target(0)), count: 126))
      driver.post(
        .sync(target: driver.target(0)), .sync(target: driver.target(0)),
        .mapc(0, target: stray), .sync(target: driver.target(0)))
    }
  }

  @Test("B-35 GITS_CWRITER at the end of the queue is ignored", arguments: [32, 0xfe000])
  func pastEnd(_ excess: UInt64) throws {
    try attack { driver in
      // The last page of the host: behind it are EL2's.
      driver.queueBase = ITSWorld.hypervisor.first.address.rawValue - 0x1000
      driver.start()
      driver.write(0x88, (driver.queueSize + excess) & 0xf_ffe0)
      driver.write(0x88, driver.queueSize + excess, .word)
    }
  }

  @Test("B-35 The end itself is no place either")
  func atEnd() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.write(0x88, driver.queueSize)
    #expect(driver.read(0x88) == 0)
    #expect(driver.isDone)
    #expect(world.its.counters.ignored == 1)
    driver.post(.sync(target: 0))
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-36 The hardware sees a command before it is told of it", arguments: [false, true])
  func published(_ isCoherent: Bool) throws {
    let world = try ITSWorld(Variant(isCoherent: isCoherent).options)
    let driver = HostDriver(world).start()
    let service = world.service()
    var commands: [UInt8] = []
    service.onCommand = { commands.append($0.number) }
    driver.post(.mapc(0, target: 0), .sync(target: 0))
    #expect(commands == [9, 5])
    #expect(service.failedCommands == 0)
  }

  @Test("B-37 Hardware that firmware left in the middle of a queue begins at EL2's")
  func startOffset() throws {
    var commands = 0
    let world = try ITSWorld { world in
      boot(world, Array(repeating: .sync(target: 0), count: 20))
      world.service().onCommand = { _ in commands += 1 }
      #expect(world.service().readPointer.offset == 640)
    }
    #expect(world.service().readPointer.offset == 0)
    let driver = HostDriver(world).start()
    #expect(commands == 0)
    driver.post(.sync(target: 0))
    #expect(commands == 1)
    world.expectSound()
  }

  @Test("B-32 What firmware had not carried out never is")
  func leftOver() throws {
    var commands = 0
    let world = try ITSWorld { world in
      world.service().pace = .manual
      boot(world, Array(repeating: .mapc(0, target: 0), count: 20))
      world.service().run(limit: 10)
      world.service().onCommand = { _ in commands += 1 }
    }
    HostDriver(world).start()
    world.service().run()
    #expect(commands == 0)
    world.expectSound()
  }

  @Test(
    "B-38 The hardware's GITS_CWRITER gets an offset and nothing else", arguments: [false, true])
  func rawPointer(_ isRetry: Bool) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    var values: [UInt64] = []
    world.onRegisterWrite = { _, offset, width, value in
      if offset == 0x88 { values.append(value) }
      #expect(offset & (width.bytes - 1) == 0)
    }
    driver.stage([.sync(target: 0)])
    driver.write(0x88, ~0xf_ffe0 & ~1 | 32 | (isRetry ? 1 : 0))
    #expect(values == [32])
    #expect(driver.read(0x88) == 32)
    driver.stage([.sync(target: 0)])
    driver.write(0x88, 0xfff0_0000 | 64 | 0b11110, .word)
    #expect(values == [32, 64])
    driver.write(0x8c, 0xffff_ffff, .word)
    #expect(driver.read(0x88) == 64)
    #expect(world.service().completedCommands == 2)
  }

  @Test(
    "B-39 A bad command in a batch does not undo or repeat the others", arguments: [false, true])
  func partial(_ stalls: Bool) throws {
    var options = ITSWorldOptions()
    options.policy.stalls = stalls
    let world = try ITSWorld(options)
    let driver = HostDriver(world).start()
    var commands: [UInt64] = []
    world.service().onCommand = { commands.append(UInt64($0.number) | UInt64($0.deviceID) << 8) }
    driver.mapCollections()
    commands = []
    driver.post(
      .mapd(1, table: driver.table(1), eventIDBits: 5),
      .mapti(1, 40, interrupt: 8200, collectionID: 0),
      .mapd(2, table: driver.table(2), eventIDBits: 5), .sync(target: 0))
    if stalls {
      #expect(commands == [0x108])
      #expect(driver.read(0x90) == 161)
      #expect(!driver.isDone)
      // A doorbell without Retry changes nothing; the command as it is now is tried again with it.
      driver.ring()
      #expect(commands == [0x108])
      driver.ring(isRetry: true)
      #expect(driver.read(0x90) == 161)
      driver.put(.mapti(1, 4, interrupt: 8200, collectionID: 0), at: 5 * 32)
      driver.ring(isRetry: true)
      #expect(commands == [0x108, 0x10a, 0x208, 5])
      #expect(world.its.counters.count(.eventOutOfRange) == 2)
    } else {
      #expect(commands == [0x108, 0x208, 5])
      #expect(world.its.counters.count(.eventOutOfRange) == 1)
    }
    #expect(driver.isDone)
    world.expectSound()
    driver.post(.event(.int, 1, 0))
    #expect(commands.last == 0x103)
  }

  @Test("B-40 A refused command does not hold the queue up, in one width or the other")
  func skipped() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    for number in 0..<300 {
      driver.stage([ITSCommand(0xff), .sync(target: 0)])
      driver.ring(number % 2 == 0 ? .word : .double)
      #expect(driver.read(0x90, .word) == driver.writeOffset)
    }
    #expect(world.its.counters.count(.reservedCommand) == 300)
    #expect(world.service().completedCommands == 300)
    let refusal = try #require(world.takeRefusal())
    #expect(refusal.command.number == 0xff)
    #expect(refusal.reason == .reservedCommand)
    #expect(world.takeRefusal() == nil)
  }

  @Test("B-41 A command that the hardware has not come to is not taken back: the table stays")
  func pending() throws {
    try attack { driver in
      let world = driver.world
      driver.start()
      driver.mapCollections()
      world.service().pace = .manual
      world.service().hang(after: 0)
      driver.prepare(3)
      driver.post(.mapd(3, table: driver.table(3), eventIDBits: 5))
      // The host waits in vain, and gives up: the page becomes a guest's.
      for _ in 0..<100 where !driver.isDone { world.service().step() }
      driver.donate(3)
      world.service().hang(after: nil)
      world.service().run()
      _ = world.service().message(device: 3, event: 0)
    }
  }

  @Test("B-42 A slot that the hardware may read is never written")
  func flood() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.queuePages = 16
    driver.start()
    world.service().pace = .manual
    world.service().hang(after: 3)
    driver.stage(Array(repeating: .sync(target: 0), count: 2047))
    // The store retires although nothing goes on, in bounded time.
    #expect(driver.ring() != nil)
    driver.stage(Array(repeating: .invall(0), count: 200))
    #expect(driver.ring() != nil)
    #expect(!driver.isDone)
    #expect(driver.read(0x88) == driver.writeOffset)
    world.expectSound()
    // Once it goes on, so does all that was asked for.
    world.service().hang(after: nil)
    for _ in 0..<10_000 where !driver.isDone { world.service().step() }
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-43 A table is free when the hardware has passed the unmapping and the SYNCs, not before")
  func released() throws {
    let world = try ITSWorld()
    world.enableLPIs()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(3, events: 4)
    let free = world.its.arena.freeCount
    let service = world.service()
    service.pace = .manual
    driver.post(.unmapd(3))
    // MAPD, and a SYNC to both.
    for _ in 0..<3 {
      #expect(!driver.isDone || world.its.arena.freeCount == free)
      _ = driver.read(0x90)
      driver.ring()
      service.writeLingering()
      world.expectSound()
      #expect(world.its.arena.freeCount == free)
      #expect(service.step())
    }
    #expect(!service.step())
    driver.ring()
    #expect(world.its.arena.freeCount == free + 1)
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-43 A table that the host takes for something else right after MAPD")
  func reused() throws {
    try attack { driver in
      driver.start()
      driver.mapCollections()
      driver.mapDevice(3, events: 2)
      driver.world.service().pace = .manual
      driver.post(.unmapd(3))
      driver.donate(3)
      _ = driver.world.service().message(device: 3, event: 0)
    }
  }

  @Test("B-44 One trap does a bounded amount of work, whatever is in the queue")
  func bounded() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.queuePages = 16
    driver.start()
    driver.mapCollections()
    var loads = 0
    var stores = 0
    var accesses = 0
    world.onHypervisorLoad = { _ in loads += 1 }
    world.onHypervisorStore = { _ in stores += 1 }
    world.onRegisterWrite = { _, _, _, _ in accesses += 1 }
    driver.stage(
      (0..<2000).map {
        .mapd(UInt32($0) % 100, table: driver.table(0), eventIDBits: UInt64($0) % 13 + 1)
      })
    var runs = 0
    while world.write(0, 0x88, .double, driver.writeOffset) == .again {
      runs += 1
      #expect(loads <= 40_000)
      #expect(stores <= 1 << 17 / 8 + 512 * 30 + 2048)
      #expect(accesses <= 600)
      (loads, stores, accesses) = (0, 0, 0)
      guard runs < 10_000 else { break }
    }
    #expect(driver.isDone)
    #expect(runs > 3)
    world.expectSound()
  }

  @Test(
    "B-45 A queue that can't be the host's stands still, and says so",
    arguments: [
      canary, 0x808_0000, 0x0, 0x6000_0000, 0x000f_ffff_ffff_f000, 0x100_0000_0000, 0x5dff_f000,
    ] as [UInt64])
  func strangeQueue(_ base: UInt64) throws {
    let world = try ITSWorld()
    let driver = HostDriver(world)
    driver.queueBase = base
    driver.queuePages = 2
    driver.start()
    driver.write(0x88, 64)
    #expect(driver.read(0x90) == 1)
    driver.write(0x88, 64 | 1)
    #expect(driver.read(0x90) == 1)
    #expect(world.service().completedCommands == 0)
    driver.queueBase = nil
    driver.start()
    driver.post(.sync(target: 0))
    #expect(driver.isDone)
    world.expectSound()
  }

  @Test("B-45 A queue that is not the host's at the time, and is later")
  func claimedQueue() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    let claim = try #require(world.donate(driver.queue))
    #expect(!driver.put(.sync(target: 0), at: 0))
    driver.write(0x88, 32)
    #expect(driver.read(0x90) == 1)
    #expect(world.giveBack(claim))
    driver.writeOffset = 0
    driver.stage([.sync(target: 0)])
    driver.ring(isRetry: true)
    #expect(driver.isDone)
    // Held now, and no one else's until the host gives the queue up.
    #expect(world.donate(driver.queue) == nil)
    driver.disable()
    driver.write(0x80, 0)
    #expect(world.donate(driver.queue) != nil)
    world.expectSound()
  }

  @Test(
    "B-46 No virtual command reaches the hardware",
    arguments: [ITSConfiguration.Version.gicv40, .gicv41])
  func virtual(_ version: ITSConfiguration.Version) throws {
    try attack(tolerant(version)) { driver in
      driver.start()
      driver.mapCollections()
      driver.mapDevice(3)
      let vpe = 7 << 32 as UInt64
      let target = driver.target(0) << 16
      driver.post(
        ITSCommand(
          0x29 | (version == .gicv41 ? 0b11 << 8 | canary : 0), vpe, target | 1 << 63, canary | 15),
        ITSCommand(0x2a | 3 << 32, vpe | 1, 8 | 1023 << 32),
        ITSCommand(0x2b | 3 << 32, vpe | 2, 1023 << 32),
        ITSCommand(0x21 | 3 << 32, vpe | 1, 0), ITSCommand(0x22, vpe | 1, target),
        ITSCommand(0x25, vpe),
        ITSCommand(0x2d, vpe), ITSCommand(0x23, vpe), ITSCommand(0x2e, vpe),
        .event(.int, 3, 1))
      if driver.world.options.isMediated {
        #expect(driver.world.its.counters.count(.virtualInterrupts) == 9)
        #expect(driver.isDone)
      }
    }
  }

  @Test(
    "B-63 VMAPP with a table of any size is refused, and takes no memory",
    arguments: [0, 13, 31] as [UInt64])
  func virtualSizes(_ bits: UInt64) throws {
    let world = try ITSWorld(Variant(version: .gicv40).options)
    let driver = HostDriver(world).start()
    let free = world.its.arena.freeCount
    driver.post(ITSCommand(0x29, 7 << 32, 1 << 63, 0x4800_0000 | bits))
    #expect(world.its.counters.count(.virtualInterrupts) == 1)
    #expect(world.its.arena.freeCount == free)
    #expect(world.service().completedCommands == 0)
  }

  @Test(
    "B-47 A target is a Redistributor of the board, in every command that has one",
    arguments: ["MAPC", "SYNC", "MOVALL from", "MOVALL to"],
    [canary >> 16, 0, 0x808, 0xf_ffff_ffff, 0x811])
  func targets(_ name: String, _ target: UInt64) throws {
    let known = 0x810 as UInt64
    let command: ITSCommand =
      switch name {
      case "MAPC": .mapc(0, target: target)
      case "SYNC": .sync(target: target)
      case "MOVALL from": .movall(from: target, to: known)
      default: .movall(from: known, to: target)
      }
    try attack(byAddress) { driver in
      driver.start()
      driver.post(command)
      if driver.world.options.isMediated {
        #expect(driver.world.its.counters.count(.unknownTarget) == 1)
      }
    }
  }

  @Test("B-47 With processor numbers, a target is below their count")
  func numbers() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    for target in [2, 3, 0x7fff, 0xffff, 0xf_ffff_ffff] as [UInt64] {
      driver.post(
        .mapc(0, target: target), .sync(target: target), .movall(from: 0, to: target),
        .movall(from: target, to: 1))
    }
    #expect(world.its.counters.count(.unknownTarget) == 20)
    driver.post(.mapc(0, target: 1), .sync(target: 0), .movall(from: 0, to: 1))
    #expect(world.its.counters.accepted == 3)
    // F-21: above the number is RES0, and the hardware gets the number.
    var targets: [UInt64] = []
    world.service().onCommand = { targets += [$0.target, $0.secondTarget] }
    driver.post(
      .mapc(0, target: 0xf_ffff_0001), .sync(target: 0x1_0000),
      .movall(from: 0x2_0000, to: 0x8_0000_0001))
    #expect(world.its.counters.accepted == 6)
    #expect(targets == [1, 0, 0, 0, 0, 1])
    // MAPC without V has no target that counts, and the hardware does not get one.
    var words: [UInt64] = []
    world.service().onCommand = { words.append($0.word2) }
    driver.post(ITSCommand(0x09, 0, 0xffff << 16))
    #expect(words == [0])
    world.expectSound()
  }

  @Test(
    "B-48 Of 256 numbers only the commands of GICv3 reach the hardware",
    arguments: [ITSConfiguration.Version.gicv3, .gicv41])
  func opcodes(_ version: ITSConfiguration.Version) throws {
    let world = try ITSWorld(tolerant(version))
    let driver = HostDriver(world)
    driver.queuePages = 4
    driver.start()
    driver.mapCollections()
    driver.mapDevice(0)
    var seen = Set<UInt8>()
    world.service().onCommand = { seen.insert($0.number) }
    // What unmaps comes last.
    driver.post(((0..<256).filter { $0 != 8 && $0 != 9 } + [8, 9]).map { ITSCommand(UInt64($0)) })
    #expect(seen == [1, 3, 4, 5, 0x08, 0x09, 0x0c, 0x0d, 0x0e, 0x0f])
    #expect(world.its.counters.count(.virtualInterrupts) == 9)
    #expect(world.its.counters.count(.reservedCommand) == 256 - 12 - 9)
    world.expectSound()
  }

  @Test(
    "F-21: A bit outside of the fields is ignored, and does not reach the hardware",
    arguments: [0x01, 3, 4, 5, 8, 9, 0xa, 0xb, 0xc, 0xd, 0xe, 0xf] as [UInt64],
    [false, true])
  func reservedBits(_ number: UInt64, _ targetsAreAddresses: Bool) throws {
    var options = ITSWorldOptions()
    options.services[0].targetsAreAddresses = targetsAreAddresses
    options.services[0].errorResponse = .ignore
    let world = try ITSWorld(options)
    let opcode = try #require(ITSOpcode(rawValue: UInt8(number)))
    let driver = HostDriver(world).start()
    driver.mapCollections()
    driver.mapDevice(0)
    var seen: [ITSCommand] = []
    world.service().onCommand = { seen.append($0) }
    let target = driver.target(0) << 16
    let plain = ITSCommand(number, 0, target, number == 0xe ? target : 0)
    /// What becomes of a command, of which no other bit is set: refusals of each reason, and what is accepted.
    func outcome(_ command: ITSCommand) -> [UInt64] {
      func counts() -> [UInt64] {
        let counters = world.its.counters
        return (0..<CommandRefusalReason.count).map { counters.refused[$0] } + [counters.accepted]
      }
      let before = counts()
      let place = driver.queue + driver.writeOffset
      for word in 0..<4 {
        world.store(.double, command.words[word], at: place + UInt64(word) * 8)
      }
      driver.writeOffset = (driver.writeOffset + ITSCommand.size) % driver.queueSize
      driver.ring()
      return zip(counts(), before).map { $0 - $1 }
    }
    // One after another, and all at once; each is as if the bits were not there.
    for bit in 8...256 as ClosedRange<Int> {
      var words = [number, 0, 0, 0] as [UInt64]
      if bit < 256 {
        words[bit / 64] = 1 << UInt64(bit % 64)
      } else {
        words = [.max, .max, .max, .max]
      }
      let fields = ITSCommand.fields(of: opcode, targetsAreAddresses: targetsAreAddresses)
      let noise = (0..<4).map { words[$0] & ~fields.words[$0] }
      guard noise != [0, 0, 0, 0] else { continue }
      let usual = outcome(plain)
      let found = outcome(
        ITSCommand(
          plain.word0 | noise[0], plain.word1 | noise[1], plain.word2 | noise[2],
          plain.word3 | noise[3]))
      #expect(found == usual)
      #expect(seen.allSatisfy { $0.rebuilt(as: $0.opcode ?? opcode) == $0 })
      seen = []
    }
    let reasons = (0..<CommandRefusalReason.count).filter { world.its.counters.refused[$0] > 0 }
    // MAPI of INTID 0, which is no LPI, and MAPTI alike; a device that is no longer mapped.
    let expected: Set<CommandRefusalReason> = [
      .interruptOutOfRange, .deviceNotMapped, .collectionNotMapped,
    ]
    #expect(
      reasons.allSatisfy {
        expected.contains(CommandRefusalReason(rawValue: UInt8($0)) ?? .reservedCommand)
      })
    world.expectSound()
  }

  @Test("B-49 GITS_CWRITER reads as the host wrote it, GITS_CREADR as far as the hardware is")
  func ownPointer() throws {
    let world = try ITSWorld()
    let driver = HostDriver(world).start()
    driver.mapCollections()
    let service = world.service()
    service.pace = .manual
    let start = driver.writeOffset
    driver.post(
      .sync(target: 0), ITSCommand(0xff), .unmapd(9), .sync(target: 1), ITSCommand(0xfe))
    #expect(driver.read(0x88) == start + 160)
    #expect(driver.read(0x90) == start)
    #expect(service.step())
    // What never reaches the hardware is passed with what does.
    #expect(driver.read(0x90) == start + 96)
    #expect(service.step())
    #expect(driver.read(0x90) == start + 160)
    #expect(!service.step())
  }
}

extension HostDriver {
  /// Lets a guest have the page of a device's table.
  func donate(_ device: UInt32) { world.donate(table(device)) }
}

/// Firmware programs the hardware itself, before EL2 is there, and has it carry commands out.
private func boot(_ world: ITSWorld, _ commands: [ITSCommand]) {
  for (position, command) in commands.enumerated() {
    for word in 0..<4 {
      world.store(
        .double, command.words[word],
        at: 0x4800_0000 + UInt64(position) * 32 + UInt64(word) * 8)
    }
  }
  let table = GITSTableBase(
    base: 0x4801_0000, pages: 1, pageSize: .kib4, isIndirect: false, attributes: 0)
  for (offset, value) in [
    (0x80, GITSCommandBase(base: 0x4800_0000, pages: 1, attributes: 0).rawValue), (0x88, 0),
    (0x108, table.rawValue),
  ] as [(UInt64, UInt64)] {
    _ = world.service().write(.double, value, at: offset)
  }
  _ = world.service().write(.word, 1, at: 0)
  _ = world.service().write(.double, UInt64(commands.count) * 32, at: 0x88)
}
