// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import Boards
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
  public typealias Identities = Board.ITSList<ITSIdentity>

  /// The identities of no ITS.
  public static var noIdentities: Identities {
    Identities(
      filler: ITSIdentity(
        base: PhysicalAddress(0), address: VirtualAddress(0), typer: 0, iidr: 0, pidr2: 0))
  }

  /// The control frames of `board` as requests, and `others` behind them.
  private static func requests<Device: TrapDevice>(
    for board: borrowing Board, _ others: borrowing RegionRequests<Device>,
    _ device: (Int) -> Device
  ) throws(ITSClaimError) -> RegionRequests<Device> {
    guard board.verdict != .refused else { throw .boardRefused }
    var requests = RegionRequests<Device>()
    for index in board.itses.indices {
      let frame = board.itses[index].controlFrame
      guard requests.append(try request(for: frame, device(index))) else {
        throw .badFrame(frame.base)
      }
    }
    for index in others.indices {
      let other = others[index]
      guard requests.append(other) else { throw .registry(.full(other.layout.base)) }
    }
    return requests
  }

  private static func request<Device: TrapDevice>(
    for frame: AddressRange, _ device: Device
  ) throws(ITSClaimError) -> RegionRequest<Device> {
    do throws(RegistryError) {
      return try RegionRequest(
        RegionLayout(base: frame.base, pages: frame.size >> PageFrameNumber.shift),
        widths: .word.union(.double), kinds: .readWrite, device: device)
    } catch {
      throw .badFrame(frame.base)
    }
  }

  /// Claims the control frames, registers each with its `device`, and freezes the registry.
  ///
  /// `others` are claimed with them and registered behind them: what is asked for most comes first.
  /// The translation frames stay with the host: its devices must reach GITS_TRANSLATER. `frames` is an empty list,
  /// as in ``RegionClaim``.
  ///
  /// - Throws: any `ITSClaimError`; the host owns every page again and the registry is as before.
  public static func claim<
    Tables: TableMemory & ~Copyable, Host: HostTranslation & ~Copyable,
    Hypervisor: HypervisorTranslation & ~Copyable, Observer: OwnershipObserver & ~Copyable,
    Device: TrapDevice, Registers: DeviceMemory & ~Copyable, let frameLimit: Int
  >(
    _ board: borrowing Board,
    beside others: borrowing RegionRequests<Device> = RegionRequests(),
    collecting frames: inout ClaimList<frameLimit>,
    from ownership: inout Ownership<Tables, Host, Hypervisor, Observer>,
    registry: inout RegionRegistry<Device>, device: (Int) -> Device,
    registers: borrowing Registers
  ) throws(ITSClaimError) -> Identities {
    var identities = noIdentities
    let requests = try requests(for: board, others, device)
    let count = board.itses.count
    do throws(RegionClaimError) {
      try RegionClaim.claim(
        requests, collecting: &frames, from: &ownership, registry: &registry
      ) { index, address in
        guard index < count else { return true }
        guard
          let identity = ITSIdentity(
            requests[index].layout.base, at: address, through: registers)
        else { return false }
        return identities.append(identity)
      } sealing: { _, _ in
        nil
      }
    } catch {
      throw ITSClaimError(error)
    }
    return identities
  }
}

extension ITSClaimError {
  init(_ error: RegionClaimError) {
    switch error {
    case .ownership(let error), .stuck(let error): self = .ownership(error)
    case .registry(let error): self = .registry(error)
    case .silent(let base): self = .silent(base)
    }
  }
}
