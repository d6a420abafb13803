// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
internal import GIC
public import Traps

/// Why the Redistributors of a board could not be protected.
public enum RedistributorClaimError: Error, Hashable, Sendable {
  /// A Redistributor of the region at this base answers with an abort.
  case silent(PhysicalAddress)
  /// The Redistributors lie in more runs than a claim has regions, or there are too many; the base of the
  /// first that did not fit.
  case tooMany(PhysicalAddress)
  /// The last Redistributor of the region at this base does not say that it is: there are more behind it, which the
  /// tree does not tell of.
  case endless(PhysicalAddress)
  /// Frames of the Redistributor at this base can't be a region.
  case layout(PhysicalAddress, RegistryError)

  /// The base of the region or Redistributor, and the reason in words, for a log.
  public var told: (base: PhysicalAddress, text: StaticString) {
    switch self {
    case .silent(let base): (base, "one does not answer")
    case .tooMany(let base): (base, "there are too many")
    case .endless(let base): (base, "the last one of the region does not say GICR_TYPER.Last")
    case .layout(let base, _): (base, "frames can't be claimed")
    }
  }
}

/// The pages of Redistributors that trap: the RD frame, and the VLPI frame with the reserved one behind it.
///
///      RD       SGI      VLPI     reserved      RD      …
///     traps   the host's  traps    traps       traps
///
/// The SGI frame, which has the registers that a host uses all the time, stays with the host.
public enum RedistributorClaim {
  /// Redistributors side by side, all of the same kind.
  private struct Run {
    let base: PhysicalAddress
    let address: VirtualAddress
    let hasVirtualLPIs: Bool
    /// The number of the first.
    let first: UInt16
    var count: UInt64 = 1
    var stride: UInt64 = 0

    /// Takes in the next one, if it is a stride further and of the same kind.
    mutating func extend(_ next: PhysicalAddress, _ typer: GICRTyper) -> Bool {
      let distance = next.rawValue &- base.rawValue
      if count == 1, distance.nonzeroBitCount == 1 { stride = distance }
      guard typer.hasVirtualLPIs == hasVirtualLPIs, stride != 0, distance == count &* stride else {
        return false
      }
      count += 1
      return true
    }
  }

  /// Appends the requests for all Redistributors of `regions`, which EL2 sees at `address`.
  ///
  /// A Redistributor without a CPU counts as well: an ITS can send interrupts to it. `device` tells who
  /// answers for Redistributors from a number on, and from which of their frames on. A region of a GIC that the host
  /// does not use is asked for whole, and nobody answers there.
  ///
  /// - Throws: any `RedistributorClaimError`.
  public static func append<Device: TrapDevice, Memory: DeviceMemory & ~Copyable>(
    _ regions: borrowing Board.RedistributorRegions, at address: (Int) -> VirtualAddress,
    through memory: borrowing Memory, to requests: inout RegionRequests<Device>,
    device: (_ first: UInt16, _ frame: UInt8) -> Device
  ) throws(RedistributorClaimError) {
    var number: UInt16 = 0
    for index in regions.indices {
      let region = regions[index]
      let start = address(index)
      guard region.isUsed else {
        try appendUnused(region, at: start, to: &requests, through: memory)
        continue
      }
      var run: Run?
      let end = try RedistributorScan.forEach(region, at: start, through: memory) {
        (base, typer) throws(RedistributorClaimError) in
        if run?.extend(base, typer) != true {
          if let run { try append(run, to: &requests, device) }
          let distance = base.rawValue &- region.range.base.rawValue
          run = Run(
            base: base, address: VirtualAddress(start.rawValue &+ distance),
            hasVirtualLPIs: typer.hasVirtualLPIs, first: number)
        }
        guard number < UInt16.max else { throw RedistributorClaimError.tooMany(base) }
        number += 1
      }
      if end == .silent { throw .silent(region.range.base) }
      if end == .beyond { throw .endless(region.range.base) }
      if let run { try append(run, to: &requests, device) }
    }
  }

  /// Where no Redistributor answers there is none, or one without power: all of the region is taken.
  private static func appendUnused<Device: TrapDevice, Memory: DeviceMemory & ~Copyable>(
    _ region: RedistributorRegion, at address: VirtualAddress,
    to requests: inout RegionRequests<Device>, through memory: borrowing Memory
  ) throws(RedistributorClaimError) {
    let base = region.range.base
    let end = try RedistributorScan.forEach(region, at: address, through: memory) {
      (_, _) throws(RedistributorClaimError) in
    }
    if end == .beyond { throw .endless(base) }
    do throws(RegistryError) {
      let layout = try RegionLayout(
        base: base, pages: region.range.size >> PageFrameNumber.shift)
      let request = RegionRequest<Device>(
        layout, widths: .all, kinds: .readWrite, device: nil, mappedAt: address)
      guard requests.append(request) else { throw .full(base) }
    } catch {
      throw .layout(base, error)
    }
  }

  private static func append<Device: TrapDevice>(
    _ run: Run, to requests: inout RegionRequests<Device>,
    _ device: (UInt16, UInt8) -> Device
  ) throws(RedistributorClaimError) {
    let pages = RedistributorRegister.frameSize >> PageFrameNumber.shift
    try append(run, offset: 0, pages: pages, to: &requests, device)
    guard run.hasVirtualLPIs else { return }
    try append(
      run, offset: RedistributorRegister.virtualFrame, pages: 2 * pages, to: &requests, device)
  }

  private static func append<Device: TrapDevice>(
    _ run: Run, offset: UInt64, pages: UInt64, to requests: inout RegionRequests<Device>,
    _ device: (UInt16, UInt8) -> Device
  ) throws(RedistributorClaimError) {
    let layout: RegionLayout
    do throws(RegistryError) {
      layout = try RegionLayout(
        base: PhysicalAddress(run.base.rawValue &+ offset), pages: pages, stride: run.stride,
        count: run.count)
    } catch {
      throw .layout(run.base, error)
    }
    let request = RegionRequest(
      layout, widths: .word.union(.double), kinds: .readWrite,
      device: device(
        run.first, UInt8(truncatingIfNeeded: offset / RedistributorRegister.frameSize)),
      mappedAt: VirtualAddress(run.address.rawValue &+ offset))
    guard requests.append(request) else { throw .tooMany(run.base) }
  }
}
