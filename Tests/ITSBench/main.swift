// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// ITSBench KIND COUNT - takes COUNT commands of KIND (inv, mapti, copy) through the mediation, or copies as
// many packets of 32 bytes, and prints nanoseconds, and how often the hardware's GITS_CWRITER was written.

import Architecture
import GIC
import ITS
import Simulation
import Traps

let arguments = CommandLine.arguments
guard arguments.count == 3, let count = UInt64(arguments[2]) else {
  print("ITSBench inv|mapti|copy COUNT")
  exitWithUsage()
}
let kind = arguments[1]
let size = 0x400_0000
let words = UnsafeMutablePointer<UInt64>.allocate(capacity: size / 8)
words.initialize(repeating: 0, count: size / 8)
let base = FlatMemory.base
let queue = base
let batch: UInt64 = 1024
let clock = ContinuousClock()

if kind == "copy" {
  let memory = FlatMemory(words: words)
  let time = clock.measure {
    for index in 0..<count {
      let offset = index % 2048 * 32
      let packet = memory.load4(PhysicalAddress(base + offset))
      memory.store4(
        packet.0, packet.1, packet.2, packet.3, at: PhysicalAddress(base + 0x10_0000 + offset))
    }
  }
  report(time, publications: 0)
} else {
  let machine = FlatMachine(
    memory: FlatMemory(words: words), registers: IdleITS(), owner: try Owner())
  let arena = pages(base >> 12 + 0x1000, 0x800)
  var its = try MediatedITS.setUp(
    ITSSetup(
      frame: VirtualAddress(0), arena: arena, addressLimit: 1 << 40, isNonCoherent: false,
      policy: ITSPolicy(), cpus: 1), machine: machine
  ) { targets, _ in
    targets.add(
      PhysicalAddress(0), GICRTyper(rawValue: 0), byAddress: false, memory: machine.memory)
  }
  func write(_ offset: UInt64, _ value: UInt64, _ width: AccessWidth = .double) -> WriteEffect {
    its.write(
      Access(offset: offset, address: VirtualAddress(offset), width: width), value,
      machine: machine)
  }
  var slot: UInt64 = 0
  func stage(_ command: ITSCommand) {
    machine.memory.store4(
      command.word0, command.word1, command.word2, command.word3,
      at: PhysicalAddress(queue + slot * 32))
    slot = (slot + 1) % 2048
  }
  func ring() {
    while write(ITSRegister.commandWrite.offset, slot * 32) == .again {}
  }
  _ = write(
    0x100,
    GITSTableBase(
      base: base + 0x20_0000, pages: 16, pageSize: .kib64, isIndirect: false, attributes: 0
    ).rawValue)
  _ = write(
    ITSRegister.commandBase.offset, GITSCommandBase(base: queue, pages: 16, attributes: 0).rawValue)
  _ = write(ITSRegister.control.offset, 1, .word)
  stage(.mapc(0, target: 0))
  stage(.mapd(7, table: base + 0x30_0000, eventIDBits: 10))
  ring()
  machine.registers.publications = 0
  var time = Duration.zero
  var left = count
  while left > 0 {
    let now = min(left, batch)
    for index in 0..<now {
      let event = UInt32(index)
      stage(
        kind == "inv"
          ? .event(.inv, 7, event)
          : .mapti(7, event, interrupt: 8192 + event, collectionID: 0))
    }
    time += clock.measure { ring() }
    left -= now
  }
  guard its.counters.allRefused == 0, its.counters.accepted == count + 2 else {
    fatalError("commands were refused")
  }
  report(time, publications: machine.registers.publications)
}

func report(_ time: Duration, publications: Int) {
  let nanoseconds =
    Double(time.components.seconds) * 1e9 + Double(time.components.attoseconds) / 1e9
  print("\(kind) \(count) \(nanoseconds / Double(count)) \(publications)")
}

func exitWithUsage() -> Never { fatalError("usage") }
