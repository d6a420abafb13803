// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// Memory as EL2 loads and stores it, by physical address.
package struct ProcessorMemory: TableMemory {
  /// The memory.
  package let memory: PhysicalMemory

  /// Makes it.
  package init(_ memory: PhysicalMemory) { self.memory = memory }

  package func load(_ address: PhysicalAddress) -> UInt64 {
    memory.load(.double, at: address.rawValue)
  }

  package func store(_ value: UInt64, at address: PhysicalAddress) {
    memory.store(.double, value, at: address.rawValue)
  }

  package func publishTables() { memory.publish() }

  /// Cleans the lines of a range to the Point of Coherency.
  package func clean(_ address: PhysicalAddress, size: UInt64) {
    memory.clean(address.rawValue, size: size)
  }
}
