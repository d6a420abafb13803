// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
internal import GIC
internal import ITS
public import Redistributor
internal import Trace
public import Traps

// Redistributors: rarely asked, and behind one lock.
extension Monitor {
  /// Has the Redistributor with this number answer a load.
  @inline(never)
  public func readRedistributor(_ number: Int, _ access: Access) -> ReadEffect {
    platform.withRedistributors { redistributors in
      if platform.looksOn { platform.willAnswer(redistributors, isWaking: false) }
      let effect = redistributors.read(number, access, machine: platform.redistributorMachine())
      if platform.looksOn {
        platform.hasAnswered(TracedAccess(access, effect), by: number, redistributors)
      }
      return effect
    }
  }

  /// Has the Redistributor with this number carry out a store.
  @inline(never)
  public func writeRedistributor(_ number: Int, _ access: Access, _ value: UInt64) -> WriteEffect {
    platform.withRedistributors { redistributors in
      if platform.looksOn { platform.willAnswer(redistributors, isWaking: false) }
      let effect = redistributors.write(
        number, access, value, machine: platform.redistributorMachine())
      if platform.looksOn {
        platform.hasAnswered(TracedAccess(access, value, effect), by: number, redistributors)
      }
      if let refusal = redistributors.takeRefusal() { tell(refusal) }
      return effect
    }
  }

  @inline(never)
  private func tell(_ refusal: RefusedTables) {
    var line = LogLine("Redistributor ")
    line.append(decimal: UInt64(refusal.number))
    line.append(": tables refused: ")
    line.append(refusal.reason.text)
    line.append(", PROPBASER ")
    line.append(hex: refusal.configuration)
    line.append(" PENDBASER ")
    line.append(hex: refusal.pending)
    platform.log(.warning, line)
  }

  /// Has every Redistributor of `regions` mediated, in the order of their requests, before the host runs.
  ///
  /// EL2 sees the region with a number at `address`, and the GIC reaches addresses below `addressLimit`. With
  /// `keepsLive` LPIs that are enabled stay so, for the host is trusted at first; it is mediated all the same. `pins` is where the machine finds the pins' part of the place.
  ///
  /// - Throws: any `RedistributorSetupError`; the host must not run then.
  public func beginRedistributors(
    _ regions: borrowing Board.RedistributorRegions, at address: (Int) -> VirtualAddress,
    pins: PhysicalAddress,
    interruptLimit: UInt64, addressLimit: UInt64, offersVirtualLPIs: Bool, keepsLive: Bool
  ) throws(RedistributorSetupError) {
    platform.redistributors.begin { slots in
      MediatedRedistributors(
        interruptLimit: interruptLimit, pins: pins, slots: slots,
        offersVirtualLPIs: offersVirtualLPIs, addressLimit: addressLimit)
    }
    let machine = platform.redistributorMachine()
    for index in regions.indices where regions[index].isUsed {
      let region = regions[index]
      let start = address(index)
      let end = try RedistributorScan.forEach(
        region, at: start, through: platform.registers
      ) { (base, _) throws(RedistributorSetupError) in
        let distance = base.rawValue &- region.range.base.rawValue
        try platform.withRedistributors { (redistributors) throws(RedistributorSetupError) in
          try redistributors.add(
            VirtualAddress(start.rawValue &+ distance), keepsLive: keepsLive, machine: machine)
        }
      }
      guard end == .last else { throw .silent(start) }
    }
    let count = try platform.withRedistributors {
      (redistributors) throws(RedistributorSetupError) in
      try redistributors.finish(machine: machine)
      return redistributors.count
    }
    var line = LogLine("Redistributors mediated: ")
    line.append(decimal: UInt64(count))
    platform.log(.info, line)
  }
  /// Ends what ``beginRedistributors(_:at:pins:interruptLimit:addressLimit:offersVirtualLPIs:keepsLive:)`` began,
  /// where no host runs yet: the tables of live LPIs are the host's alone again.
  public func abandonRedistributors() {
    platform.withRedistributors { $0.abandon(machine: platform.redistributorMachine()) }
  }
}
