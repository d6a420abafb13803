// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Boards
internal import GIC
internal import ITS
internal import Ownership
internal import Synchronization

// EL2 between the host and every claimed ITS.
extension Monitor where Machine: BoardPlatform {
  /// Prepares the ITSes in the order of `identities`, each with an equal part of the arena, and returns
  /// what they are for the host.
  ///
  /// They are mediated at once, before the host runs; or, where it is trusted to hand them over, when it
  /// does.
  func beginITSes(
    of board: borrowing Board, _ identities: ITSClaim.Identities, _ options: BootOptions,
    _ masters: MasterProtection, interruptLimit: UInt64
  ) throws(StartupError) -> ITSClaim.Identities {
    var offered = ITSClaim.noIdentities
    state.shared.trustsHost.store(options.isHandover, ordering: .relaxed)
    guard !identities.isEmpty else { return offered }
    state.shared.redistributors = board.redistributors
    guard let pool = state.shared.memory.arena else {
      throw .mediation(.outOfMemory)
    }
    let cpus = UInt64(state.shared.cpus.count)
    // All of them first: what a loader has left one writing to may lie in the memory that another gets.
    for index in identities.indices where !options.isHandover {
      MediatedITS.abandon(
        identities[index].address,
        machine: platform.machine(of: UInt8(truncatingIfNeeded: index)))
    }
    for index in identities.indices {
      guard let pages = ITSSetup.arena(index, of: identities.count, in: pool) else {
        throw .mediation(.outOfMemory)
      }
      var policy = ITSPolicy(interruptLimit: interruptLimit)
      policy.devices = masters.permitted(index)
      if options.checksVirtualInterrupts { policy.virtualInterrupts = .checked }
      let setup = ITSSetup(
        frame: identities[index].address, arena: pages, traits: board.itses[index].traits,
        policy: policy, cpus: cpus)
      let number = UInt8(truncatingIfNeeded: index)
      platform.itses.put(number, setup, base: identities[index].base)
      var typer = MediatedITS.offeredType(
        GITSTyper(rawValue: identities[index].typer), setup.policy)
      if !options.isHandover {
        do throws(ITSSetupError) {
          try setUp(number)
        } catch {
          throw .mediation(error)
        }
        typer = platform.withITS(number) { $0.mediation.offered }
      }
      _ = offered.append(identities[index].offering(typer: typer.rawValue))
    }
    return offered
  }

  /// What an ITS is for the host; GITS_TYPER is what it reads since its ITS is mediated.
  func identity(of its: UInt64) -> ITSIdentity? {
    guard let number = UInt8(exactly: its), number < platform.itsCount else { return nil }
    let identity = state.shared.identities[Int(number)]
    guard platform.mediation == .on else { return identity }
    return platform.withITS(number) { its in
      its.isMediated ? identity.offering(typer: its.mediation.offered.rawValue) : identity
    }
  }
}
