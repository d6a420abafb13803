// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import IOMMU
public import Ownership
internal import SMMU

extension SMMUGroup: IOMMUDriver where Machine: ~Copyable {
  /// One more than the largest page number that every SMMU can translate.
  public var pageLimit: UInt64 { geometry.pageLimit }

  /// Takes all SMMUs over, or none.
  ///
  /// - Throws: `unsupported`, of which ``refusal`` says more, `poolExhausted`, `wrongPhase`. An SMMU that
  ///   firmware had translate aborts from then on.
  public mutating func begin<Memory: TableMemory & ~Copyable>(
    _ pool: inout PagePool<Memory>
  ) throws(IOMMUError) { try takeOver(&pool) }

  /// Counts the tables that ranges take.
  public func tablesNeeded<Memory: TableMemory & ~Copyable>(
    for ranges: Span<PageRange>, _ kind: PageKind, _ pool: borrowing PagePool<Memory>
  ) throws(IOMMUError) -> UInt64 {
    guard let table else { throw .wrongPhase }
    return table.tablesNeeded(for: ranges, kind, pool)
  }

  /// Writes pages into the table; what was invalid no SMMU has cached.
  public mutating func map<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ access: DMAAccess, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) {
    table?.map(
      pages, isReadable: access.isReadable, isWritable: access.isWritable, access.kind, &pool,
      &reservation)
  }

  /// Takes pages from the table, and remembers them for ``sync()``; where a block can't be split at once,
  /// the SMMUs confirm that in between.
  public mutating func unmap<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>, _ reservation: inout Reservation
  ) throws(IOMMUError) {
    guard let table else { throw .wrongPhase }
    // Behind the confirmations in between, which are about blocks.
    defer { pending.add(pages) }
    try table.unmap(pages, &pool, &reservation) { (block) throws(IOMMUError) in
      pending.add(block)
      try sync()
    }
  }

  /// Puts back what was taken.
  ///
  /// What is remembered stays: to forget too much is no harm.
  public mutating func restore<Memory: TableMemory & ~Copyable>(
    _ pages: PageRange, _ pool: inout PagePool<Memory>
  ) { table?.restore(pages, &pool) }

  /// Has every SMMU forget what was taken, at the same time, with one SYNC each, and waits for all of them;
  /// one after the other, with another SYNC each, where a host has a stage 1 to combine it with.
  public mutating func sync() throws(IOMMUError) {
    guard !pending.isEmpty else { return }
    guard phase == .confining else { throw .wrongPhase }
    var failed: UInt16?
    var submitted: UInt64 = 0
    for index in units.indices {
      var unit = units[index]
      if let count = unit.submit(pending, vmid, machine) {
        usage.invalidations &+= count
        usage.syncs &+= 1
        submitted |= 1 << UInt64(index)
      } else {
        failed = failed ?? unit.port.unit
        usage.unconfirmed &+= 1
      }
      units[index] = unit
    }
    for index in units.indices where submitted >> UInt64(index) & 1 == 1 {
      var unit = units[index]
      if !unit.confirm(machine) || !unit.forgetCombined(vmid, machine) {
        failed = failed ?? unit.port.unit
        usage.unconfirmed &+= 1
      }
      units[index] = unit
    }
    // What one of them has not confirmed all are asked for again.
    if let failed { throw .notConfirmed(unit: failed) }
    pending.clear()
  }
}
