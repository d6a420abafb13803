// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership
public import Traps

/// A region that is to be claimed, before it has an address at EL2.
public struct RegionRequest<Device: TrapDevice>: Sendable {
  /// Where the host sees it.
  public let layout: RegionLayout
  /// The widths that are permitted.
  public let widths: AccessWidths
  /// Whether the region may be read, written, or both.
  public let kinds: AccessKinds
  /// Who answers; nil for pages that are to be out of reach.
  public let device: Device?
  /// Where EL2 sees it already; nil for a region that is seen where it is claimed to.
  public let address: VirtualAddress?

  /// Describes a request.
  public init(
    _ layout: RegionLayout, widths: AccessWidths, kinds: AccessKinds, device: Device?,
    mappedAt address: VirtualAddress? = nil
  ) {
    self.address = address
    self.layout = layout
    self.widths = widths
    self.kinds = kinds
    self.device = device
  }
}

/// Why regions were not claimed.
public enum RegionClaimError: Error, Hashable, Sendable {
  /// The pages could not be taken from the host; nothing has changed.
  case ownership(OwnershipError)
  /// The registry refused a region; the host has all pages back.
  case registry(RegistryError)
  /// The registers of the region at this base do not answer; the host has all pages back.
  case silent(PhysicalAddress)
  /// A region was refused, and the pages could not be given back: they are the hypervisor's until
  /// reset.
  case stuck(OwnershipError)
}

/// Takes regions of device registers from the host: all frames of all of them, or none.
public enum RegionClaim {
  /// As many regions as a registry holds.
  public typealias Requests<Device: TrapDevice> = FixedList<32, RegionRequest<Device>>
  /// The frames of all regions together.
  private typealias Frames = FixedList<160, PageRange>

  /// The most frames of all regions together.
  public static var frameLimit: Int { Frames.capacity }

  /// No requests.
  public static func none<Device: TrapDevice>() -> Requests<Device> {
    Requests(filler: RegionRequest(.nowhere, widths: .none, kinds: .none, device: nil))
  }

  /// Claims `requests`, registers them in their order behind what `registry` holds, and freezes it.
  ///
  /// With no request the registry is frozen as it is. When nothing else can fail any more, `answers` is
  /// asked for each region, by its number and where EL2 sees it, whether its registers answer; after the
  /// first that do not, the rest are not asked.
  ///
  /// - Throws: any `RegionClaimError`; the registry is as before.
  public static func claim<
    Tables: TableMemory & ~Copyable, Host: HostTranslation & ~Copyable,
    Hypervisor: HypervisorTranslation & ~Copyable, Observer: OwnershipObserver & ~Copyable,
    Device: TrapDevice
  >(
    _ requests: borrowing Requests<Device>,
    from ownership: inout Ownership<Tables, Host, Hypervisor, Observer>,
    registry: inout RegionRegistry<Device>,
    answers: (_ region: Int, _ address: VirtualAddress) -> Bool
  ) throws(RegionClaimError) {
    guard !requests.isEmpty else { return registry.freeze() }
    guard !registry.isFrozen else { throw .registry(.frozen(requests[0].layout.base)) }
    let claim: Claim<160>
    do throws(OwnershipError) {
      claim = try ownership.donate(try frames(of: requests), expecting: .mmio)
    } catch {
      throw .ownership(error)
    }
    do throws(RegionClaimError) {
      registry = try extended(registry, by: requests, at: claim, answers)
    } catch {
      var held: Claim<160>? = consume claim
      do throws(OwnershipError) {
        try ownership.giveBack(&held)
      } catch {
        _ = held.take()?.keepForever()
        throw .stuck(error)
      }
      throw error
    }
    _ = claim.keepForever()
    registry.freeze()
  }

  /// What `registry` holds and the regions behind it, which EL2 sees where `claim` says.
  private static func extended<Device: TrapDevice>(
    _ registry: borrowing RegionRegistry<Device>, by requests: borrowing Requests<Device>,
    at claim: borrowing Claim<160>, _ answers: (Int, VirtualAddress) -> Bool
  ) throws(RegionClaimError) -> RegionRegistry<Device> {
    var result = RegionRegistry<Device>()
    do throws(RegistryError) {
      for index in 0..<registry.count {
        if let region = registry[index] { try result.register(region) }
      }
    } catch {
      throw .registry(error)
    }
    var next = 0
    for index in requests.indices {
      let request = requests[index]
      let address: VirtualAddress
      do throws(RegistryError) {
        address = try self.address(of: request, in: claim, at: &next)
      } catch {
        throw .registry(error)
      }
      do throws(RegistryError) {
        try result.register(
          Region(
            request.layout, mappedAt: address, widths: request.widths, kinds: request.kinds,
            device: request.device))
      } catch {
        throw .registry(error)
      }
    }
    // The last thing that can fail: whoever answers need undo nothing for another's sake.
    for index in requests.indices {
      guard let address = result[registry.count + index]?.address, answers(index, address) else {
        throw .silent(requests[index].layout.base)
      }
    }
    return result
  }

  /// The frames of all regions, in the order of the regions and then of their addresses.
  private static func frames<Device: TrapDevice>(
    of requests: borrowing Requests<Device>
  ) throws(OwnershipError) -> Frames {
    guard let first = requests[0].layout.frame(0) else { throw .empty }
    var frames = Frames(filler: first)
    for index in requests.indices {
      let layout = requests[index].layout
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
  private static func address<Device: TrapDevice>(
    of request: RegionRequest<Device>, in claim: borrowing Claim<160>, at next: inout Int
  ) throws(RegistryError) -> VirtualAddress {
    let layout = request.layout
    if let address = request.address {
      next += Int(layout.count)
      return address
    }
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
