// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SimulatedHardware

package struct SimulatedMemory: TableMemory {
  package let machine: SimulatedMachine

  package init(machine: SimulatedMachine) { self.machine = machine }

  package func load(_ address: PhysicalAddress) -> UInt64 { machine.words[address.rawValue] ?? 0 }

  package func store(_ value: UInt64, at address: PhysicalAddress) {
    if !address.isAligned(to: 8) { machine.violations.append("misaligned store at \(address)") }
    let old = machine.words[address.rawValue] ?? 0
    machine.note { $0.store(value, over: old, at: address.rawValue) }
    if machine.checksReplacement && old & 1 == 1 && value & 1 == 1 && old != value {
      machine.violations.append("valid to valid at \(String(address.rawValue, radix: 16))")
    }
    if machine.checksReplacement && old & 1 == 0 && value & 1 == 1
      && machine.cached.contains(address.rawValue)
    {
      machine.violations.append("made before invalidated at \(String(address.rawValue, radix: 16))")
    }
    if old & 1 == 1 { machine.cached.insert(address.rawValue) }
    if value & 1 == 1 && machine.unlinked.contains(address.rawValue >> 12) {
      machine.violations.append(
        "used while a TLB leads to it: \(String(address.rawValue, radix: 16))")
    }
    // What the entry led to, of a table or of a page.
    if machine.checksReplacement && old & 0b11 == 0b11 && value & 1 == 0 {
      machine.unlinked.insert((old & 0xffff_ffff_f000) >> 12)
    }
    if value == 0 {
      machine.words[address.rawValue] = nil
    } else {
      machine.words[address.rawValue] = value
    }
  }

  package func publishTables() { machine.note { $0.append(.barrier) } }

  /// Everybody sees the same memory.
  package func clean(_ address: PhysicalAddress, size: UInt64) {}
}
