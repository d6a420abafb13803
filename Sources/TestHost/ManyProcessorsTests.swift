// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// A board with more CPUs than the other tests have state for: each is started, one after the other.
func testManyProcessors(_ report: inout TestReport, _ tree: FlatTree, _ psci: PSCI) {
  let area: StaticString = "many cpus"
  Redistributors.begin()
  StageOne.mapConfigurationSpace()
  var its = ITSDriver()
  let isStarted = its.start()
  el1_zero(Arena.translations, Arena.page)
  its.append(.mapd(1, table: Arena.translations, eventIDBits: 12))
  let own = el1_read_mpidr() & 0xff_ffff

  report.test(area, "F-35: there is a Redistributor for each CPU, in both regions of the tree") {
    test in
    var regions: UInt64 = 0
    tree.forEachRedistributorRegion { _, _ in regions += 1 }
    test.expect("the regions", regions, equals: 2)
    var frames: UInt64 = 0
    tree.forEachRedistributor { _, _ in frames += 1 }
    test.expect("the Redistributors", frames, equals: tree.cpuCount)
    test.expect("the CPUs", frames, in: 124...512)
  }
  report.test(area, "F-35: each starts, takes the LPI that the ITS sends it, and is off again") {
    test in
    guard isStarted else { return test.fail("the ITS does not start") }
    var visited: UInt64 = 1
    tree.forEachRedistributor { base, number in
      let typer = GICRTyper(rawValue: load64(base + Redistributors.Offset.type))
      let affinity = UInt64(typer.affinity)
      guard affinity != own, !test.hasFailed else { return }
      let interrupt = UInt64(EL1_LPI_FIRST) + number
      Redistributors.begin(at: base, pending: Arena.pending(1))
      let target =
        ITSDriver.typer.targetsAreAddresses ? base >> 16 : typer.processorNumber
      let id = UInt16(truncatingIfNeeded: number)
      its.append(.mapc(id, target: target))
      its.append(
        .mapti(
          1, UInt32(id), interrupt: UInt32(truncatingIfNeeded: interrupt), collectionID: id))
      its.append(.event(.int, 1, UInt32(id)))
      its.append(.sync(target: target))
      if !its.finish() { test.fail("the commands are not read") }
      let record = Visit(psci, affinity)
      test.expect("the status of CPU_ON", record.status, equals: 0)
      test.expect("the interrupt", record.interrupt, equals: interrupt)
      test.expect("the CPU that took it", record.affinity & 0xff_ffff, equals: affinity)
      test.expect("its state", record.state, equals: PSCI.off)
      Redistributors.disable(at: base)
      visited += 1
    }
    test.expect("the CPUs that were started, and this one", visited, equals: tree.cpuCount)
  }
}

/// The start of a CPU that takes one LPI and switches itself off.
private struct Visit {
  let status: UInt64
  let interrupt: UInt64
  let affinity: UInt64
  let state: UInt64

  /// Starts it, and waits until it is off.
  init(_ psci: PSCI, _ cpu: UInt64) {
    let record = Arena.spare
    el1_zero(record, 64)
    _ = probe(EL1_DC_CIVAC, record)
    status = psci.start(cpu, at: el1_visitor_entry_address(), context: record)
    // Firmware may say that it is off until it has begun, and it writes past the caches.
    _ = Patience.wait {
      _ = probe(EL1_DC_CIVAC, record)
      return el1_load64(record) != 0
    }
    _ = Patience.wait { psci.affinityInfo(of: cpu) == PSCI.off }
    state = psci.affinityInfo(of: cpu)
    interrupt = el1_load64(record)
    affinity = el1_load64(record + 8)
  }
}

extension FlatTree {
  /// Calls `body` with base and size of every region of Redistributors.
  func forEachRedistributorRegion(_ body: (UInt64, UInt64) -> Void) {
    forEachRange(of: "intc@", from: 1, body)
  }

  /// Calls `body` with the RD frame of every Redistributor and its number.
  func forEachRedistributor(_ body: (UInt64, UInt64) -> Void) {
    var number: UInt64 = 0
    forEachRedistributorRegion { base, size in
      var frame = base
      while frame < base + size {
        let typer = GICRTyper(rawValue: load64(frame + Redistributors.Offset.type))
        body(frame, number)
        number += 1
        if typer.isLast { return }
        frame += typer.size
      }
    }
  }

  /// How many CPUs the tree has.
  var cpuCount: UInt64 {
    var count: UInt64 = 0
    forEachProperty { name, depth, nameOfIt, _, _ in
      if depth == 3, matches("cpu@", at: name), matches("reg\0", at: nameOfIt) { count += 1 }
    }
    return count
  }
}
