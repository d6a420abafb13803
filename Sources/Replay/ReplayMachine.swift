// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import ITS
internal import Ownership
internal import SimulatedHardware
internal import Trace

/// One CPU in one trap of a trace that is run again.
struct ReplayMachine: ITSMachine {
  let board: ReplayBoard
  /// The number of the ITS.
  let number: UInt8
  let cpu: UInt64

  var memory: ReplayMemory { ReplayMemory(memory: board.gic.memory) }
  var registers: ReplayRegisters { ReplayRegisters(board: board, number: number) }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try board.shareAndPin(pages)
  }
  func unpinAndUnshare(_ pin: consuming Pin<1>) { board.unpinAndUnshare(pin) }
  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    throw .refusedByObserver(pages.first)
  }
  func release(_ slot: UInt64, of table: inout PinTable) {}
  func record(_ event: TraceEvent) { board.record(event) }
}

/// The memory of the simulated board.
struct ReplayMemory: HostMemory {
  let memory: PhysicalMemory

  func load(_ address: PhysicalAddress) -> UInt64 { memory.load(.double, at: address.rawValue) }
  func tryLoad(_ address: PhysicalAddress) -> UInt64? {
    memory.answers(address.rawValue) ? load(address) : nil
  }
  func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    guard memory.answers(address.rawValue) else { return false }
    store(value, at: address)
    return true
  }
  func store(_ value: UInt64, at address: PhysicalAddress) {
    memory.store(.double, value, at: address.rawValue)
  }
  func publishTables() {}
  func publishToDevices() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

/// The registers of one ITS as the trace has them.
struct ReplayRegisters: DeviceMemory {
  let board: ReplayBoard
  let number: UInt8

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    board.read(width, at: address.rawValue, its: number)
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    board.write(width, value, at: address.rawValue, its: number)
  }
  func orderAccesses() {}
}
