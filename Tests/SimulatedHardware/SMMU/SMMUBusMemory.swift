// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// The memory that EL2 shares with SMMUs, as a CPU loads and stores it.
package struct SMMUBusMemory: BusMemory {
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
  package func publishToDevices() { memory.publish() }

  package func clean(_ address: PhysicalAddress, size: UInt64) {
    memory.clean(address.rawValue, size: size)
  }
}
