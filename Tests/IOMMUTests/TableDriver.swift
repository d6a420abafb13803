// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import Simulation
import Testing

/// What a driver with a table in memory waited for, and where it is to fail.
final class Unit: @unchecked Sendable {
  var syncs = 0
  var breaks: [PageRange] = []
  var failsToSync = false
  var failsToBreak = false
}

/// A driver that keeps a real table, and of which the IOMMU confirms at once.
struct TableDriver: IOMMUDriver {
  let machine: SimulatedMachine
  let unit: Unit
  let geometry: TranslationGeometry
  let splitting: DMATable.Splitting
  private(set) var table: DMATable?

  init(
    _ machine: SimulatedMachine, _ unit: Unit, _ geometry: TranslationGeometry,
    _ splitting: DMATable.Splitting
  ) {
    self.machine = machine
    self.unit = unit
    self.geometry = geometry
    self.splitting = splitting
  }

  var pageLimit: UInt64 { geometry.pageLimit }

  mutating func begin<Memory: TableMemory & ~Copyable>(
    _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) {
    do throws(OwnershipError) {
      table = try DMATable(geometry, splitting: splitting, pool: &pool)
    } catch {
      throw .poolExhausted(needed: geometry.rootTables, free: pool.freeCount)
    }
  }

  func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(IOMMUError) -> UInt64 { table?.tablesNeeded(for: ranges, kind, pool) ?? 0 }

  mutating func map<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ access: DMAAccess, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    table?.map(
      pages, isReadable: access.isReadable, isWritable: access.isWritable, access.kind, &pool,
      &reservation)
  }

  mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) throws(IOMMUError) {
    try table?.unmap(pages, &pool, &reservation) { (block) throws(IOMMUError) in
      unit.breaks.append(block)
      if unit.failsToBreak { throw .notConfirmed(unit: 3) }
      machine.cached = []
    }
  }

  mutating func restore<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) {
    // What is restored is what is cached.
    machine.cached = []
    table?.restore(pages, &pool)
  }

  mutating func sync() throws(IOMMUError) {
    if unit.failsToSync { throw .notConfirmed(unit: 2) }
    unit.syncs += 1
    machine.cached = []
  }
}

/// 16 MiB of memory at 1 GiB, of which the hypervisor has the last 2 MiB, and 1 TiB of addresses.
enum TableBoard {
  typealias Subject = Ownership<
    SimulatedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>,
    DMAMirror<TableDriver>
  >
  static let hypervisor = pages(0x40e00, 0x200)
  static let doorbell = pages(0x8090)

  static func make(
    _ machine: SimulatedMachine, _ unit: Unit, _ splitting: DMATable.Splitting,
    pool size: UInt64 = 0x200
  ) throws -> Subject {
    machine.checksReplacement = splitting == .broken
    let division = MemoryDivision(
      memory: [pages(0x40000, 0x1000)], hypervisor: hypervisor,
      pool: pages(hypervisor.first.rawValue, size))
    var doorbells = Doorbells()
    _ = doorbells.add(doorbell)
    let driver = TableDriver(machine, unit, division.geometry, splitting)
    return try division.owners(
      in: SimulatedMemory(machine: machine), cache: SimulatedCache(machine: machine),
      observer: DMAMirror(driver, doorbells: doorbells))
  }

  static func start(_ subject: inout Subject) throws(IOMMUError) {
    try subject.updateObserver { (mirror, host, map, pool) throws(IOMMUError) in
      try mirror.start(host, map, &pool)
    }
  }

  /// Walks both tables over `pages`, and says where they differ.
  static func differences(
    _ subject: borrowing Subject, _ machine: SimulatedMachine, _ pages: Range<UInt64>
  ) -> [String] {
    let memory = SimulatedMemory(machine: machine)
    guard let table = subject.observer.driver.table else { return ["there is no table"] }
    var found: [String] = []
    var page = pages.lowerBound
    while page < pages.upperBound {
      let host = subject.host.leaf(from: frame(page), in: memory)
      let device = table.leaf(from: frame(page), in: memory)
      var end = min(host.pages.last.rawValue + 1, device.end)
      if doorbell.contains(frame(page)) {
        if device.isReadable || !device.isWritable { found.append("doorbell") }
        end = page + 1
      } else if case .mapped(let isReadable, let isWritable) = host.content {
        if device.isReadable != isReadable || device.isWritable != isWritable
          || device.output != frame(page).address
        {
          found.append("\(String(page, radix: 16)): the host's, but \(device)")
        }
      } else if device.output != nil {
        found.append("\(String(page, radix: 16)): claimed, but \(device)")
      }
      page = end
    }
    return found
  }

  static func allDifferences(_ subject: borrowing Subject, _ machine: SimulatedMachine) -> [String]
  {
    differences(subject, machine, 0..<(1 << 28))
  }
}
