// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
@testable import ITS
@testable import SimulatedHardware

// What the hardware does, and all that it can reach.
extension MediatedService {
  /// Whether a page is handed out: the arena's bitmap is in its first page.
  @inline(__always)
  func isTaken(_ page: Int) -> Bool {
    memory.load(.double, at: arena + UInt64(page / 64 * 8)) >> UInt64(page % 64) & 1 != 0
  }

  /// Whether something was unmapped that the hardware may still write.
  package var hasLate: Bool { !simulated.state.lingering.isEmpty }

  /// Late writes to everything that was unmapped and not synchronised.
  package func writeLate() {
    isLate = true
    simulated.writeLingering()
    isLate = false
  }

  /// What the hardware is about to do to memory.
  @inline(__always)
  func check(_ range: MemoryReach) {
    if range.use == .virtualPendingTable {
      if !isHeld(range) { report("the hardware touches \(range)") }
      return
    }
    let page = (range.base &- arena) >> 12
    let last = (range.base &+ range.size &- 1 &- arena) >> 12
    guard range.size > 0, page < arenaPages, last < arenaPages,
      permits(range.use, Int(page)), page == last || permits(range.use, Int(last))
    else { return report("the hardware touches \(range)") }
  }

  /// Whether a reach lies in a table of a vPE that is held.
  private func isHeld(_ range: MemoryReach) -> Bool {
    held.contains { $0.lowerBound <= range.base && range.base + range.size <= $0.upperBound }
  }

  @inline(__always)
  private func permits(_ use: MemoryUse, _ page: Int) -> Bool {
    switch use {
    case .queue: uses[page] == .queue
    case .firstLevel(.devices): uses[page] == .firstLevel
    case .table(.devices): uses[page] == .devices || uses[page] == .secondLevel
    case .table(.collections): uses[page] == .collections
    case .table(.vpes): uses[page] == .vpes
    case .translationTable:
      uses[page] == .dynamic && (tableOwners[page] >= 0 || isLate) && isTaken(page)
    default: false
    }
  }

  /// What the hardware is about to carry out.
  func check(_ command: ITSCommand) {
    guard command.opcode == .mapd else { return }
    let id = command.deviceID
    if let old = mapped.removeValue(forKey: id) {
      for page in old { tableOwners[page] = -1 }
    }
    guard command.isValid else { return }
    guard world.setup.policy.devices.permits(id) else {
      return report("MAPD of a device that is not permitted")
    }
    let size =
      simulated.configuration.translationEntrySize << (command.eventIDBitsMinusOne + 1)
    let base = command.translationTable
    let first = (base &- arena) >> 12
    let last = (base &+ size &- 1 &- arena) >> 12
    guard first <= last, last < arenaPages else { return report("MAPD of \(hex(base))") }
    for page in Int(first)...Int(last) {
      guard uses[page] == .dynamic, isTaken(page), tableOwners[page] < 0 else {
        return report("MAPD of \(hex(base)) with a page that is used otherwise")
      }
      tableOwners[page] = Int64(id)
    }
    mapped[id] = Int(first)..<Int(last) + 1
    for address in stride(from: base, to: base + size, by: 8)
    where memory.load(.double, at: address, by: observer) != 0 {
      return report("MAPD of \(hex(base)), which isn't zero")
    }
    for lingering in simulated.state.lingering
    where base < lingering.range.base + lingering.range.size && lingering.range.base < base + size {
      return report("MAPD of \(hex(base)), which the hardware may still write")
    }
  }

  /// The ledgers are right: what passed a rule about devices, collections, targets or INTIDs does not
  /// fail for one of them.
  @inline(__always)
  func checkFailures() {
    guard simulated.failedCommands != failures else { return }
    failures = simulated.failedCommands
    switch simulated.lastError {
    case .unmappedInterrupt, .unmappedCollection, .injected, nil: break
    // Nobody keeps which events are of a vPE, or how many vINTIDs an ITS has room for.
    case .unmappedVPE, .virtualTableSizeOutOfRange: break
    case .some(let error): report("the hardware fails with \(error)")
    }
  }

  /// Walks everything that the hardware can reach.
  package func walk() {
    // What the hardware has changed and keeps to itself is not what memory says.
    simulated.writeBackEntries()
    var seen = Set<MemoryReach>()
    var owners = [Int32](repeating: -1, count: Int(arenaPages))
    for (number, range) in simulated.reachable.enumerated() {
      if range.use == .queue {
        if range.base < arena || range.base + range.size > arena + arenaPages << 12 {
          report("the queue is at \(hex(range.base))")
        }
        continue
      }
      if range.use == .virtualPendingTable {
        guard isHeld(range) else { return report("the hardware reaches \(range)") }
        continue
      }
      // The same table may be known from memory and from what the hardware keeps.
      guard seen.insert(range).inserted else { continue }
      let first = (range.base &- arena) >> 12
      let last = (range.base &+ range.size &- 1 &- arena) >> 12
      guard range.use != .strayTarget, range.size > 0, first <= last, last < arenaPages else {
        return report("the hardware reaches \(range)")
      }
      for page in Int(first)...Int(last) {
        let isRight: Bool =
          switch range.use {
          case .translationTable: uses[page] == .dynamic
          case .firstLevel(.devices): uses[page] == .firstLevel
          case .table(.devices): uses[page] == .devices || uses[page] == .secondLevel
          case .table(.collections): uses[page] == .collections
          case .table(.vpes): uses[page] == .vpes
          default: false
          }
        guard isRight, isTaken(page) else { return report("the hardware reaches \(range)") }
        guard owners[page] < 0 else { return report("two tables overlap at \(range)") }
        owners[page] = Int32(number)
      }
    }
  }
}
