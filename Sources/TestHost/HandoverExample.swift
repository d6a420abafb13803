// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// How a host hands a live ITS over: an example for authors of hosts.
///
/// Calls and layout are those of `portcullis_hypercalls.h`. The memory is set aside beforehand, where
/// the host may sleep; the rest happens with the lock held under which commands are sent.
struct HandoverExample {
  /// A device that is mapped.
  struct Device {
    let id: UInt32
    let eventIDBits: UInt64
    let table: UInt64
  }

  /// Own memory, aligned to a page, with room for what is told of devices and collections.
  let descriptor: UInt64
  /// Own memory, aligned to a page, as large as the queue in use.
  let stagingQueue: UInt64
  /// Own memory for copies of first-level tables: 64 KiB for each of the eight.
  let stagedTables: UInt64

  private static let tableCount: UInt64 = 8
  private static let headerWords: UInt64 = 24
  private static let busy: Int64 = -20

  func stagedTable(_ index: UInt64) -> UInt64 { stagedTables + index * 0x1_0000 }
  private static func tableBase(_ index: UInt64) -> GITSTableBase {
    GITSTableBase(rawValue: load64(ITSDriver.control + Register.gitsBASER0 + index * 8))
  }
  private func store(_ word: UInt64, _ value: UInt64) { el1_store64(descriptor + word * 8, value) }

  /// Hands ITS `index` over; 0, or a negative number that says why not: nothing has changed then.
  func handOver(
    _ index: UInt64, _ its: inout ITSDriver, cpus: UInt64, devices: UInt64,
    device: (UInt64) -> Device
  ) -> Int64 {
    guard its.wait() else { return Self.busy }
    describe(cpus: cpus, devices: devices, device: device)
    let answer = Self.call(index, descriptor)
    guard answer == 0 else { return answer }
    // The old queue is EL2's; the new one goes on at the same place.
    its.queue = stagingQueue
    return 0
  }

  /// Fills the staged tables and the descriptor in.
  func describe(cpus: UInt64, devices: UInt64, device: (UInt64) -> Device) {
    store(0, 1)  // the version
    store(1, ITSDriver.control)
    store(2, load64(ITSDriver.control + Register.gitsCBASER))
    store(3, stagingQueue)
    store(4, devices)
    store(5, cpus)
    store(6, 0)
    store(7, 0)
    for index in 0..<Self.tableCount {
      let table = Self.tableBase(index)
      store(8 + index, table.rawValue)
      store(16 + index, table.isValid ? stagedTable(index) : 0)
      guard table.isValid, table.isIndirect else { continue }
      for offset in 0..<(table.size / 8) {
        el1_store64(stagedTable(index) + offset * 8, el1_load64(table.base + offset * 8))
      }
    }
    var word = Self.headerWords
    for index in 0..<devices {
      let device = device(index)
      store(word, UInt64(device.id) | device.eventIDBits << 32)
      store(word + 1, device.table)
      word += 2
    }
    // Collection n is mapped to the Redistributor of CPU n.
    for cpu in 0..<cpus { store(word + cpu, cpu | Redistributors.target(of: cpu) << 16) }
    el1_barrier()
  }

  /// The call alone.
  static func call(_ index: UInt64, _ descriptor: UInt64) -> Int64 {
    Int64(bitPattern: Conduit.hvc.call(Hypercall.function, 0x200, index, descriptor).x0)
  }

  /// Ends the trust; 0, or a negative number where it has ended before.
  static func finalise() -> Int64 {
    Int64(bitPattern: Conduit.hvc.call(Hypercall.function, 0x201).x0)
  }
}
