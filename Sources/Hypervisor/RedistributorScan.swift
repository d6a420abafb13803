// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
public import GIC
public import ITS

/// The Redistributors of a board, found by reading them.
public enum RedistributorScan {
  /// How a search ends.
  public enum End: Sendable {
    /// With the Redistributor that says that it is the last.
    case last
    /// With an abort, where one should be.
    case silent
    /// With the region, and more Redistributors behind it.
    case beyond
  }

  /// Calls `body` with the place and GICR_TYPER of every Redistributor of a region that EL2 sees at
  /// `address`; how that ended.
  ///
  /// The region has the size that the tree gives it, and the frames go on until one says GICR_TYPER.Last.
  /// Source: IHI 0069, 12.10 and GICR_TYPER.
  public static func forEach<Memory: DeviceMemory & ~Copyable, Failure: Error>(
    _ region: RedistributorRegion, at address: VirtualAddress, through memory: borrowing Memory,
    _ body: (PhysicalAddress, GICRTyper) throws(Failure) -> Void
  ) throws(Failure) -> End {
    var offset: UInt64 = 0
    let frame = RedistributorRegister.frameSize
    // The RD frame and the SGI frame of the last one lie in the region as well.
    while offset <= region.range.size, region.range.size - offset >= 2 * frame {
      let place = VirtualAddress(
        address.rawValue &+ offset &+ RedistributorRegister.type.offset)
      guard let value = memory.read(.double, at: place) else { return .silent }
      let typer = GICRTyper(rawValue: value)
      try body(PhysicalAddress(region.range.base.rawValue &+ offset), typer)
      if typer.isLast { return .last }
      // A stride of the tree that is too small would have frames overlap.
      offset += max(region.stride ?? typer.size, 2 * frame)
    }
    return .beyond
  }

  /// Adds every Redistributor of a region that EL2 sees at `address` to the targets of an ITS with this
  /// GITS_TYPER; false where one does not answer, there are too many, or they do not end in the region.
  public static func add<Machine: ITSMachine & ~Copyable>(
    _ region: RedistributorRegion, at address: VirtualAddress,
    to targets: inout RedistributorDirectory, _ typer: GITSTyper, machine: borrowing Machine
  ) -> Bool {
    var fits = true
    let end = forEach(region, at: address, through: machine.registers) {
      (base, redistributor) in
      fits =
        fits
        && targets.add(
          base, redistributor, byAddress: typer.targetsAreAddresses, memory: machine.memory)
    }
    return end == .last && fits
  }
}
