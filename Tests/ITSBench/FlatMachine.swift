// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import Ownership
import Simulation

/// Memory without a model of anything: an array of words from an address on.
struct FlatMemory: HostMemory {
  static let base: UInt64 = SmallBoard.memory.first.address.rawValue
  let words: UnsafeMutablePointer<UInt64>

  @inline(__always)
  private func place(_ address: PhysicalAddress) -> UnsafeMutablePointer<UInt64> {
    words + Int((address.rawValue &- Self.base) / 8)
  }
  @inline(__always)
  func load(_ address: PhysicalAddress) -> UInt64 { place(address).pointee }
  @inline(__always)
  func tryLoad(_ address: PhysicalAddress) -> UInt64? { load(address) }
  @inline(__always)
  func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    store(value, at: address)
    return true
  }
  @inline(__always)
  func tryLoad4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)? { load4(address) }
  @inline(__always)
  func store(_ value: UInt64, at address: PhysicalAddress) { place(address).pointee = value }
  @inline(__always)
  func load4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64) {
    let first = place(address)
    return (first[0], first[1], first[2], first[3])
  }
  @inline(__always)
  func store4(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, at address: PhysicalAddress
  ) {
    let first = place(address)
    (first[0], first[1], first[2], first[3]) = (word0, word1, word2, word3)
  }
  func publishTables() {}
  func publishToDevices() {}
  func clean(_ address: PhysicalAddress, size: UInt64) {}
}

/// An ITS that does nothing, at once: GITS_CREADR is where GITS_CWRITER was written.
final class IdleITS: DeviceMemory {
  private var words: [UInt64: UInt64] = [
    // Physical, 16 bits of DeviceID and EventID, 12-byte entries.
    ITSRegister.type.offset: 1 | 11 << 4 | 15 << 8 | 15 << 13,
    ITSRegister.control.offset: 1 << 31,
  ]
  private static let kinds: [UInt64: UInt64] = [
    0x100: 1 << 56 | 7 << 48, 0x108: 4 << 56 | 7 << 48,
  ]
  var publications = 0

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    let offset = address.rawValue
    if offset == ITSRegister.commandRead.offset {
      return words[ITSRegister.commandWrite.offset] ?? 0
    }
    return (words[offset] ?? 0) | (Self.kinds[offset] ?? 0)
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    if address.rawValue == ITSRegister.commandWrite.offset { publications += 1 }
    words[address.rawValue] =
      address.rawValue == ITSRegister.control.offset ? value | 1 << 31 : value
    return true
  }
  func orderAccesses() {}
}

/// The owner of the pages that a staging queue is pinned in.
final class Owner {
  var subject: Subject
  init() throws { subject = try SmallBoard.make(SimulatedMachine()) }
}

struct FlatMachine: ITSMachine {
  let memory: FlatMemory
  let registers: IdleITS
  let owner: Owner
  var cpu: UInt64 { 0 }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    try owner.subject.shareAndPin(FixedList<1, PageRange>([pages]))
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) { owner.subject.unpinAndUnshare(pin) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    throw .empty
  }

  func release(_ slot: UInt64, of table: inout PinTable) {}
}
