// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import GIC
internal import Ownership

// From boot: the ITS is disabled, and gets EL2's queue and tables before the host runs. It keeps them
// for good; the host's own writes change what the host reads back.

extension MediatedITS {
  /// The commands of EL2's own queue: 64 KiB.
  private static var queueSlots: UInt64 { 2048 }

  /// Disables the ITS, gives it EL2's queue and tables, and leaves it disabled.
  ///
  /// `addTargets` adds every Redistributor that commands may name to the ``RedistributorDirectory``; false
  /// where it can't.
  ///
  /// - Throws: any `ITSSetupError`; the ITS is disabled then, if it answers at all.
  public static func setUp<Machine: ITSMachine & ~Copyable>(
    _ setup: ITSSetup, machine: borrowing Machine,
    addTargets: (inout RedistributorDirectory, GITSTyper) -> Bool
  ) throws(ITSSetupError) -> MediatedITS {
    let port = ITSPort(frame: setup.frame)
    try port.disable(machine)
    let last = setup.arena.address.rawValue + setup.arena.size
    guard last <= setup.addressLimit else { throw .unreachable(setup.arena.address) }
    let typer = GITSTyper(
      rawValue: try port.read(ITSRegister.type.offset, machine),
      of: try port.read(ITSRegister.implementer.offset, machine, .word))
    var arena = PageArena(setup.arena, memory: machine.memory)

    // The queue first: it wants the largest alignment.
    let queue = try take(&arena, queueSlots * ITSCommand.size, alignment: 16, machine)
    let origins = try take(&arena, CommitQueue.originsSize(slots: queueSlots), machine)
    var commit = CommitQueue(queue, origins: origins, slots: queueSlots)
    commit.isCoherent = try port.installQueue(
      queue, pages: queueSlots * ITSCommand.size / 4096, isNonCoherent: setup.isNonCoherent, machine
    )

    var deviceTable: (HardwareTable, index: Int)?
    // The rest is for the translation tables of devices.
    let limit = setup.arena.size / 2
    var offered = offeredType(typer, setup.policy)
    var collectionTable: HardwareTable?
    var collectionLimit = typer.hardwareCollections
    var vpeLimit: UInt64 = 0
    let policyOffers = setup.policy.offersVirtualInterrupts(typer)
    let rules = try port.probeTables(machine)
    for index in 0..<8 {
      switch GITSTableBase(rawValue: rules[index].fixed).kind {
      case .devices where deviceTable == nil:
        let table = try port.installTable(
          UInt64(index), ids: 1 << typer.deviceIDBits, limit: limit, mayBeIndirect: true,
          rules[index], isNonCoherent: setup.isNonCoherent, &arena, machine)
        deviceTable = (table, index)
        // What EL2 has no room for, the host is not promised.
        if let bits = port.cutBits(table, ids: 1 << typer.deviceIDBits, rules[index]) {
          offered = offered.with(deviceIDBits: bits)
        }
      case .collections:
        let ids = min(ITSLedgers.collectionCapacity, 1 << typer.collectionIDBits)
        let table = try port.installTable(
          UInt64(index), ids: ids, limit: limit, mayBeIndirect: false, rules[index],
          isNonCoherent: setup.isNonCoherent, &arena, machine)
        collectionTable = table
        collectionLimit = min(table.capacity + typer.hardwareCollections, ids)
        if ids < 1 << typer.collectionIDBits {
          offered = offered.with(collectionIDBits: 63 - UInt64(collectionLimit.leadingZeroBitCount))
        }
      case .vpes where policyOffers:
        let table = try port.installTable(
          UInt64(index), ids: vpeCapacity, limit: limit, mayBeIndirect: false,
          rules[index], isNonCoherent: setup.isNonCoherent, &arena, machine)
        vpeLimit = min(table.capacity, vpeCapacity)
      case .devices, .vpes, .none: try port.clearTable(UInt64(index), machine)
      }
    }
    guard let deviceTable else { throw .noDeviceTable }

    guard
      var ledgers = ITSLedgers(
        &arena, collectionLimit: collectionLimit, vpes: vpeLimit, cpus: setup.cpus,
        memory: machine.memory)
    else { throw .outOfMemory }
    guard addTargets(&ledgers.targets, typer) else { throw .tooManyRedistributors }
    return MediatedITS(
      ITSParts(
        frame: setup.frame, typer: typer, offered: offered, policy: setup.policy, arena: arena,
        ledgers: ledgers,
        commit: commit, deviceTable: deviceTable.0, deviceTableIndex: deviceTable.index,
        collectionTable: collectionTable,
        rules: rules,
        installed: try port.installed(machine)))
  }

  /// Takes EL2's queue and tables out of an ITS that the host gets after all: it is disabled then and
  /// holds no address, as after a reset; one that does not answer is left as it is.
  public static func abandon<Machine: ITSMachine & ~Copyable>(
    _ frame: VirtualAddress, machine: borrowing Machine
  ) {
    let port = ITSPort(frame: frame)
    do throws(ITSSetupError) {
      try port.disable(machine)
      try port.write(ITSRegister.commandBase.offset, 0, machine)
      for index in 0..<8 { try port.clearTable(UInt64(index), machine) }
    } catch {
      // Set-up begins with the same accesses, and installs nothing where they fail.
    }
  }

  /// Takes zeroed memory from the arena; `alignment` in pages.
  private static func take<Machine: ITSMachine & ~Copyable>(
    _ arena: inout PageArena, _ size: UInt64, alignment: UInt64 = 1, _ machine: borrowing Machine
  ) throws(ITSSetupError) -> PhysicalAddress {
    guard let place = arena.takeZeroed(size, alignment: alignment, memory: machine.memory) else {
      throw .outOfMemory
    }
    return place
  }
}
