// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import DeviceTree
public import Ownership
public import Traps

/// Why the ITSes of a board could not be protected; nothing is claimed then.
public enum ITSClaimError: Error, Hashable, Sendable {
  /// The board was refused when its tree was read.
  case boardRefused
  /// A control frame can't be a page range; its base.
  case badFrame(PhysicalAddress)
  /// The registry refused a region.
  case registry(RegistryError)
  /// The pages could not be taken from the host.
  case ownership(OwnershipError)
  /// The control frame at this base answers with external aborts.
  case silent(PhysicalAddress)
}

/// Takes the control frame of every ITS from the host: all of them or none.
public enum ITSClaim {
  /// The identities of the claimed ITSes, in the order of the tree.
  public typealias Identities = FixedList<8, ITSIdentity>

  /// The identities of no ITS.
  public static var noIdentities: Identities {
    Identities(
      filler: ITSIdentity(
        base: PhysicalAddress(0), address: VirtualAddress(0), typer: 0, iidr: 0, pidr2: 0))
  }

  /// The control frames of `board` as page ranges.
  private static func frames(
    of board: borrowing Board
  ) throws(ITSClaimError) -> FixedList<8, PageRange>? {
    guard board.verdict != .refused else { throw .boardRefused }
    guard !board.itses.isEmpty else { return nil }
    guard let first = PageRange(covering: board.itses[0].controlFrame) else {
      throw .badFrame(board.itses[0].controlFrame.base)
    }
    var frames = FixedList<8, PageRange>(filler: first)
    for index in board.itses.indices {
      let frame = board.itses[index].controlFrame
      guard let pages = PageRange(covering: frame), frames.append(pages) else {
        throw .badFrame(frame.base)
      }
    }
    return frames
  }

  /// Claims the control frames, registers each with its `device`, and freezes the registry.
  ///
  /// The translation frames stay with the host: its devices must reach GITS_TRANSLATER.
  ///
  /// - Throws: any `ITSClaimError`; the host owns every page again and the registry is as before.
  public static func claim<
    Tables: TableMemory & ~Copyable, Host: HostTranslation & ~Copyable,
    Hypervisor: HypervisorTranslation & ~Copyable, Observer: OwnershipObserver & ~Copyable,
    Device: TrapDevice, Registers: DeviceMemory & ~Copyable
  >(
    _ board: borrowing Board,
    from ownership: inout Ownership<Tables, Host, Hypervisor, Observer>,
    registry: inout RegionRegistry<Device>, device: (Int) -> Device,
    registers: borrowing Registers
  ) throws(ITSClaimError) -> Identities {
    var identities = noIdentities
    guard let frames = try frames(of: board) else {
      registry.freeze()
      return identities
    }
    var candidate = try copy(of: registry, for: frames[0].first.address)
    var claim: Claim<8>?
    do throws(OwnershipError) {
      claim = try ownership.donate(frames, expecting: .mmio)
    } catch {
      throw .ownership(error)
    }
    do throws(ITSClaimError) {
      for index in frames.indices {
        guard let frame = claim?[index] else { throw .badFrame(frames[index].first.address) }
        guard let identity = ITSIdentity(frame, through: registers) else {
          throw .silent(frame.pages.first.address)
        }
        _ = identities.append(identity)
        try register(frame, in: &candidate, device: device(index))
      }
    } catch {
      // The donation has just succeeded and nothing has touched the pages since, so that giving
      // them back finds them as it needs them.
      do throws(OwnershipError) {
        try ownership.giveBack(&claim)
      } catch {
        throw .ownership(error)
      }
      throw error
    }
    _ = claim.take()?.keepForever()
    candidate.freeze()
    registry = candidate
    return identities
  }

  /// What `registry` holds, to add the frame at `base` and those after it to.
  private static func copy<Device: TrapDevice>(
    of registry: borrowing RegionRegistry<Device>, for base: PhysicalAddress
  ) throws(ITSClaimError) -> RegionRegistry<Device> {
    guard !registry.isFrozen else { throw .registry(.frozen(base)) }
    var copy = RegionRegistry<Device>()
    do throws(RegistryError) {
      for index in 0..<registry.count {
        if let region = registry[index] { try copy.register(region) }
      }
    } catch {
      throw .registry(error)
    }
    return copy
  }

  private static func register<Device: TrapDevice>(
    _ frame: MappedPages, in registry: inout RegionRegistry<Device>, device: Device
  ) throws(ITSClaimError) {
    do throws(RegistryError) {
      let layout = try RegionLayout(
        base: frame.pages.first.address, pages: frame.pages.count)
      try registry.register(
        Region(layout, mappedAt: frame.address, widths: .word.union(.double), device: device))
    } catch {
      throw .registry(error)
    }
  }
}
