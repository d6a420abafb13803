// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import DeviceTree
internal import GIC
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Synchronization

/// Puts EL2 between the host and every claimed ITS.
enum ITSMediation {
  /// Prepares the ITSes in the order of `identities`, each with an equal part of the arena, and returns
  /// what they are for the host.
  ///
  /// They are mediated at once, before the host runs; or, where it is trusted to hand them over, when it
  /// does.
  static func begin(
    _ board: borrowing Board, _ identities: ITSClaim.Identities, _ options: BootOptions,
    _ masters: MasterProtection, interruptLimit: UInt64
  ) throws(StartupError) -> ITSClaim.Identities {
    var offered = ITSClaim.noIdentities
    guard !identities.isEmpty else { return offered }
    unsafe StateMemory.shared.pointee.redistributors = board.redistributors
    unsafe StateMemory.shared.pointee.trustsHost.store(options.isHandover, ordering: .relaxed)
    guard let pool = unsafe StateMemory.shared.pointee.memory.arena else {
      throw .mediation(.outOfMemory)
    }
    let cpus = UInt64(unsafe StateMemory.shared.pointee.cpus.count)
    // All of them first: what a loader has left one writing to may lie in the memory that another gets.
    for index in identities.indices where !options.isHandover {
      MediatedITS.abandon(
        identities[index].address,
        machine: MediationMachine(number: UInt8(truncatingIfNeeded: index)))
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
      StateMemory.itses.put(number, setup, base: identities[index].base)
      var typer = MediatedITS.offeredType(
        GITSTyper(rawValue: identities[index].typer), setup.policy)
      if !options.isHandover {
        do throws(ITSSetupError) {
          try MetalMonitor(MetalPlatform()).setUp(number)
        } catch {
          throw .mediation(error)
        }
        typer = StateMemory.itses.withLock(number) { $0.mediation.offered }
      }
      _ = offered.append(identities[index].offering(typer: typer.rawValue))
    }
    return offered
  }

  /// What the ITSes are for the host; GITS_TYPER is what it reads since its ITS is mediated.
  static var identities: ITSClaim.Identities {
    var identities = unsafe StateMemory.shared.pointee.identities
    guard mediation == .on else { return identities }
    for index in identities.indices {
      let number = UInt8(truncatingIfNeeded: index)
      StateMemory.itses.withLock(number) { its in
        guard its.isMediated else { return }
        identities[index] = identities[index].offering(typer: its.mediation.offered.rawValue)
      }
    }
    return identities
  }
}
