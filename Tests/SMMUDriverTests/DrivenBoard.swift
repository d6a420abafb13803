// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Ownership
import SMMU
import SMMUDriver
import Simulation

/// SMMUs, their arenas and a pool for the table.
struct DrivenBoard {
  let machine = SimulatedMachine()
  let waits = Waits()
  let units: [FakeSMMU]
  let streams: PermittedStreams
  let arenaPages: UInt64

  static let poolPages = pages(0x40000, 0x100)

  init(
    _ count: Int = 1, control: UInt32 = 0, bypass: UInt32 = 0, streams: PermittedStreams = .all,
    arenaPages: UInt64 = SMMUSetup.recommendedArenaSize >> 12
  ) {
    let machine = self.machine
    units = (0..<count).map {
      FakeSMMU(machine, at: 0x905_0000 + UInt64($0) << 20, control: control, bypass: bypass)
    }
    self.streams = streams
    self.arenaPages = arenaPages
    // What is zero must have been zeroed.
    for unit in 0..<UInt64(count) {
      for word in 0..<arenaPages * 512 {
        machine.words[(0x41000 + unit * 0x100) << 12 + word * 8] = 0xdead_beef_dead_beef
      }
    }
  }

  var setups: [SMMUSetup] {
    units.indices.map {
      SMMUSetup(
        frame: units[$0].frame, arena: pages(0x41000 + UInt64($0) * 0x100, arenaPages),
        streams: streams)
    }
  }

  func pool() -> PagePool<SimulatedMemory> {
    PagePool(pages: Self.poolPages, memory: SimulatedMemory(machine: machine))
  }

  func group(bits: UInt64 = 40, vmid: VMID = VMID(0)) throws(SMMUSetupError) -> SMMUGroup<
    FakeMachine
  > {
    // The rule for live tables of CPUs is not theirs.
    machine.checksReplacement = false
    return try SMMUGroup(
      setups.span, bits: bits, vmid: vmid,
      machine: FakeMachine(
        memory: FakeMemory(machine: machine), registers: FakeRegisters(units: units),
        waits: waits))
  }

  /// Forgets what was written and carried out.
  func forget() {
    for unit in units {
      unit.writes = []
      unit.commands = []
    }
  }
}

/// The pages of a test.
func pageRange(_ first: UInt64, _ count: UInt64) -> PageRange { pages(first, count) }

extension SMMUGroup where Machine == FakeMachine {
  /// Maps pages, as the mirror does.
  mutating func map(
    _ range: PageRange, _ kind: PageKind = .memory, _ pool: inout PagePool<SimulatedMemory>
  ) throws {
    let needed = try tablesNeeded(for: [range].span, kind, pool)
    var reservation = try pool.reserve(needed)
    map(range, .full(kind), &pool, &reservation)
    pool.release(reservation)
  }

  /// Takes pages, as the mirror does, but for the waiting.
  mutating func unmap(
    _ range: PageRange, _ kind: PageKind = .memory, _ pool: inout PagePool<SimulatedMemory>
  ) throws {
    let needed = try tablesNeeded(for: [range].span, kind, pool)
    var reservation = try pool.reserve(needed)
    do {
      try unmap(range, &pool, &reservation)
    } catch {
      pool.release(reservation)
      throw error
    }
    pool.release(reservation)
  }
}
