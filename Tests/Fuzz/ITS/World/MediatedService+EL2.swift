// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
@testable import ITS
import Observing
import Ownership
@testable import SimulatedHardware
import Trace

// What EL2 does in a trap, checked as it does it.
extension MediatedService {
  /// What EL2 does in a trap, where it is compared.
  private func observe(_ observation: Observation) {
    if world.comparison != nil { observations.append(observation) }
  }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    do throws(OwnershipError) {
      let pin = try world.pages.shareAndPin(pages)
      pinned.append(Self.addresses(pages))
      observe(.pinned(pages, isGranted: true))
      return pin
    } catch {
      observe(.pinned(pages, isGranted: false))
      throw error
    }
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) {
    observe(.unpinned(pin[0].pages))
    let range = Self.addresses(pin[0].pages)
    if let index = pinned.lastIndex(of: range) { pinned.remove(at: index) }
    if !world.pages.unpinAndUnshare(pin),
      !world.services.contains(where: { ($0.pinned + $0.held).contains { $0.overlaps(range) } })
    {
      report("a page that was pinned can't be unshared")
    }
  }

  private static func addresses(_ pages: PageRange) -> Range<UInt64> {
    pages.first.address.rawValue..<pages.first.address.rawValue + pages.count << 12
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    if !world.setup.offersVPEs { report("a table of a vPE") }
    let slot = try world.pages.hold(pages, in: &table)
    held.append(Self.addresses(pages))
    return slot
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    guard let pages = world.pages.release(slot, of: &table).map(Self.addresses),
      let index = held.lastIndex(of: pages)
    else { return report("a table of a vPE is released that is not held") }
    held.remove(at: index)
    hasReleased = true
  }

  @inline(__always)
  func load(_ address: UInt64) -> UInt64 {
    if (address &- arena) >> 12 < arenaPages { return memory.load(.double, at: address) }
    if !memory.answers(address) { report("EL2 ends: no answer from \(hex(address))") }
    return loadStaged(address)
  }

  @inline(__always)
  func tryLoad(_ address: UInt64) -> UInt64? {
    let value = memory.answers(address) ? loadStaged(address) : nil
    observe(.loaded(address, value: value))
    return value
  }

  private func loadStaged(_ address: UInt64) -> UInt64 {
    guard pinned.contains(where: { $0.contains(address) }), address & 7 == 0 else {
      report("EL2 loads from \(hex(address))")
      return 0
    }
    if address & ~31 != slot {
      slot = address & ~31
      wordsRead = 0
    }
    let number = address >> 3 & 3
    if wordsRead >> number & 1 != 0 { report("EL2 loads \(hex(address)) twice") }
    if !MemoryAttributes.isCoherent(its.pointee.staging.register.rawValue), memory.isStale(address)
    {
      report("EL2 sees at \(hex(address)) what was there before")
    }
    let value = memory.load(.double, at: address)
    wordsRead |= 1 << number
    if let race, let changed = race(value) { memory.store(.double, changed, at: address) }
    return value
  }

  @inline(__always)
  func store(_ value: UInt64, at address: UInt64) {
    let page = (address &- arena) >> 12
    guard page < arenaPages, address & 7 == 0 else { return storeMark(value, at: address) }
    if isSetUp { check(value, storedIn: Int(page), address) }
    // Without a cache and a buffer there is no difference, and a table is no queue to look after.
    let isTable = isPlain && uses[Int(page)] == .dynamic
    if isTable, memory.load(.double, at: address) == value { return }
    if world.journal != nil { world.keep(address, 8) }
    memory.store(.double, value, at: address, by: isTable ? .nonCoherentDevice : .processor)
  }

  /// A store to the host's memory, which is a mark in a table that was empty when EL2 looked.
  private func storeMark(_ value: UInt64, at address: UInt64) {
    guard value == 1, pinned.last?.lowerBound == address else {
      return report("EL2 stores to \(hex(address))")
    }
    if world.journal != nil { world.keep(address, 8) }
    memory.store(.double, value, at: address)
  }

  private func check(_ value: UInt64, storedIn page: Int, _ address: UInt64) {
    switch uses[page] {
    case .record, .queue: break
    case .firstLevel:
      let target = TableFirstLevelEntry(rawValue: value)
      let size = tableSize
      if target.isValid {
        for offset in stride(from: 0, to: size, by: 4096) {
          takeSecondLevel(target.page + offset)
        }
      }
    case .dynamic:
      if tableOwners[page] >= 0 { report("EL2 changes the live ITT at \(hex(address))") }
    case .secondLevel, .devices, .collections, .vpes:
      report("EL2 changes the live table at \(hex(address))")
    }
    if storesPerStep > 0 {
      stores += 1
      if stores % storesPerStep == 0 { simulated.step() }
    }
  }

  /// The bytes of a second-level page.
  private var tableSize: UInt64 {
    for number in 0..<8 {
      let table = simulated.tableBase(number)
      if table.isValid, table.kind == .devices { return table.pageSize.bytes }
    }
    return 4096
  }

  private func takeSecondLevel(_ address: UInt64) {
    let page = (address &- arena) >> 12
    guard page < arenaPages, uses[Int(page)] == .dynamic, tableOwners[Int(page)] < 0,
      isTaken(Int(page))
    else { return report("a second level at \(hex(address))") }
    for offset in stride(from: 0, to: 4096, by: 8) as StrideTo<UInt64>
    where memory.load(.double, at: address + offset, by: observer) != 0 {
      return report("a second level at \(hex(address)) that isn't zero")
    }
    uses[Int(page)] = .secondLevel
  }

  func read(_ width: AccessWidth, _ address: UInt64) -> UInt64? {
    let value = mayAccess(width, address) ? world.gic.read(width, at: address) : nil
    observe(.read(offset: address &- simulated.base, value: value))
    return value
  }

  func write(_ width: AccessWidth, _ value: UInt64, _ address: UInt64) -> Bool {
    switch address &- simulated.base {
    case ITSRegister.commandBase.offset: isRestarted = true
    case ITSRegister.commandWrite.offset: tell(upTo: value)
    default: break
    }
    let isDone = mayAccess(width, address) && world.gic.write(width, value, at: address)
    observe(.wrote(offset: address &- simulated.base, value: value, isDone: isDone))
    return isDone
  }

  /// The hardware is about to be told of slots, or that the queue begins.
  private func tell(upTo value: UInt64) {
    let end = GITSQueuePointer(rawValue: value).offset
    // With Retry it is told nothing new.
    guard world.comparison != nil, !isRestarted || end != 0, value & 1 == 0 else { return }
    let queue = simulated.queueBase
    var place = simulated.writePointer.offset
    guard queue.rawValue == ownQueue, end < queue.size else {
      told = nil
      return
    }
    while place != end {
      let address = queue.base + place
      func word(_ index: UInt64) -> UInt64 {
        memory.load(.double, at: address + index * 8, by: observer)
      }
      let command = ITSCommand(word(0), word(1), word(2), word(3))
      told?.append(command)
      if command.opcode == .mapd, command.isValid { checkZero(command) }
      place = (place + ITSCommand.size) % queue.size
    }
  }

  /// The table that a MAPD names is zero when the hardware is told.
  private func checkZero(_ command: ITSCommand) {
    let bytes = simulated.configuration.translationEntrySize << (command.eventIDBitsMinusOne + 1)
    memory.forEachNonzero(in: command.translationTable, size: bytes, by: observer) { address, _ in
      world.reportDivergence("ITS \(index): \(hex(address)), which MAPD names, is not zero")
    }
  }

  private func mayAccess(_ width: AccessWidth, _ address: UInt64) -> Bool {
    if address & (width.bytes - 1) != 0 { report("EL2 accesses \(hex(address)) misaligned") }
    guard let left = accessesToAbort else { return true }
    accessesToAbort = left - 1
    return left > 0
  }
}
