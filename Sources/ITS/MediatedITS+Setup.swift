// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
public import GIC
internal import Ownership

/// What the mediation of one ITS starts from.
public struct ITSSetup: Sendable {
  /// Where EL2 sees the control frame.
  public let frame: VirtualAddress
  /// Pages of EL2 for this ITS alone, their first address a multiple of 64 KiB.
  public let arena: PageRange
  /// One more than the largest address that the ITS reaches.
  public let addressLimit: UInt64
  /// Whether the ITS does not look into caches, whatever attributes it accepts.
  public let isNonCoherent: Bool
  /// What is permitted.
  public let policy: ITSPolicy
  /// The most CPUs that may trap.
  public let cpus: UInt64

  /// Describes a set-up.
  public init(
    frame: VirtualAddress, arena: PageRange, addressLimit: UInt64, isNonCoherent: Bool,
    policy: ITSPolicy, cpus: UInt64
  ) {
    self.frame = frame
    self.arena = arena
    self.addressLimit = addressLimit
    self.isNonCoherent = isNonCoherent
    self.policy = policy
    self.cpus = cpus
  }
}

// From boot: the ITS is disabled, and gets EL2's queue and tables before the host runs. It keeps them
// for good; the host's own writes change what the host reads back.

extension MediatedITS {
  /// The commands of EL2's own queue: 64 KiB.
  private static var queueSlots: UInt64 { 2048 }
  /// The slots of the ledger of devices.
  private static var deviceSlots: UInt64 { 2048 }
  /// The most collections.
  private static var collectionCapacity: UInt64 { 1024 }
  /// The most Redistributors.
  private static var targetCapacity: UInt64 { 512 }
  /// The most bytes of a device table of one level.
  private static var directTableLimit: UInt64 { 1 << 19 }

  /// Disables the ITS, gives it EL2's queue and tables, and leaves it disabled.
  ///
  /// The Redistributors are added afterwards with ``addTarget(_:memory:)``.
  ///
  /// - Throws: any `ITSSetupError`; the ITS is disabled then, if it answers at all.
  public static func setUp<Machine: ITSMachine & ~Copyable>(
    _ setup: ITSSetup, machine: borrowing Machine
  ) throws(ITSSetupError) -> MediatedITS {
    let port = ITSPort(frame: setup.frame)
    let last = setup.arena.address.rawValue + setup.arena.size
    guard last <= setup.addressLimit else { throw .unreachable(setup.arena.address) }
    try port.disable(machine)
    let typer = GITSTyper(rawValue: try port.read(ITSRegister.type.offset, machine))
    var arena = PageArena(setup.arena, memory: machine.memory)

    // The queue first: it wants the largest alignment.
    let queue = try take(&arena, queueSlots * ITSCommand.size, alignment: 16, machine)
    let origins = try take(&arena, CommitQueue.originsSize(slots: queueSlots), machine)
    var commit = CommitQueue(queue, origins: origins, slots: queueSlots)
    commit.isCoherent = try port.installQueue(
      queue, pages: queueSlots * ITSCommand.size / 4096, isNonCoherent: setup.isNonCoherent, machine
    )

    var deviceTable: (HardwareTable, index: Int)?
    var collectionLimit = typer.hardwareCollections
    let rules = try port.probeTables(machine)
    for index in 0..<8 {
      switch GITSTableBase(rawValue: rules[index].fixed).kind {
      case .devices where deviceTable == nil:
        let table = try port.installTable(
          UInt64(index), ids: 1 << typer.deviceIDBits, limit: directTableLimit,
          mayBeIndirect: true, rules[index], isNonCoherent: setup.isNonCoherent, &arena, machine)
        deviceTable = (table, index)
      case .collections:
        let ids = min(collectionCapacity, 1 << typer.collectionIDBits)
        let table = try port.installTable(
          UInt64(index), ids: ids, limit: directTableLimit, mayBeIndirect: false, rules[index],
          isNonCoherent: setup.isNonCoherent, &arena, machine)
        collectionLimit = min(table.capacity + typer.hardwareCollections, ids)
      case .devices, .vpes, .none: try port.clearTable(UInt64(index), machine)
      }
    }
    guard let deviceTable else { throw .noDeviceTable }

    let devices = try take(&arena, DeviceLedger.size(slots: deviceSlots), machine)
    let collections = try take(
      &arena, CollectionLedger.size(capacity: collectionCapacity), machine)
    let targets = try take(&arena, RedistributorDirectory.size(capacity: targetCapacity), machine)
    let retirement = try take(&arena, RetirementQueue.size, machine)
    let tokens = try take(&arena, DoorbellTokens.size(cpus: setup.cpus), machine)
    return MediatedITS(
      ITSParts(
        frame: setup.frame, typer: typer, policy: setup.policy, arena: arena,
        devices: DeviceLedger(devices, slots: deviceSlots),
        collections: CollectionLedger(
          collections, capacity: min(collectionLimit, collectionCapacity)),
        targets: RedistributorDirectory(targets, capacity: targetCapacity), commit: commit,
        retirement: RetirementQueue(retirement),
        tokens: DoorbellTokens(tokens, cpus: setup.cpus), deviceTable: deviceTable.0,
        deviceTableIndex: deviceTable.index,
        collectionLimit: min(collectionLimit, collectionCapacity), rules: rules))
  }

  /// Takes zeroed memory from the arena; `alignment` in pages.
  private static func take<Machine: ITSMachine & ~Copyable>(
    _ arena: inout PageArena, _ size: UInt64, alignment: UInt64 = 1, _ machine: borrowing Machine
  ) throws(ITSSetupError) -> PhysicalAddress {
    guard
      let pages = arena.take(
        PageRange.pages(for: size), alignment: alignment, memory: machine.memory)
    else { throw .outOfMemory }
    pages.zero(machine.memory)
    return pages.address
  }

  /// Adds a Redistributor that commands may name: where it is, and its GICR_TYPER.
  ///
  /// - Throws: `tooManyRedistributors`.
  public mutating func addTarget<Machine: ITSMachine & ~Copyable>(
    _ base: PhysicalAddress, _ redistributor: GICRTyper, machine: borrowing Machine
  ) throws(ITSSetupError) {
    let target = typer.targetsAreAddresses ? base.rawValue >> 16 : redistributor.processorNumber
    guard targets.add(target, memory: machine.memory) else { throw .tooManyRedistributors }
  }
}
