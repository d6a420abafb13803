// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Traps

/// A host that does whatever its choices say, one step at a time, and hardware that does as well.
///
/// Most of what it does is what a driver would do, or nearly, so that much of it is accepted; the
/// rest is anything.
package struct HostileHost<Source: Choices> {
  /// A store that runs again.
  private struct Unfinished {
    let service: Int
    let offset: UInt64
    let width: AccessWidth
    let value: UInt64
    /// How many commands were asked for when it began.
    let posted: UInt64
  }

  /// What it knows of an ITS.
  private struct Queue {
    var base: UInt64 = 0
    var size: UInt64 = 4096
    /// How it writes there.
    var mapping = PhysicalMemory.Observer.processor
    /// Where its next command goes.
    var write: UInt64 = 0
    /// Where GITS_CREADR was.
    var read: UInt64 = 0
    /// How many commands it has asked for, as long as it did so by the rules.
    var posted: UInt64?
    /// Commands in the queue that it has not asked for.
    var staged: UInt64 = 0
    /// What it has written to GITS_BASER<n>.
    var tables: [Int: UInt64] = [:]
  }

  /// The world that it lives in.
  package let world: World
  /// Where its choices come from.
  package var choices: Source
  /// How many steps were made.
  package private(set) var steps: UInt64 = 0
  private var queues: [Queue]
  /// The stores of each CPU that run again, the innermost last.
  private var unfinished: [[Unfinished]]
  /// Whether every store to a register is printed.
  package var traces = false

  /// Begins in a world that was just made.
  package init(_ world: World, _ choices: Source) {
    self.world = world
    self.choices = choices
    queues = world.services.map { _ in Queue() }
    unfinished = Array(repeating: [], count: world.setup.processors)
    for index in world.services.indices {
      reset(index)
      mapCollections(index)
      if world.setup.arenaPages == WorldSetup.manyPages { mapManyDevices(index) }
    }
  }

  /// Maps as many devices as there may be, and tries some more.
  private mutating func mapManyDevices(_ index: Int) {
    for device in 0..<1900 as Range<UInt32> {
      put(.mapd(device, table: 0, eventIDBits: 4), index)
      guard device % 32 == 0 else { continue }
      ring(index)
      for _ in 0..<4096 {
        runHardware(index, 64)
        guard unfinished.contains(where: { !$0.isEmpty }) else { break }
        runAgain(mayGiveUp: false)
      }
      readPointer(index)
    }
  }

  /// Makes one step, or a few that go together.
  package mutating func step() {
    let index = Int(choices.next(UInt64(world.services.count)))
    switch choices.next(64) {
    case 0..<26: stage(index)
    case 26..<38: ring(index)
    case 38..<42: runAgain()
    case 42..<54: runHardware(index, Int(1 + choices.next(12)))
    case 54..<57: readPointer(index)
    case 57: storeAnything(index)
    case 58: readAnything(index)
    case 59: writeAnything(index)
    case 60: changeHardware(index)
    case 61: changeOwners(index)
    case 62: changeRace(index)
    default: seldom(index)
    }
    steps += 1
  }

  // MARK: Registers

  private mutating func write(
    _ index: Int, _ offset: UInt64, _ width: AccessWidth, _ value: UInt64, cpu: Int
  ) {
    let effect = world.services[index].write(offset, width, value, cpu: UInt64(cpu))
    if traces {
      print(
        steps, "ITS", index, "CPU", cpu, hex(offset), width, hex(value), effect, "taken",
        world.services[index].taken, "posted", queues[index].posted.map(String.init) ?? "-")
    }
    guard effect == .again else { return }
    // A handler that interrupts a store may be interrupted too, and so on.
    if unfinished[cpu].count == 6 {
      queues[unfinished[cpu].removeFirst().service].posted = nil
    }
    unfinished[cpu].append(
      Unfinished(
        service: index, offset: offset, width: width, value: value,
        posted: queues[index].posted ?? 0))
  }

  private mutating func anyCPU() -> Int { Int(choices.next(UInt64(world.setup.processors))) }

  /// Disables an ITS, gives it a queue and tables, and enables it.
  private mutating func reset(_ index: Int) {
    let cpu = anyCPU()
    write(index, 0, .word, 0, cpu: cpu)
    runHardware(index, 8)
    // A driver would wait; this one goes on, and what it writes waits.
    var isQuiescent = false
    if case .value(let value) = world.services[index].read(0, .word, cpu: UInt64(cpu)) {
      isQuiescent = value >> 31 != 0 && world.services[index].accessesToAbort == nil
    }
    let size = 1 + choices.next(2)
    var page = Int(choices.next(4)) * 2 + index * 8
    // Two ITSes may have a page in common.
    if world.services.count > 1, choices.next(4) == 0 { page = 1 + Int(choices.next(8)) * 2 }
    let tables = queues[index].tables
    queues[index] = Queue(
      base: world.hostPage(page), size: size << 12, posted: isQuiescent ? 0 : nil)
    // A queue that is not the host's stalls.
    if steps % 32 == 0 {
      queues[index].base = world.arena(index)
      queues[index].posted = nil
    }
    // Another kernel begins, or this one while stores are under way, which it must not.
    if choices.next(4) != 0 {
      for cpu in unfinished.indices { unfinished[cpu].removeAll { $0.service == index } }
    } else if unfinished.contains(where: { $0.contains { $0.service == index } }) {
      queues[index].posted = nil
    }
    let attributes =
      choices.next(4) == 0 ? MemoryAttributes.nonCacheable : MemoryAttributes.coherent
    if !MemoryAttributes.isCoherent(attributes) { queues[index].mapping = .nonCoherentDevice }
    write(
      index, 0x80, .double,
      GITSCommandBase(base: queues[index].base, pages: size, attributes: attributes).rawValue,
      cpu: cpu)
    write(index, 0x88, .double, 0, cpu: cpu)
    setTables(index, attributes, tables, cpu: cpu)
    write(index, 0, .word, 1, cpu: cpu)
    steps += 6
  }

  /// Gives a disabled ITS tables, as a driver does that looks first; or those that it had, zeroed or not.
  private mutating func setTables(
    _ index: Int, _ attributes: UInt64, _ old: [Int: UInt64], cpu: Int
  ) {
    _ = world.services[index].read(ITSRegister.type.offset, .double, cpu: UInt64(cpu))
    let resumes = choices.next(4) == 0
    if !resumes || choices.next(2) == 0 {
      // The first level of the devices that are used most, and the first entry of one level.
      for offset in stride(from: 0, to: 64, by: 8) as StrideTo<UInt64> {
        world.store(0, at: world.hostPage(16) + offset, by: queues[index].mapping)
      }
    }
    for number in world.gic.services[index].configuration.tables.indices
    where choices.next(8) != 0 {
      let offset = ITSRegister.tableBases.offset + UInt64(number) * 8
      _ = world.services[index].read(offset, .double, cpu: UInt64(cpu))
      let value =
        GITSTableBase(
          base: world.hostPage(16),
          pages: world.setup.arenaPages == WorldSetup.manyPages ? 8 : 1 + choices.next(2),
          pageSize: .kib4,
          isIndirect: choices.next(2) == 0, attributes: attributes
        ).rawValue
      queues[index].tables[number] = resumes ? old[number] ?? value : value
      write(index, offset, .double, queues[index].tables[number] ?? value, cpu: cpu)
    }
  }

  /// An ITS loses its power: mostly disabled and Quiescent, seldom at any time.
  private mutating func losePower(_ index: Int) {
    let cpu = anyCPU()
    let isSafe = choices.next(4) != 0
    if isSafe {
      write(index, 0, .word, 0, cpu: cpu)
      runHardware(index, Int(choices.next(8)))
      guard case .value(let value) = world.services[index].read(0, .word, cpu: UInt64(cpu)),
        value == 1 << 31, !world.services[index].isBroken
      else { return }
    } else if choices.next(4) != 0 {
      // Disabled, and it has not come to rest.
      let hardware = world.gic.services[index]
      hardware.pace = .manual
      hardware.hang(after: 0)
      write(index, 0, .word, 0, cpu: cpu)
      hardware.hang(after: nil)
    }
    world.losePower(index, choices.next(2) == 0 ? .restores : .leaves, &choices)
    queues[index].posted = nil
    guard isSafe || choices.next(2) == 0 else { return }
    reset(index)
    mapCollections(index)
  }

  /// The system is suspended, or a CPU alone, of which EL2 learns when that wakes.
  ///
  /// The hardware keeps its registers or loses them, and firmware restores them, well or badly.
  private mutating func suspend() {
    let isWhole = choices.next(4) != 0
    if isWhole { for service in world.services { service.pause() } }
    // A system that another CPU keeps awake for a while.
    if choices.next(8) == 0 { for _ in 0..<choices.next(4) { step() } }
    for index in world.services.indices {
      runHardware(index, Int(choices.next(4)))
      switch choices.next(isWhole ? 16 : 64) {
      case 0..<3: world.losePower(index, .restores, &choices)
      case 3: world.losePower(index, .leaves, &choices)
      case 4:
        let kinds = World.Misrestored.allCases
        let kind = kinds[Int(choices.next(UInt64(kinds.count)))]
        // Another table would be used by an ITS that runs.
        if isWhole || kind == .noQueue { world.misrestore(index, kind) }
      default: break
      }
    }
    for service in world.services { service.wake() }
  }

  private mutating func mapCollections(_ index: Int) {
    for collection in 0..<UInt16(world.setup.processors) {
      put(.mapc(collection, target: target(index, Int(collection))), index)
    }
    ring(index)
  }

  private func target(_ index: Int, _ processor: Int) -> UInt64 {
    world.gic.target(
      of: processor, byAddress: world.gic.services[index].configuration.targetsAreAddresses)
  }

  private mutating func ring(_ index: Int) {
    let cpu = anyCPU()
    var queue = queues[index]
    if let posted = queue.posted { queue.posted = posted + queue.staged }
    // A driver rings for new commands only; of the same value twice on one CPU nobody can tell which
    // one runs again.
    if queue.staged == 0, unfinished[cpu].contains(where: { $0.service == index }) {
      queue.posted = nil
    }
    queue.staged = 0
    queues[index] = queue
    let flag = choices.next(8) == 0
    let width: AccessWidth = choices.next(2) == 0 ? .word : .double
    write(
      index, 0x88, width, GITSQueuePointer(offset: queue.write, flag: flag).rawValue, cpu: cpu)
    checkHonesty(index)
  }

  private mutating func runAgain(mayGiveUp: Bool = true) {
    let cpu = anyCPU()
    guard let last = unfinished[cpu].popLast() else {
      runHardware(Int(choices.next(UInt64(world.services.count))), 4)
      return
    }
    // Now and then it is given up instead.
    if mayGiveUp, choices.next(16) == 0 {
      queues[last.service].posted = nil
      return
    }
    write(last.service, last.offset, last.width, last.value, cpu: cpu)
    checkHonesty(last.service)
  }

  private mutating func readPointer(_ index: Int) {
    let width: AccessWidth = choices.next(2) == 0 ? .word : .double
    let effect = world.services[index].read(0x90, width, cpu: UInt64(anyCPU()))
    guard case .value(let value) = effect else {
      if world.services[index].accessesToAbort == nil {
        world.report("GITS_CREADR answers with an abort")
      }
      return
    }
    let pointer = GITSQueuePointer(rawValue: value)
    if queues[index].posted != nil {
      let size = queues[index].size
      if pointer.offset >= size { world.report("GITS_CREADR past the end") }
      let before = (queues[index].write &- queues[index].read) & (size - 1)
      let after = (queues[index].write &- pointer.offset) & (size - 1)
      if after > before { world.report("GITS_CREADR goes back, or past GITS_CWRITER") }
      queues[index].read = pointer.offset
    }
    checkHonesty(index)
  }

  /// A host that keeps to the rules has each of its commands taken once.
  private func checkHonesty(_ index: Int) {
    guard let posted = queues[index].posted else { return }
    if world.services[index].taken > posted { world.report("a command is taken twice") }
  }

  // MARK: Commands

  private mutating func put(_ command: ITSCommand, _ index: Int) {
    let queue = queues[index]
    for word in 0..<4 {
      world.store(
        command.words[word], at: queue.base + queue.write + UInt64(word) * 8, by: queue.mapping)
    }
    queues[index].write = (queue.write + ITSCommand.size) & (queue.size - 1)
    queues[index].staged += 1
    steps += 1
  }

  private mutating func stage(_ index: Int) {
    let queue = queues[index]
    // A full queue is respected, mostly.
    let outstanding = (queue.write &- queue.read) & (queue.size - 1)
    if outstanding + 64 >= queue.size || isFarAhead(index) {
      if choices.next(64) != 0 {
        runAgain()
        ring(index)
        readPointer(index)
        runHardware(index, 8)
        return
      }
      queues[index].posted = nil
    }
    var command = anyCommand(index)
    if choices.next(16) == 0 {
      let bit = 1 << choices.next(64) as UInt64
      switch choices.next(4) {
      case 0: command.word0 ^= bit
      case 1: command.word1 ^= bit
      case 2: command.word2 ^= bit
      default: command.word3 ^= bit
      }
    }
    put(command, index)
    steps -= 1
  }

  /// Whether half a queue was asked for since a store that has not run again yet.
  private func isFarAhead(_ index: Int) -> Bool {
    guard let posted = queues[index].posted else { return false }
    let half = queues[index].size / ITSCommand.size / 2
    return unfinished.contains {
      $0.contains { $0.service == index && posted + queues[index].staged + 1 >= $0.posted + half }
    }
  }

  /// A number that is mostly small, or just at a limit, or anything.
  private mutating func number(_ small: UInt64, _ limit: UInt64) -> UInt64 {
    switch choices.next(32) {
    case 0: limit
    case 1: limit &- 1
    case 2: choices.word()
    default: choices.next(small)
    }
  }

  private mutating func anyTarget(_ index: Int) -> UInt64 {
    switch choices.next(32) {
    case 0: UInt64(world.setup.processors)
    case 1: world.arena(0) >> 16
    case 2: choices.word() & 0xf_ffff_ffff
    case 3: target(index, 0) + 1
    default: target(index, anyCPU())
    }
  }

  private mutating func anyCommand(_ index: Int) -> ITSCommand {
    let configuration = world.gic.services[index].configuration
    if world.setup.offersVPEs, choices.next(2) == 0 { return anyVirtualCommand(index) }
    let devices: UInt64 = world.setup.arenaPages == WorldSetup.manyPages ? 2048 : 8
    let device = UInt32(truncatingIfNeeded: number(devices, 1 << configuration.deviceIDBits))
    let event = UInt32(truncatingIfNeeded: number(8, 1 << configuration.eventIDBits))
    let collection = UInt16(
      truncatingIfNeeded: number(4, 1 << configuration.collectionIDBits))
    switch choices.next(24) {
    case 0..<4:
      // Many devices fit where each has a page.
      var bits = 1 + choices.next(6)
      if choices.next(8) == 0 { bits = configuration.eventIDBits &- 1 &+ choices.next(3) }
      if world.setup.arenaPages == WorldSetup.manyPages { bits = min(bits, 8) }
      return choices.next(devices > 8 ? 16 : 3) == 0
        ? choices.next(2) == 0
          ? .unmapd(device)
          : ITSCommand(.init(UInt64(device) << 32 | 8), choices.next(32), anyAddress() & ~0xff)
        : .mapd(
          device, table: bits == 4 ? UInt64(device) << 12 : anyAddress(), eventIDBits: bits & 0x1f)
    case 4..<6:
      return choices.next(4) == 0
        ? .unmapc(collection) : .mapc(collection, target: anyTarget(index))
    case 6..<10:
      return .mapti(device, event, interrupt: anyInterrupt(), collectionID: collection)
    case 10:
      // Device 0 has EventIDs that are LPIs, where there are so many.
      if configuration.eventIDBits == 14, choices.next(4) == 0 {
        return .mapd(0, table: anyAddress(), eventIDBits: 14)
      }
      let event = choices.next(4) == 0 ? event : anyInterrupt()
      return .mapi(
        choices.next(2) == 0 ? 0 : device, event,
        collectionID: choices.next(4) == 0 ? 0xffff : collection)
    case 11:
      return .movi(device, event, collectionID: choices.next(8) == 0 ? 0xffff : collection)
    case 12: return .event(.discard, device, event)
    case 13, 14: return .event(.int, device, event)
    case 15: return .event(.clear, device, event)
    case 16, 17: return .event(.inv, device, event)
    case 18: return .invall(collection)
    case 19: return .movall(from: anyTarget(index), to: anyTarget(index))
    case 20, 21: return .sync(target: anyTarget(index))
    case 22:
      let numbers: [UInt64] = [0x21, 0x22, 0x23, 0x25, 0x29, 0x2a, 0x2b, 0x2d, 0x2e]
      return ITSCommand(
        numbers[Int(choices.next(9))] | UInt64(device) << 32, choices.word(),
        anyAddress() | 1 << 63,
        anyAddress())
    default:
      return ITSCommand(choices.word(), choices.word(), choices.word(), choices.word())
    }
  }

  private mutating func anyVirtualCommand(_ index: Int) -> ITSCommand {
    let vpe = UInt16(truncatingIfNeeded: number(4, 1 << 16))
    let event = UInt64(UInt32(truncatingIfNeeded: number(8, 1 << 5))) | UInt64(vpe) << 32
    let doorbells = [1023, anyInterrupt(), UInt32(choices.next(8192)), UInt32(choices.next(8192))]
    let doorbell = UInt64(doorbells[Int(choices.next(4))]) << 32
    // Drivers name the VLPI frame, two frames behind.
    let target = anyTarget(index) &+ [0, 0, 2, 1][Int(choices.next(4))]
    func command(_ opcode: ITSOpcode, _ word1: UInt64, _ word2: UInt64 = 0) -> ITSCommand {
      ITSCommand(UInt64(opcode.rawValue), word1, word2)
    }
    switch choices.next(18) {
    case 0..<3:
      // Most fit an ITS of 14 bits.
      let bits = choices.next(8) == 0 ? 12 + choices.next(6) : 14
      let table = choices.next(8) == 0 ? anyAddress() : world.vpeTable(Int(choices.next(8)))
      return .vmapp(vpe, target: target, pendingTable: table, virtualIDBits: bits)
    case 3: return .unvmapp(vpe)
    case 4..<9:
      let virtual = choices.next(4) == 0 ? UInt32(choices.next(1 << 17)) : anyInterrupt()
      var mapped = command(.vmapti, event, UInt64(virtual) | doorbell)
      mapped.word0 |= choices.next(8) << 32
      return mapped
    case 9:
      // Device 0 has EventIDs that are LPIs, where there are so many.
      return command(.vmapi, UInt64(vpe) << 32 | UInt64(anyInterrupt()), doorbell)
    case 10..<13:
      var moved = command(.vmovi, event, choices.next(2) | doorbell)
      moved.word0 |= choices.next(8) << 32
      return moved
    case 13, 14: return command(.vmovp, UInt64(vpe) << 32 | 0b11, target << 16)
    case 15: return command(.vinvall, UInt64(vpe) << 32)
    case 16: return .vsync(vpe)
    default: return command(choices.next(2) == 0 ? .vsgi : .invdb, UInt64(vpe) << 32)
    }
  }

  private mutating func anyInterrupt() -> UInt32 {
    switch choices.next(16) {
    case 0: 8191
    case 1: 1 << UInt32(WorldSetup.interruptIDBits)
    case 2: UInt32(truncatingIfNeeded: choices.word())
    default: 8192 + UInt32(choices.next(64))
    }
  }

  /// An address that it would like the hardware to use.
  private mutating func anyAddress() -> UInt64 {
    switch choices.next(4) {
    case 0: world.hostPage(Int(choices.next(32))) + choices.next(16) << 8
    case 1: world.arena(0) + choices.next(world.setup.arenaPages) << 12
    case 2: 0x8800_0000 + choices.next(64) << 12
    default: choices.word() & 0x000f_ffff_ffff_ff00
    }
  }

  // MARK: Memory, and what else there is

  private mutating func storeAnything(_ index: Int) {
    let queue = queues[index]
    let base = choices.next(4) == 0 ? world.hostPage(Int(choices.next(32))) : queue.base
    world.store(choices.word(), at: base + choices.next(512) * 8)
    // What it has asked for already may be something else now.
    let command = anyCommand(index)
    let offset = (queue.write &- (1 + choices.next(8)) * 32) & (queue.size - 1)
    for word in 0..<4 {
      world.store(command.words[word], at: queue.base + offset + UInt64(word) * 8)
    }
  }

  private mutating func anyOffset() -> UInt64 {
    switch choices.next(4) {
    case 0: choices.next(0x1_0000)
    case 1: 0x100 + choices.next(0x40)
    case 2: 0xffd0 + choices.next(0x30)
    default: choices.next(0xa0)
    }
  }

  private mutating func anyWidth() -> AccessWidth {
    AccessWidth(rawValue: UInt8(choices.next(4))) ?? .word
  }

  private mutating func readAnything(_ index: Int) {
    let width = anyWidth()
    let offset = choices.next(2) == 0 ? anyOffset() : anyOffset() & ~(width.bytes - 1)
    _ = world.services[index].read(offset, width, cpu: UInt64(anyCPU()))
  }

  private mutating func writeAnything(_ index: Int) {
    let width = anyWidth()
    let offset = choices.next(2) == 0 ? anyOffset() : anyOffset() & ~(width.bytes - 1)
    let value =
      choices.next(2) == 0 ? choices.word() : anyAddress() | choices.next(1 << 12) | 1 << 63
    if offset & ~7 == 0x88 || offset & ~7 == 0x80 { queues[index].posted = nil }
    // Disabled for long, nothing would happen any more.
    if offset & ~7 == 0, value & 1 == 0, choices.next(4) != 0 { return }
    write(index, offset, width, value, cpu: anyCPU())
  }

  private mutating func runHardware(_ index: Int, _ count: Int) {
    for _ in 0..<count {
      guard world.gic.services[index].step() else { break }
      steps += 1
    }
    world.services[index].checkFailures()
  }

  private mutating func changeHardware(_ index: Int) {
    let service = world.gic.services[index]
    switch choices.next(12) {
    case 0, 1, 2, 3: service.pace = .manual
    case 4, 5: service.pace = .steps(Int(choices.next(3)))
    case 6: service.pace = .instant
    case 7: service.stall(after: choices.next(8))
    case 8: service.hang(after: choices.next(2) == 0 ? choices.next(8) : nil)
    case 9: service.writeBackEntries()
    case 10: world.services[index].writeLate()
    default: world.services[index].storesPerStep = Int(choices.next(8))
    }
    if choices.next(2) == 0 { service.hang(after: nil) }
  }

  private mutating func changeOwners(_ index: Int) {
    // The pages of its queues are changed seldom: without a queue, nothing else happens.
    let page = choices.next(8) == 0 ? choices.next(16) : 16 + choices.next(16)
    switch choices.next(3) {
    case 0: world.share(Int(page), choices.next(4) == 0)
    default: world.changeOwner(Int(page))
    }
    for page in 0..<16 where choices.next(2) == 0 && !world.reaches(page) {
      world.changeOwner(page)
    }
    // What it has not shared stays as EL2 has left it.
    for page in 0..<16 where choices.next(2) == 0 && world.hasShared(page) {
      world.share(page, false)
    }
  }

  private mutating func changeRace(_ index: Int) {
    let mask = choices.word()
    switch choices.next(4) {
    case 0: world.services[index].race = { $0 ^ mask }
    case 1: world.services[index].race = { $0 ^ 1 << (mask & 63) }
    default: world.services[index].race = nil
    }
  }

  /// More commands than EL2's own queue holds, while the hardware stands still.
  private mutating func flood(_ index: Int) {
    world.gic.services[index].pace = .manual
    queues[index].posted = nil
    for _ in 0..<24 {
      for _ in 0..<100 { put(.sync(target: target(index, 0)), index) }
      ring(index)
      finish()
    }
  }

  /// Devices come and go while the hardware stands still, until EL2 has no memory or unmaps nothing more.
  private mutating func churn(_ index: Int) {
    world.gic.services[index].pace = .manual
    queues[index].posted = nil
    for round in 0..<10 as Range<UInt32> {
      for device in 0..<30 as Range<UInt32> {
        put(.mapd(device, table: UInt64(round) << 12, eventIDBits: 1), index)
        if choices.next(4) == 0 { put(.unmapd(device), index) }
      }
      ring(index)
      finish()
    }
    runHardware(index, 4096)
    finish()
  }

  /// Runs stores that are unfinished again, while there are any; the hardware does nothing meanwhile.
  private mutating func finish() {
    for _ in 0..<256 {
      guard let cpu = unfinished.indices.first(where: { !unfinished[$0].isEmpty }) else { return }
      let last = unfinished[cpu].removeLast()
      write(last.service, last.offset, last.width, last.value, cpu: cpu)
    }
  }

  /// A store waits for hardware that never becomes Quiescent, until EL2 gives up, and some more stores after that.
  private mutating func waitInVain(_ index: Int) {
    let service = world.services[index]
    let hardware = world.gic.services[index]
    hardware.pace = .manual
    hardware.hang(after: 0)
    for cpu in unfinished.indices { unfinished[cpu].removeAll { $0.service == index } }
    queues[index].posted = nil
    _ = service.write(0, .word, 0, cpu: 0)
    for _ in 0..<1 << 16 + 64 { _ = service.write(0x80, .double, 0, cpu: 0) }
    hardware.hang(after: nil)
  }

  /// Queues in ever new places far from each other, each of which EL2 holds for a while.
  private mutating func moveFar(_ index: Int) {
    for cpu in unfinished.indices { unfinished[cpu].removeAll { $0.service == index } }
    let service = world.services[index]
    for area in 1..<BoardLayout.farAreas {
      _ = service.write(0, .word, 0, cpu: 0)
      runHardware(index, 8)
      let queue = GITSCommandBase(
        base: BoardLayout.ram + area << 21, pages: 1, attributes: MemoryAttributes.coherent)
      _ = service.write(0x80, .double, queue.rawValue, cpu: 0)
      _ = service.write(0, .word, 1, cpu: 0)
      _ = service.write(0x88, .double, ITSCommand.size, cpu: 0)
    }
    reset(index)
    mapCollections(index)
  }

  /// What would end most of what goes on, if it came often.
  private mutating func seldom(_ index: Int) {
    switch choices.next(26) {
    case 0..<3:
      // With its tables the host gives up its devices, which are wanted where there are many.
      guard world.setup.arenaPages != WorldSetup.manyPages || choices.next(64) == 0 else { return }
      reset(index)
      mapCollections(index)
    case 3: write(index, 0, .word, choices.next(2), cpu: anyCPU())
    case 4..<8: write(index, 0, .word, 1, cpu: anyCPU())
    case 8: world.gic.memory.cleanAll()
    case 9..<16:
      let service = world.gic.services[index]
      service.message(device: UInt32(choices.next(8)), event: UInt32(choices.next(8)))
    case 16:
      guard choices.next(64) == 0 else { return }
      world.services[index].accessesToAbort = Int(choices.next(8))
      queues[index].posted = nil
    case 17: losePower(index)
    case 24, 25: suspend()
    case 20: if choices.next(32) == 0 { flood(index) }
    case 21 where steps % 512 == 0: waitInVain(index)
    case 22: if choices.next(32) == 0 { moveFar(index) }
    case 23: if choices.next(32) == 0 { churn(index) }
    case 18, 19:
      // Memory of the host goes away under EL2, and comes back.
      world.gic.memory.answerAgain()
      guard choices.next(2) == 0 else { return }
      world.gic.memory.silence(
        world.hostPage(Int(choices.next(16))) + choices.next(8) * 512, size: 512)
    default: runHardware(index, 64)
    }
  }
}
