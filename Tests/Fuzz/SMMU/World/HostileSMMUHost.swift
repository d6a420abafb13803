// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import FuzzWorld
import SMMU
import Simulation
import SimulatedHardware
import VirtualSMMU

/// A host that does to its SMMU whatever its choices say, and its devices with it.
///
/// Most steps nearly make sense, so that the next one finds something: queues that are on, entries that lead to
/// contexts, contexts that lead to tables.
package struct HostileSMMUHost<Source: Choices> {
  typealias Place = HostSMMUDriver.Place

  package let world: NestedWorld
  package var choices: Source
  package private(set) var steps: UInt64 = 0
  private let host: HostSMMUDriver
  /// What a device was answered with that it must never be; nil for nothing.
  package private(set) var wrongAnswer: String?
  /// How many accesses of devices have ended well.
  package private(set) var completed: UInt64 = 0
  /// How many have not.
  package private(set) var aborted: UInt64 = 0
  private var donations = 0
  /// Whether the hardware has failed at commands now and then.
  package private(set) var hasFailed = false
  private let mayFail: Bool
  private var interestingAddresses: [UInt64] = []

  /// Begins a life; with `mayFail` the hardware fails at commands now and then.
  package init(_ world: NestedWorld, _ choices: Source, mayFail: Bool = false) {
    self.world = world
    self.mayFail = mayFail
    self.choices = choices
    host = HostSMMUDriver(world)
    interestingAddresses = [
      Place.commands, Place.events, Place.streams, Place.streams + 0x1000, Place.secondLevel,
      Place.secondLevel + 0x1000, Place.context, Place.table1, Place.table2, Place.data,
      Place.data + 0x1000, NestedWorld.canary.lowerBound, 0x4300_0000, 0x4380_0000, 0x43c0_0000,
      0x905_0000, 0, 1 << 40, 1 << 47,
    ]
    switch self.choices.next(4) {
    case 0: host.buildStage1()
    case 1:
      host.start(log2: 10, split: [6, 8, 10][Int(self.choices.next(3))])
      populate(isTwoLevel: true)
    default:
      host.start()
      populate(isTwoLevel: false)
    }
  }

  /// One step.
  package mutating func step() {
    steps += 1
    if mayFail, choices.next(64) == 0 { return fail() }
    switch choices.next(100) {
    case 0..<22: device()
    case 22..<44: command()
    case 44..<56: entry()
    case 56..<62: descriptor()
    case 62..<70: stage1()
    case 70..<80: register()
    case 80..<85: read()
    case 85..<90: recover()
    case 90..<94: world.store(address() & ~7, choices.word())
    case 94:
      if choices.next(4) == 0, world.giveBack() { donations -= 1 }
      // Most of a life should have pages left.
      if donations < 3, choices.next(8) == 0 { donate() }
    case 95: world.smmu.land()
    case 96:
      switch choices.next(9) {
      case 0..<2: silence()
      case 2: flood()
      default: restart()
      }
    case 97: world.smmu.pace = choices.next(2) == 0 ? .instant : .steps(1 + Int(choices.next(8)))
    default: host.put(Place.commands + choices.next(256) * 16, choices.word(), choices.word())
    }
  }

  // MARK: Choices

  private mutating func stream() -> UInt64 {
    switch choices.next(8) {
    case 0..<5: choices.next(8)
    case 5: choices.next(1024)
    case 6: 517
    default: choices.word() & 0xffff_ffff
    }
  }

  private mutating func address() -> UInt64 {
    let base = interestingAddresses[Int(choices.next(UInt64(interestingAddresses.count)))]
    return base + (choices.next(4) == 0 ? choices.next(0x1000) : choices.next(8) * 8)
  }

  private mutating func flips(_ word: UInt64) -> UInt64 {
    choices.next(4) == 0 ? word ^ 1 << choices.next(64) : word
  }

  /// The first word of a context, which asks for stalls now and then.
  private mutating func context() -> UInt64 {
    flips(HostSMMUDriver.contextWord0) | (choices.next(4) == 0 ? 1 << 44 : 0)
  }

  // MARK: Steps

  private mutating func device() {
    let stream = UInt32(truncatingIfNeeded: stream())
    let place = choices.next(3) == 0 ? address() : choices.next(16) << 9
    var transaction = DeviceTransaction(stream, place & ~7)
    if choices.next(2) == 0 { transaction.value = choices.word() }
    if choices.next(8) == 0 {
      transaction.substream = SubstreamID(UInt32(choices.next(20)))
    }
    switch choices.next(12) {
    case 0: transaction.type = .translated
    case 1: transaction.type = .request
    case 2: transaction.type = .unsupported
    default: break
    }
    switch choices.next(8) {
    case 0: _ = world.smmu.post(transaction)
    case 1: world.smmu.prefetch(transaction)
    default: take(world.smmu.process(transaction), transaction)
    }
  }

  private mutating func take(_ response: DeviceResponse, _ transaction: DeviceTransaction) {
    switch response {
    case .completed:
      completed += 1
      if !world.mayReach(transaction.stream) {
        wrongAnswer = "stream \(transaction.stream.rawValue), which may reach nothing, does"
      }
    case .aborted: aborted += 1
    case .stalled: wrongAnswer = "a device stalls"
    case .translation(nil, _, _): break
    case .translation: wrongAnswer = "a device that asks for a translation gets one"
    }
  }

  private mutating func command() {
    let numbers: [UInt64] = [
      0x01, 0x02, 0x03, 0x03, 0x03, 0x04, 0x05, 0x06, 0x10, 0x11, 0x12, 0x12, 0x13, 0x30, 0x46,
    ]
    var commands: [(UInt64, UInt64)] = []
    for _ in 0...choices.next(4) {
      let number =
        choices.next(32) == 0
        ? choices.next(256) : numbers[Int(choices.next(UInt64(numbers.count)))]
      var word0 = number | stream() << 32
      var word1: UInt64 = 0
      switch number {
      case 0x03, 0x05: word1 = choices.next(2)
      case 0x04: word1 = choices.next(2) == 0 ? 31 : choices.next(12)
      case 0x11, 0x12, 0x13:
        word0 = number | 9 << 48 | choices.next(4) << 32
        word1 = choices.next(4) << 12 | choices.next(2)
        if choices.next(3) == 0 {
          word0 |= choices.next(4) << 12 | choices.next(3) << 20
          word1 |= 1 << 10 | choices.next(4) << 8
        }
      case 0x46:
        word0 = number | choices.next(3) << 12
        if choices.next(4) == 0 { word1 = address() }
      default: break
      }
      if choices.next(16) == 0 { word1 = choices.word() }
      // SSec
      if choices.next(48) == 0 { word0 |= 1 << 10 }
      commands.append((flips(word0), word1))
    }
    host.post(commands)
    if choices.next(2) == 0 { host.wait(reads: 20) }
  }

  private mutating func entry() {
    let stream = choices.next(4) == 0 ? choices.next(256) : choices.next(8)
    var word0: UInt64 =
      switch choices.next(10) {
      case 0: 0
      case 1: 0b0001
      case 2..<5: 0b1001
      case 5: 0b1101 | address() & ~0x3f
      case 6: 0b1111 | address() & ~0x3f
      default: 0b1011 | Place.context
      }
    if choices.next(8) == 0 { word0 |= choices.next(20) << 59 | choices.next(4) << 4 }
    var word1 = HostSMMUDriver.attributes
    if choices.next(8) == 0 { word1 |= choices.next(4) }
    if choices.next(8) == 0 { word1 |= 1 << (choices.next(64)) }
    let place =
      choices.next(2) == 0
      ? Place.streams + stream * 64 : Place.secondLevel + (stream & 63) * 64
    host.put(place, flips(word0), flips(word1), choices.word(), address())
    guard choices.next(4) != 0 else { return }
    host.post((0x03 | stream << 32, 1), (0x46, 0))
  }

  private mutating func descriptor() {
    let place = Place.streams + choices.next(16) * 8
    host.put(place, flips((choices.next(4) == 0 ? address() : Place.secondLevel) & ~0x3f | 7))
  }

  private mutating func stage1() {
    switch choices.next(6) {
    case 0: host.buildStage1(target: address() & ~0xfff)
    case 1: host.put(Place.context, context(), address() & ~0xfff)
    case 2: host.put(Place.table1, address() & ~0xfff | 0b11)
    case 3:
      host.put(
        Place.table2 + choices.next(16) * 8, flips(address() & ~0xfff | HostSMMUDriver.leaf))
    case 4:
      host.put(Place.context + (choices.next(2) == 0 ? 0 : choices.next(20)) * 64, context())
    default: host.buildStage1()
    }
  }

  private mutating func register() {
    let offsets: [UInt64] = [
      0x20, 0x20, 0x28, 0x2c, 0x34, 0x44, 0x50, 0x54, 0x64, 0x68, 0x70, 0x80, 0x84, 0x88, 0x90,
      0x94, 0x98,
      0x9c, 0xa0, 0xa4, 0xb0, 0xb8, 0xc0, 0x100, 0x100a8, 0x100ac, 0x100c8,
    ]
    let offset =
      choices.next(16) == 0
      ? choices.next(0x2_0000) & ~3 : offsets[Int(choices.next(UInt64(offsets.count)))]
    let value: UInt64 =
      switch choices.next(4) {
      // GBPA with Update
      case _ where offset == 0x44: 1 << 31 | choices.next(4) << 19
      case 0: choices.word()
      case 1: address() | choices.next(16)
      case 2: choices.next(16)
      default: 1 << choices.next(64)
      }
    let width = choices.next(3) == 0 ? AccessWidth.double : .word
    guard offset & (width.bytes - 1) == 0 else { return }
    world.write(width, offset, value)
  }

  private mutating func read() {
    let offsets = [0x24, 0x54, 0x60, 0x9c, 0x9c, 0x100a8, 0x100a8, choices.next(16) * 4]
    let offset =
      choices.next(8) == 0
      ? choices.next(0x2_0000) & ~3 : offsets[Int(choices.next(UInt64(offsets.count)))]
    _ = world.read(.word, offset)
  }

  /// What an honest driver does about a queue that has stopped, and events that wait.
  private mutating func recover() {
    if host.stop != nil {
      let consumed = host.read(0x9c) & 0xff
      host.put(Place.commands + consumed * 16, 0x46, 0)
    }
    host.write(0x64, host.read(0x60))
    host.write(0x100ac, host.read(0x100a8))
    host.wait(reads: 20)
  }

  /// The host gives a page up, most often one that a device is at before and after.
  private mutating func donate() {
    let used = [Place.data, Place.data + 0x1000, Place.table2, Place.context]
    let page = choices.next(4) == 0 ? address() : used[Int(choices.next(8) / 2)]
    let stream = UInt32(choices.next(4))
    approach(stream)
    if world.donate(page) { donations += 1 }
    approach(stream)
  }

  /// The hardware stops at a command, or is not done with it while EL2 waits, and goes on later.
  private mutating func fail() {
    hasFailed = true
    switch choices.next(4) {
    case 0: world.smmu.hang(after: choices.next(4))
    case 1: world.smmu.failCommand(after: choices.next(4), .abort)
    default: world.smmu.failCommand(after: choices.next(4), .illegal)
    }
    if donations >= 3, world.giveBack() { donations -= 1 }
    // A host of which a command is not confirmed has no SMMU any more.
    if choices.next(2) == 0 { command() } else { donate() }
    world.smmu.hang(after: nil)
    world.smmu.failCommand(after: nil)
  }

  /// More events than the host's queue holds, which it does not look at.
  private mutating func flood() {
    for number in 0..<160 as Range<UInt64> {
      let transaction = DeviceTransaction(UInt32(number % 8), 1 << 40 | number << 12)
      take(world.smmu.process(transaction), transaction)
      if number % 16 == 0 { _ = host.read(0x100a8) }
    }
    for _ in 0..<8 { _ = host.read(0x100a8) }
  }

  /// A device accesses what the first two pages of stage 1 are.
  private mutating func approach(_ stream: UInt32) {
    for place: UInt64 in [0, 0x1000] {
      let transaction = DeviceTransaction(stream, place)
      take(world.smmu.process(transaction), transaction)
    }
  }

  /// Memory of the host goes away under EL2, and comes back.
  private mutating func silence() {
    world.smmu.memory.answerAgain()
    guard choices.next(4) != 0 else { return }
    let places = [Place.commands, Place.events, Place.streams, Place.secondLevel]
    world.smmu.memory.silence(
      places[Int(choices.next(4))] + choices.next(8) * 512, size: 512)
  }

  private mutating func restart() {
    host.control(0)
    host.write(0x64, host.read(0x60))
    let isTwoLevel = choices.next(2) != 0
    if isTwoLevel { host.start(log2: 10, split: 6) } else { host.start() }
    populate(isTwoLevel: isTwoLevel)
    if choices.next(2) == 0 { changeStage1(isTwoLevel: isTwoLevel) }
  }

  /// The first stream gets a stage 1 of its own, and another one in its place as the specification has it, in one
  /// doorbell's batch: the context is forgotten and that confirmed, and then what was translated by it.
  private mutating func changeStage1(isTwoLevel: Bool) {
    let entry = isTwoLevel ? Place.secondLevel : Place.streams
    let context = Place.data + 0x4000
    // No other stream has the ASID.
    let word0 = HostSMMUDriver.contextWord0 & ~(0xffff << 48) | 77 << 48
    let old: UInt64 = 0x01d
    host.buildStage1()
    host.put(Place.data, old)
    host.put(Place.data + 0x1000, ~old)
    host.put(Place.data + 0x2000, (Place.data + 0x3000) | 0b11)
    host.put(Place.data + 0x3000, (Place.data + 0x1000) | HostSMMUDriver.leaf)
    host.put(context, word0, Place.table1)
    host.put(entry, 0b1011 | context, HostSMMUDriver.attributes)
    host.post((0x03, 1), (0x46, 0))
    let read = DeviceTransaction(0, 0)
    guard host.wait(reads: 50) != nil, world.smmu.process(read) == .completed(old) else { return }
    host.put(context, word0, Place.data + 0x2000)
    // Each takes the context: by itself, with its stream's others, and with an entry that stays the same.
    let commands: [(UInt64, UInt64)] = [
      (0x05, 1), (0x06, 0), (0x03, choices.next(2)), (0x04, choices.next(6)), (0x04, 31),
    ]
    host.post(commands[Int(choices.next(5))], (0x46, 0), (0x11 | 77 << 48, 0), (0x46, 0))
    // CMD_CFGI_ALL may read an entry a trap.
    guard host.wait(reads: 1200) != nil, host.stop == nil else { return }
    if world.smmu.process(read) == .completed(old) {
      wrongAnswer = "a device goes by a stage 1 that the host has replaced"
    }
    // What the device comes to by both stages is given up.
    if donations < 3, choices.next(4) == 0, world.donate(Place.data + 0x1000) {
      donations += 1
      take(world.smmu.process(read), read)
    }
    host.put(entry, 0b1011 | Place.context, HostSMMUDriver.attributes)
    host.post((0x03, 1), (0x46, 0))
    host.wait(reads: 50)
  }

  /// Gives up to three streams a stage 1, as an honest driver does.
  private mutating func populate(isTwoLevel: Bool) {
    host.buildStage1()
    if isTwoLevel { host.put(Place.streams, Place.secondLevel | 7) }
    let table = isTwoLevel ? Place.secondLevel : Place.streams
    for stream in 0..<choices.next(4) {
      host.put(table + stream * 64, 0b1011 | Place.context, HostSMMUDriver.attributes)
      host.post((0x03 | stream << 32, 1), (0x46, 0))
    }
    host.wait(reads: 50)
  }
}
