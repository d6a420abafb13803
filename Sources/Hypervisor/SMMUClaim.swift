// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import IOMMU
public import Boards
public import SMMUDriver
public import Traps

/// Takes the registers of the SMMUs from the host, and says what driving them starts from.
public enum SMMUClaim {
  /// As many set-ups as a driver takes.
  public typealias Setups = FixedList<16, SMMUSetup>

  /// Appends a request for all registers of each SMMU to what else is claimed, whole as the tree has them; false
  /// where there is no room.
  ///
  /// Every access is the device's to answer, which refuses it.
  public static func append<Device: TrapDevice>(
    _ plan: borrowing SMMUPlan, to requests: inout RegionRequests<Device>,
    _ device: (UInt8) -> Device
  ) throws(RegistryError) -> Bool {
    for index in plan.places.indices {
      let range = plan.places[index].range
      let layout = try RegionLayout(
        base: range.base, pages: range.size >> PageFrameNumber.shift)
      let request = RegionRequest(
        layout, widths: .all, kinds: .readWrite, device: device(UInt8(truncatingIfNeeded: index)))
      guard requests.append(request) else { return false }
    }
    return true
  }

  /// The set-ups of SMMUs that were claimed, each with an equal part of `arena`; nil where one was not claimed,
  /// or the arena is too small.
  public static func setups<Device: TrapDevice>(
    _ plan: borrowing SMMUPlan, in registry: borrowing RegionRegistry<Device>, arena: PageRange
  ) -> Setups? {
    let count = UInt64(plan.places.count)
    guard count > 0 else { return nil }
    // Queues and tables are aligned to their size.
    let least = SMMUSetup.recommendedArenaSize >> PageFrameNumber.shift
    let share = arena.count / count & ~(least - 1)
    var setups: Setups?
    for index in plan.places.indices {
      let place = plan.places[index]
      guard let number = registry.index(of: place.range.base),
        let frame = registry[number]?.address,
        let pages = PageRange(
          first: PageFrameNumber(arena.first.rawValue + UInt64(index) * share), count: share)
      else { return nil }
      let setup = SMMUSetup(frame: frame, arena: pages, streams: place.streams)
      var list = setups ?? Setups(filler: setup)
      _ = list.append(setup)
      setups = list
    }
    return setups
  }

  /// The frames by which devices send MSIs, of all ITSes of a board.
  ///
  /// A board whose devices ring elsewhere, at a bridge before the ITS, has that among its other MMIO.
  public static func doorbells(of board: borrowing Board) -> Doorbells {
    var doorbells = Doorbells()
    for index in board.itses.indices { doorbells.add(of: board.itses[index]) }
    return doorbells
  }
}

extension Doorbells {
  /// Adds the frame of an ITS, where it has one: there are as many places as a board may have ITSes.
  package mutating func add(of its: ITSDescription) {
    guard let frame = its.translationFrame, let pages = PageRange(covering: frame) else { return }
    _ = add(pages)
  }
}
