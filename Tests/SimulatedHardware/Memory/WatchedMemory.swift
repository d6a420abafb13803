// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// Memory as EL2 loads and stores it by physical address, of which somebody may watch each access.
package protocol WatchedMemory: HostMemory {
  /// The memory.
  var memory: PhysicalMemory { get }
  /// Called before each load; an abort of one that is guarded does not end EL2.
  func willLoad(_ address: UInt64, isGuarded: Bool)
  /// Called behind each load.
  func didLoad(_ address: UInt64)
  /// Called before each store; an abort of one that is guarded does not end EL2.
  func willStore(_ address: UInt64, isGuarded: Bool)
}

extension WatchedMemory {
  package func willLoad(_ address: UInt64, isGuarded: Bool) {}
  package func didLoad(_ address: UInt64) {}
  package func willStore(_ address: UInt64, isGuarded: Bool) {}

  private func read(_ address: UInt64) -> UInt64 {
    let value = memory.load(.double, at: address)
    didLoad(address)
    return value
  }

  package func load(_ address: PhysicalAddress) -> UInt64 {
    willLoad(address.rawValue, isGuarded: false)
    return read(address.rawValue)
  }

  package func tryLoad(_ address: PhysicalAddress) -> UInt64? {
    willLoad(address.rawValue, isGuarded: true)
    return memory.answers(address.rawValue) ? read(address.rawValue) : nil
  }

  package func store(_ value: UInt64, at address: PhysicalAddress) {
    willStore(address.rawValue, isGuarded: false)
    memory.storeAsHypervisor(value, at: address.rawValue)
  }

  package func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    willStore(address.rawValue, isGuarded: true)
    guard memory.answers(address.rawValue) else { return false }
    memory.storeAsHypervisor(value, at: address.rawValue)
    return true
  }

  package func publishTables() { memory.publishAsHypervisor() }
  package func publishToDevices() { memory.publishAsHypervisor() }

  /// Cleans the lines of a range to the Point of Coherency.
  package func clean(_ address: PhysicalAddress, size: UInt64) {
    memory.cleanAsHypervisor(address.rawValue, size: size)
  }
}

/// Memory as EL2 loads and stores it, of which nobody watches.
package struct ProcessorMemory: WatchedMemory {
  package let memory: PhysicalMemory

  /// Makes it.
  package init(_ memory: PhysicalMemory) { self.memory = memory }
}
