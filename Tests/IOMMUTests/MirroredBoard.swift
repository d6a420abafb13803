// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import IOMMU
import Simulation
import Testing

@testable import Ownership

typealias Mirrored = Ownership<
  SimulatedMemory, Stage2Table<SimulatedCache>, EL2Stage1Table<SimulatedCache>,
  DMAMirror<RecordingDriver>
>

/// The small board, with an IOMMU.
enum MirroredBoard {
  /// Two doorbells, as two ITSes have them: in the middle of a block, and at its end.
  static let doorbell = pages(0x8090, 1)
  static let farDoorbell = pages(0x9fff, 1)

  static func doorbells() -> Doorbells {
    var doorbells = Doorbells()
    let isAdded = doorbells.add(doorbell) && doorbells.add(farDoorbell)
    #expect(isAdded)
    return doorbells
  }

  /// A board with `free` pages left in the pool, of which the mirror is off.
  static func make(
    _ machine: SimulatedMachine, _ recorder: Recorder, doorbells: Doorbells = Doorbells(),
    free: UInt64 = 100
  ) throws -> Mirrored {
    try SmallBoard.build(
      machine, poolPages: SmallBoard.bootPages.get() + free,
      observer: DMAMirror(RecordingDriver(recorder: recorder), doorbells: doorbells))
  }

  /// Follows the host from here on.
  static func start(_ subject: inout Mirrored) throws(IOMMUError) {
    try subject.updateObserver { (mirror, host, map, pool) throws(IOMMUError) in
      try mirror.start(host, map, &pool)
    }
  }

  /// A board of which the mirror follows.
  static func following(
    _ machine: SimulatedMachine, _ recorder: Recorder, doorbells: Doorbells = Doorbells()
  ) throws -> Mirrored {
    var subject = try make(machine, recorder, doorbells: doorbells)
    try start(&subject)
    recorder.calls = []
    return subject
  }

  /// What devices should reach of all pages: the host's translation, walked from end to end.
  static func expected(
    _ subject: borrowing Mirrored, _ machine: SimulatedMachine, doorbells: [PageRange] = [],
    limit: UInt64 = 1 << 28
  ) throws -> AccessMap {
    let memory = SimulatedMemory(machine: machine)
    let map = try SmallBoard.map()
    var result = AccessMap()
    var page: UInt64 = 0
    while page < min(limit, subject.host.pageLimit) {
      let leaf = subject.host.leaf(from: frame(page), in: memory)
      var end = min(leaf.pages.last.rawValue + 1, limit)
      end = min(end, map.run(from: frame(page)).end)
      if case .mapped(let isReadable, let isWritable) = leaf.content {
        result.set(
          pages(page, end - page),
          DMAAccess(isReadable: isReadable, isWritable: isWritable, kind: map.kind(of: frame(page)))
        )
      }
      page = end
    }
    for doorbell in doorbells { result.set(doorbell, .doorbell) }
    return result
  }
}

/// A claim that a test may keep in a list; kept for good where it is dropped.
final class HeldClaim {
  var value: Claim<8>?
  let ranges: [PageRange]
  init(_ value: consuming Claim<8>, _ ranges: [PageRange]) {
    self.value = consume value
    self.ranges = ranges
  }
  deinit { if let left = value.take() { _ = left.keepForever() } }
}

/// Forgets a pin without releasing it, for a test that ends there.
func forget(_ pin: consuming Pin<8>) { pin.isOpen = false }
