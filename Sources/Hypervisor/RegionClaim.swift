// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Ownership
public import Traps

/// A region that is to be claimed, before it has an address at EL2.
public struct RegionRequest<Device: TrapDevice>: Sendable {
  /// The pages.
  public let pages: PageRange
  /// The widths that are permitted.
  public let widths: AccessWidths
  /// Whether the region may be read, written, or both.
  public let kinds: AccessKinds
  /// Who answers; nil for pages that are to be out of reach.
  public let device: Device?

  /// Describes a request.
  public init(pages: PageRange, widths: AccessWidths, kinds: AccessKinds, device: Device?) {
    self.pages = pages
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
  /// The registry refused a region, and the pages could not be given back: they are the
  /// hypervisor's until reset.
  case stuck(OwnershipError)
}

/// Takes any regions of device registers from the host: all of them or none.
public enum RegionClaim {
  /// Claims `requests`, registers them in their order, and freezes the registry.
  ///
  /// With no request the registry is frozen empty.
  ///
  /// - Throws: any `RegionClaimError`; the registry is as before.
  public static func claim<
    let capacity: Int, Tables: TableMemory & ~Copyable, Host: HostTranslation & ~Copyable,
    Hypervisor: HypervisorTranslation & ~Copyable, Observer: OwnershipObserver & ~Copyable,
    Device: TrapDevice
  >(
    _ requests: borrowing FixedList<capacity, RegionRequest<Device>>,
    from ownership: inout Ownership<Tables, Host, Hypervisor, Observer>,
    registry: inout RegionRegistry<Device>
  ) throws(RegionClaimError) {
    guard !requests.isEmpty else { return registry.freeze() }
    var ranges = FixedList<capacity, PageRange>(filler: requests[0].pages)
    for index in requests.indices { _ = ranges.append(requests[index].pages) }
    var claim: Claim<capacity>?
    do throws(OwnershipError) {
      claim = try ownership.donate(ranges, expecting: .mmio)
    } catch {
      throw .ownership(error)
    }
    var candidate = RegionRegistry<Device>()
    do throws(RegistryError) {
      for index in requests.indices {
        guard let mapped = claim?[index] else { break }
        try candidate.register(
          Region(
            RegionLayout(base: mapped.pages.first.address, pages: mapped.pages.count),
            mappedAt: mapped.address, widths: requests[index].widths,
            kinds: requests[index].kinds, device: requests[index].device))
      }
    } catch {
      do throws(OwnershipError) {
        try ownership.giveBack(&claim)
      } catch {
        _ = claim.take()?.keepForever()
        throw .stuck(error)
      }
      throw .registry(error)
    }
    _ = claim.take()?.keepForever()
    candidate.freeze()
    registry = candidate
  }
}
