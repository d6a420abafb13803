// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
import SMMUDriver
import Simulation

/// Registers that answer, and a command queue that is consumed.
///
/// Just enough to see what the driver writes, in which order, and what it does about an SMMU that fails. It
/// translates nothing.
final class FakeSMMU {
  /// What was written, in order.
  struct Write: Hashable {
    let register: SMMURegister
    let value: UInt64
  }

  let frame: VirtualAddress
  var registers: [SMMURegister: UInt64] = [:]
  var writes: [Write] = []
  /// Commands that were carried out.
  var commands: [SMMUCommand] = []
  /// Registers that keep what they hold.
  var stuck: Set<SMMURegister> = []
  /// After how many writes nothing answers any more; nil is never.
  var writesLeft: Int?
  /// Whether commands are carried out.
  var consumes = true
  /// The commands that are illegal, by how many are carried out before.
  var illegal: Set<Int> = []
  /// Whether there was a moment at which more passed than firmware had let pass.
  var hasOpened = false
  private let firmware: (enabled: Bool, aborts: Bool)
  private let machine: SimulatedMachine

  /// An SMMU as QEMU has it: both stages, 16 bits of StreamID, 44 of address, ranges.
  init(
    _ machine: SimulatedMachine, at frame: UInt64, control: UInt32 = 0, bypass: UInt32 = 0
  ) {
    self.machine = machine
    self.frame = VirtualAddress(frame)
    registers[.identification0] = 0x0d44_101b
    registers[.identification1] = 19 << 21 | 19 << 16 | 16
    registers[.identification3] = 1 << 10 | 2 << 11
    registers[.identification5] = 4 | 1 << 4
    registers[.implementer] = 0
    registers[.control0] = UInt64(control)
    registers[.control0Acknowledged] = UInt64(control)
    registers[.globalBypass] = UInt64(bypass)
    firmware = (control & 1 != 0, bypass >> 20 & 1 != 0)
  }

  subscript(_ register: SMMURegister) -> UInt64 { registers[register] ?? 0 }

  var isSilent: Bool { writesLeft == 0 }
  var isEnabled: Bool { self[.control0] & 1 != 0 }
  var aborts: Bool { self[.globalBypass] >> 20 & 1 != 0 }

  func read(_ register: SMMURegister) -> UInt64? { isSilent ? nil : self[register] }

  func write(_ register: SMMURegister, _ value: UInt64) -> Bool {
    guard !isSilent else { return false }
    if let left = writesLeft { writesLeft = left - 1 }
    writes.append(Write(register: register, value: value))
    guard !stuck.contains(register) else { return true }
    registers[register] = value
    switch register {
    case .control0:
      if !stuck.contains(.control0Acknowledged) { registers[.control0Acknowledged] = value }
      if value >> 3 & 1 == 1 { consume() }
    case .interruptControl: registers[.interruptControlAcknowledged] = value
    case .globalBypass: registers[.globalBypass] = value & ~(1 << 31)
    case .commandQueueProduced, .globalErrorAcknowledged: consume()
    default: break
    }
    // Open is who neither translates by an own table nor aborts. An SMMU that firmware had translate must
    // not get there at all.
    if !isEnabled && !aborts && (firmware.enabled || firmware.aborts) { hasOpened = true }
    return true
  }

  private func word(_ address: UInt64) -> UInt64 { machine.words[address] ?? 0 }

  /// Carries commands out until the queue is empty or stops.
  func consume() {
    let base = SMMUQueueBase(rawValue: self[.commandQueueBase])
    let produced = SMMUQueuePointer(rawValue: UInt32(self[.commandQueueProduced]))
    guard consumes, self[.control0] >> 3 & 1 == 1,
      (self[.globalError] ^ self[.globalErrorAcknowledged]) & 1 == 0
    else { return }
    var consumed = SMMUQueuePointer(rawValue: UInt32(self[.commandQueueConsumed]))
    while !produced.isEmpty(consumed: consumed, log2: base.log2) {
      let place = base.base + UInt64(consumed.index(log2: base.log2)) * SMMUCommand.size
      let command = SMMUCommand(word(place), word(place + 8))
      if illegal.remove(commands.count) != nil {
        registers[.commandQueueConsumed] = UInt64(consumed.position) | 1 << 24
        registers[.globalError] = self[.globalError] ^ 1
        return
      }
      commands.append(command)
      consumed = consumed.advanced(log2: base.log2)
    }
    registers[.commandQueueConsumed] = UInt64(consumed.position)
  }

  /// Records an event, as the SMMU would.
  func record(_ event: SMMUEvent) {
    let base = SMMUQueueBase(rawValue: self[.eventQueueBase])
    let produced = SMMUQueuePointer(rawValue: UInt32(self[.eventQueueProduced]))
    let consumed = SMMUQueuePointer(rawValue: UInt32(self[.eventQueueConsumed]))
    if produced.isFull(consumed: consumed, log2: base.log2) {
      // A second loss before the first is acknowledged changes nothing.
      if produced.hasOverflowFlag == consumed.hasOverflowFlag {
        registers[.eventQueueProduced] = self[.eventQueueProduced] ^ 1 << 31
      }
      return
    }
    let place = base.base + UInt64(produced.index(log2: base.log2)) * SMMUEvent.size
    let words = [event.word0, event.word1, event.word2, event.word3]
    for (index, word) in words.enumerated() { machine.words[place + UInt64(index) * 8] = word }
    registers[.eventQueueProduced] =
      UInt64(produced.advanced(log2: base.log2).rawValue) | self[.eventQueueProduced] & 1 << 31
  }

  /// The entry of a stream, by a walk of what the registers say; nil where there is none.
  func entry(of stream: UInt32) -> StreamTableEntry? {
    let shape = StreamTableShape(rawValue: UInt32(self[.streamTableBaseConfiguration]))
    var table = StreamTableBase(rawValue: self[.streamTableBase]).base
    var index = UInt64(stream)
    guard index >> shape.log2 == 0 else { return nil }
    if shape.isTwoLevel == true {
      let split = UInt64(shape.split?.rawValue ?? 0)
      let descriptor = StreamTableDescriptor(rawValue: word(table + (index >> split) * 8))
      guard let log2 = descriptor.log2 else { return nil }
      index &= 1 << split - 1
      guard index >> log2 == 0 else { return nil }
      table = descriptor.table
    }
    let place = table + index * 64
    let words = (0..<8).map { word(place + UInt64($0) * 8) }
    return StreamTableEntry(
      words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7])
  }
}

/// The board's memory as SMMUs reach it.
struct FakeMemory: BusMemory {
  let machine: SimulatedMachine
  func load(_ address: PhysicalAddress) -> UInt64 { machine.words[address.rawValue] ?? 0 }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    machine.words[address.rawValue] = value
  }
  func publishTables() {}
  func publishToDevices() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

/// The registers of all SMMUs.
struct FakeRegisters: DeviceMemory {
  let units: [FakeSMMU]

  private func find(_ address: VirtualAddress) -> (FakeSMMU, SMMURegister)? {
    for unit in units {
      let offset = address.rawValue &- unit.frame.rawValue
      if let register = SMMURegister(rawValue: offset) { return (unit, register) }
    }
    return nil
  }

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard let (unit, register) = find(address),
      (width == .double) == (register.size == 8)
    else { return nil }
    return unit.read(register)
  }

  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    guard let (unit, register) = find(address), (width == .double) == (register.size == 8) else {
      return false
    }
    return unit.write(register, value)
  }

  func orderAccesses() {}
}

/// How often somebody has waited.
final class Waits {
  var count = 0
}

struct FakeMachine: SMMUMachine {
  let memory: FakeMemory
  let registers: FakeRegisters
  var waits = Waits()

  func mayLookAgain(after looks: UInt64) -> Bool {
    waits.count += 1
    return looks < 50
  }
}
