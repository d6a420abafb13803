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

/// Regions that are to be claimed together, in their order: as many as a registry holds.
///
/// It is not copied: a stack has no room for another.
public struct RegionRequests<Device: TrapDevice>: ~Copyable {
  private var list: FixedList<128, RegionRequest<Device>>
  private let place = InPlace()

  /// The most requests.
  public static var capacity: Int { 128 }

  /// No requests.
  public init() {
    list = FixedList(filler: RegionRequest(.nowhere, widths: .none, kinds: .none, device: nil))
  }

  /// How many there are.
  public var count: Int { list.count }
  /// Whether there is none.
  public var isEmpty: Bool { list.isEmpty }
  /// Whether an append would be refused.
  public var isFull: Bool { list.isFull }
  /// The indices of the requests.
  public var indices: Range<Int> { list.indices }

  /// Appends a request; false, and nothing changed, where there are as many as there may be.
  public mutating func append(_ request: RegionRequest<Device>) -> Bool { list.append(request) }

  /// Removes the requests from `count` on.
  public mutating func removeAll(behind count: Int) {
    while list.count > count { _ = list.removeLast() }
  }

  /// The request at `index`, which is below `count`.
  public subscript(index: Int) -> RegionRequest<Device> { list[index] }
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
  /// The frames of a board's regions: two of each of 512 Redistributors, and as many as there are other regions
  /// twice.
  public typealias BoardFrames = ClaimList<1280>

  /// An empty list of frames.
  public static func noFrames<let capacity: Int>() -> ClaimList<capacity> {
    guard let page = PageRange(first: PageFrameNumber(0), count: 1) else {
      preconditionFailure("page 0 is a page")
    }
    return ClaimList(filler: page)
  }

  /// Claims `requests`, registers them in their order behind what `registry` holds, and freezes it.
  ///
  /// With no request the registry is frozen as it is. When nothing else can fail any more, `answers` is
  /// asked for each region, by its number and where EL2 sees it, whether its registers answer; after the
  /// first that do not, the rest are not asked.
  ///
  /// `frames` is an empty list for the frames of all regions; its capacity is the most that there may be. Last of all
  /// `sealing` gets it, to begin what needs all pages to be taken; it returns the base of a region that does not answer.
  /// Neither it nor `answers` is called where there is no request.
  ///
  /// - Throws: any `RegionClaimError`; the registry is as before.
  public static func claim<
    Tables: TableMemory & ~Copyable, Host: HostTranslation & ~Copyable,
    Hypervisor: HypervisorTranslation & ~Copyable, Observer: OwnershipObserver & ~Copyable,
    Device: TrapDevice, let frameLimit: Int
  >(
    _ requests: borrowing RegionRequests<Device>,
    collecting frames: inout ClaimList<frameLimit>,
    from ownership: inout Ownership<Tables, Host, Hypervisor, Observer>,
    registry: inout RegionRegistry<Device>,
    answers: (_ region: Int, _ address: VirtualAddress) -> Bool,
    sealing: (
      _ memoryMap: borrowing MemoryMap, _ frames: borrowing ClaimList<frameLimit>
    ) -> PhysicalAddress?
  ) throws(RegionClaimError) {
    guard !requests.isEmpty else { return registry.freeze() }
    guard !registry.isFrozen else { throw .registry(.frozen(requests[0].layout.base)) }
    do throws(OwnershipError) {
      try add(requests, to: &frames)
      try ownership.donate(&frames, expecting: .mmio)
    } catch {
      throw .ownership(error)
    }
    let count = registry.count
    do throws(RegionClaimError) {
      try register(requests, at: frames, in: &registry, answers)
      if let base = sealing(ownership.memoryMap, frames) {
        registry.removeAll(behind: count)
        throw .silent(base)
      }
    } catch {
      do throws(OwnershipError) {
        try ownership.giveBackRegisters(&frames)
      } catch {
        frames.keepForever()
        throw .stuck(error)
      }
      throw error
    }
    frames.keepForever()
    registry.freeze()
  }

  /// Registers the regions, which EL2 sees where `frames` says, behind what `registry` holds.
  ///
  /// - Throws: why one was refused; the registry is as before.
  private static func register<Device: TrapDevice, let frameLimit: Int>(
    _ requests: borrowing RegionRequests<Device>, at frames: borrowing ClaimList<frameLimit>,
    in registry: inout RegionRegistry<Device>, _ answers: (Int, VirtualAddress) -> Bool
  ) throws(RegionClaimError) {
    let count = registry.count
    do throws(RegistryError) {
      var next = 0
      for index in requests.indices {
        let request = requests[index]
        let address = try address(of: request, in: frames, at: &next)
        try registry.register(
          Region(
            request.layout, mappedAt: address, widths: request.widths, kinds: request.kinds,
            device: request.device))
      }
    } catch {
      registry.removeAll(behind: count)
      throw .registry(error)
    }
    // The last thing that can fail: whoever answers need undo nothing for another's sake.
    for index in requests.indices {
      guard let address = registry[count + index]?.address, answers(index, address) else {
        registry.removeAll(behind: count)
        throw .silent(requests[index].layout.base)
      }
    }
  }

  /// Appends the frames of all regions, in the order of the regions and then of their addresses.
  private static func add<Device: TrapDevice, let frameLimit: Int>(
    _ requests: borrowing RegionRequests<Device>, to frames: inout ClaimList<frameLimit>
  ) throws(OwnershipError) {
    for index in requests.indices {
      let layout = requests[index].layout
      for number in 0..<layout.count {
        guard let pages = layout.frame(number), frames.append(pages) else {
          throw .tooManyRanges(capacity: frameLimit)
        }
      }
    }
  }

  /// Where EL2 sees a region whose frames are those of the list from `next` on.
  ///
  /// - Throws: `virtualAddress` with the first that isn't as far from the base as in physical memory.
  private static func address<Device: TrapDevice, let frameLimit: Int>(
    of request: RegionRequest<Device>, in frames: borrowing ClaimList<frameLimit>,
    at next: inout Int
  ) throws(RegistryError) -> VirtualAddress {
    let layout = request.layout
    if let address = request.address {
      next += Int(layout.count)
      return address
    }
    var base = VirtualAddress(0)
    for number in 0..<layout.count {
      // The list has as many ranges as the regions have frames.
      guard let address = frames.address(next) else { throw .virtualAddress(base) }
      if number == 0 { base = address }
      guard base.advanced(by: number << layout.strideShift) == address else {
        throw .virtualAddress(address)
      }
      next += 1
    }
    return base
  }
}
