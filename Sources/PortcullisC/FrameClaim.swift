// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEmbedder
internal import Hypervisor
internal import Ownership
internal import Traps

/// Takes the frames of regions from the host: all of all regions, or none.
enum FrameClaim {
  /// The frames of all regions together.
  typealias Frames = FixedList<128, PageRange>
  private typealias FramesClaim = Claim<128>

  /// Claims `regions`, registers them in their order, and freezes the registry.
  ///
  /// With no region the registry is frozen empty.
  ///
  /// - Throws: any `RegionClaimError`; the registry is as before.
  static func claim(
    _ regions: borrowing Regions, from ownership: inout EmbedderOwnership,
    registry: inout RegionRegistry<EmbedderDevice>
  ) throws(RegionClaimError) {
    guard !regions.isEmpty else { return registry.freeze() }
    let claim: FramesClaim
    do throws(OwnershipError) {
      claim = try ownership.donate(try frames(of: regions), expecting: .mmio)
    } catch {
      throw .ownership(error)
    }
    var candidate = RegionRegistry<EmbedderDevice>()
    do throws(RegistryError) {
      var next = 0
      for index in regions.indices {
        let region = regions[index]
        let address = try address(of: region.layout, in: claim, at: &next)
        try candidate.register(
          Region(
            region.layout, mappedAt: address, widths: region.widths, kinds: region.kinds,
            device: region.device))
      }
    } catch {
      var held: FramesClaim? = consume claim
      do throws(OwnershipError) {
        try ownership.giveBack(&held)
      } catch {
        _ = held.take()?.keepForever()
        throw .stuck(error)
      }
      throw .registry(error)
    }
    _ = claim.keepForever()
    candidate.freeze()
    registry = candidate
  }

  /// The frames of all regions, in the order of the regions and then of their addresses.
  private static func frames(of regions: borrowing Regions) throws(OwnershipError) -> Frames {
    var frames = Frames(filler: PageRange.filler)
    for index in regions.indices {
      let layout = regions[index].layout
      for number in 0..<layout.count {
        guard let pages = layout.frame(number), frames.append(pages) else {
          throw .tooManyRanges(capacity: Frames.capacity)
        }
      }
    }
    return frames
  }

  /// Where EL2 sees a region whose frames are those of `claim` from `next` on.
  ///
  /// - Throws: `virtualAddress` with the first that isn't as far from the base as in physical memory.
  private static func address(
    of layout: RegionLayout, in claim: borrowing FramesClaim, at next: inout Int
  ) throws(RegistryError) -> VirtualAddress {
    var base = VirtualAddress(0)
    for number in 0..<layout.count {
      // The claim has as many ranges as the regions have frames.
      let address = claim[next].address
      if number == 0 { base = address }
      guard base.advanced(by: number << layout.strideShift) == address else {
        throw .virtualAddress(address)
      }
      next += 1
    }
    return base
  }
}
