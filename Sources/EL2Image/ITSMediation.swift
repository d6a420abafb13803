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
      unsafe StateMemory.its(number).initialize(
        to: ITSState(setup, base: identities[index].base))
      var typer = MediatedITS.offeredType(
        GITSTyper(rawValue: identities[index].typer), setup.policy)
      if !options.isHandover {
        do throws(ITSSetupError) {
          try setUp(number)
        } catch {
          throw .mediation(error)
        }
        typer = unsafe StateMemory.mediation(number).pointee.offered
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
      var held = HeldLocks()
      unsafe StateMemory.its(number).pointee.lock.withLock(&held) { _ in
        guard unsafe StateMemory.its(number).pointee.isMediated else { return }
        identities[index] = unsafe identities[index].offering(
          typer: StateMemory.mediation(number).pointee.offered.rawValue)
      }
    }
    return identities
  }

  /// Sets an ITS up from boot; at boot, or with its lock held.
  static func setUp(_ number: UInt8) throws(ITSSetupError) {
    let machine = MediationMachine(number: number)
    let its = try unsafe MediatedITS.setUp(
      StateMemory.its(number).pointee.setup, machine: machine
    ) { targets, typer in addTargets(to: &targets, typer, machine) }
    record(its, number, isHandedOver: false)
    unsafe StateMemory.mediation(number).initialize(to: its)
    unsafe StateMemory.its(number).pointee.path = Recorder.isOn ? .traced : .mediated
  }

  /// Takes a live ITS over; with its lock held.
  static func handOver(_ number: UInt8, descriptor: PhysicalAddress) throws(HandoverError) {
    let machine = MediationMachine(number: number)
    let its = try unsafe MediatedITS.handOver(
      StateMemory.its(number).pointee.setup, base: StateMemory.its(number).pointee.base,
      descriptor: descriptor, machine: machine
    ) { targets, typer in addTargets(to: &targets, typer, machine) }
    record(its, number, isHandedOver: true)
    unsafe StateMemory.mediation(number).initialize(to: its)
    unsafe StateMemory.its(number).pointee.path = Recorder.isOn ? .traced : .mediated
  }

  private static func record(_ its: borrowing MediatedITS, _ number: UInt8, isHandedOver: Bool) {
    guard Recorder.isOn else { return }
    unsafe its.recordSetup(
      StateMemory.its(number).pointee.setup, isHandedOver: isHandedOver,
      machine: TracingMachine(number: number))
  }

  /// Adds every Redistributor of the board; false where one does not answer, or there are too many.
  private static func addTargets(
    to targets: inout RedistributorDirectory, _ typer: GITSTyper, _ machine: MediationMachine
  ) -> Bool {
    // Region by region: the whole list would not fit a stack well.
    for index in unsafe StateMemory.shared.pointee.redistributors.indices {
      let region = unsafe StateMemory.shared.pointee.redistributors[index]
      guard region.isUsed else { continue }
      guard
        RedistributorScan.add(
          region, at: VirtualLayout.redistributors(index), to: &targets, typer, machine: machine)
      else { return false }
    }
    return true
  }
}
