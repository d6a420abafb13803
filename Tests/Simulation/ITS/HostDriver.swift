// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware
import Traps

/// A host's driver of one ITS: what it writes is right, unless a test tells it otherwise.
///
/// It works on a mediated ITS and on one that it programs itself, and knows of no difference.
package final class HostDriver {
  /// The world that it runs in.
  package let world: ITSWorld
  /// The ITS that it drives.
  package let index: Int
  /// The CPU that it runs on.
  package var cpu: UInt64 = 0
  /// Where the next command goes.
  package var writeOffset: UInt64 = 0
  /// The pages of the queue.
  package var queuePages: UInt64 = 1
  /// Whether the table of devices has two levels.
  package var isIndirect = false
  /// The pages of the table of devices, or of its first level.
  package var devicePages: UInt64 = 1
  /// The page size of the tables.
  package var pageSize = TablePageSize.kib4
  /// What it does in its own way.
  package var habits = HostHabits()
  /// The attributes of the queue and of the tables.
  package var attributes = MemoryAttributes.coherent

  /// Makes a driver that has done nothing yet.
  package init(_ world: ITSWorld, _ index: Int = 0) {
    self.world = world
    self.index = index
  }

  /// Where the memory of this driver begins: 16 MiB.
  package var base: UInt64 { 0x4100_0000 + UInt64(index) * 0x100_0000 }
  /// Where the queue is; nil for the usual place.
  package var queueBase: UInt64?
  /// The queue.
  package var queue: UInt64 { queueBase ?? base }
  /// The table of devices, or its first level.
  package var devices: UInt64 { base + 0x10_0000 }
  /// The table of collections.
  package var collections: UInt64 { base + 0x20_0000 }
  /// Second-level pages.
  package var secondLevel: UInt64 { base + 0x30_0000 }
  /// The translation table that is a device's.
  package func table(_ device: UInt32) -> UInt64 {
    base + 0x80_0000 + UInt64(device / habits.deviceStride) * 0x1000
  }
  /// The vPE table, from 0x40_0000.
  package var vpes: UInt64 { base + 0x40_0000 }

  /// The size of the queue in bytes.
  package var queueSize: UInt64 { queuePages << 12 }

  /// What it leaves in bits that mean nothing.
  private static var rest: UInt64 { 0xa5c3_96f0_5a3c_69ff }

  // MARK: Registers

  /// Writes a register of 64 bits, in its own way.
  private func set(_ offset: UInt64, _ value: UInt64) {
    let halves: [UInt64]
    switch habits.access {
    case .whole:
      write(offset, value)
      return
    case .lowerFirst: halves = [0, 4]
    case .upperFirst: halves = [4, 0]
    }
    for half in halves { write(offset + half, value >> (half * 8) & 0xffff_ffff, .word) }
  }

  /// Writes a register, until the store retires.
  @discardableResult
  package func write(
    _ offset: UInt64, _ value: UInt64, _ width: AccessWidth = .double
  ) -> Int? {
    world.finish(index, offset, width, value, cpu: cpu)
  }

  /// Reads a register; nil for an abort.
  package func read(_ offset: UInt64, _ width: AccessWidth = .double) -> UInt64? {
    if case .value(let value) = world.read(index, offset, width, cpu: cpu) { return value }
    return nil
  }

  /// The number of the GITS_BASER<n> of a kind; nil without.
  package func register(of kind: GITSTableBase.Kind) -> UInt64? {
    for number in 0..<8 as Range<UInt64>
    where GITSTableBase(rawValue: read(0x100 + number * 8) ?? 0).kind == kind { return number }
    return nil
  }

  /// Disables the ITS and waits until it is quiescent.
  package func disable() {
    write(0, Self.rest & 0x7fff_fe00, .word)
    if habits.omitsQuiescent { return }
    for _ in 0..<10_000 where (read(0, .word) ?? 0) >> 31 == 0 {
      for service in world.gic.services { service.step() }
    }
  }

  /// Programs GITS_CBASER.
  package func installQueue() {
    set(
      0x80,
      GITSCommandBase(base: queue, pages: queuePages, attributes: attributes).rawValue
        | Self.rest & ~GITSCommandBase.writable)
    writeOffset = 0
    set(0x88, Self.rest & ~0xf_ffe1)
  }

  /// Programs GITS_BASER<n>.
  package func installTables() {
    for (kind, base) in [
      (GITSTableBase.Kind.devices, devices), (.collections, collections), (.vpes, vpes),
    ] {
      guard let number = register(of: kind) else { continue }
      let found = GITSTableBase(rawValue: read(0x100 + number * 8) ?? 0)
      if habits.looksAtTables { pageSize = found.pageSize }
      for _ in 0..<(habits.rewritesTables ? 2 : 1) {
        set(
          0x100 + number * 8,
          GITSTableBase(
            base: base, pages: kind == .devices ? devicePages : 1, pageSize: pageSize,
            isIndirect: isIndirect && kind == .devices, attributes: attributes
          ).rawValue)
      }
    }
  }

  /// All of set-up, and GITS_CTLR.Enabled.
  @discardableResult
  package func start() -> HostDriver {
    disable()
    installQueue()
    installTables()
    write(0, 1 | Self.rest & 0x7fff_fe00, .word)
    return self
  }

  // MARK: Commands

  /// How it has mapped its queue: by the attributes that it tells the ITS.
  private var queueMapping: PhysicalMemory.Observer {
    MemoryAttributes.isCoherent(attributes) ? .processor : .nonCoherentDevice
  }

  /// Writes a command to a place in the queue: its fields, over whatever is there.
  @discardableResult
  package func put(_ command: ITSCommand, at offset: UInt64) -> Bool {
    let configuration = world.service(index).configuration
    func old(_ word: UInt64) -> UInt64 {
      (world.load(at: queue + offset + word * 8) ?? 0) | Self.rest &<< word
    }
    let command = command.leaving(
      ITSCommand(old(0), old(1), old(2), old(3)), hasGICv41: configuration.version >= .gicv41,
      targetsAreAddresses: configuration.targetsAreAddresses)
    var isStored = true
    for word in 0..<4 {
      isStored =
        world.store(
          .double, command.words[word], at: queue + offset + UInt64(word) * 8, by: queueMapping)
        && isStored
    }
    if queueMapping == .processor { world.gic.memory.clean(queue + offset, size: 32) }
    return isStored
  }

  /// Writes commands into the queue, without the doorbell.
  package func stage(_ commands: [ITSCommand]) {
    for command in commands where !habits.omitsSync || command.opcode != .sync {
      put(command, at: writeOffset)
      writeOffset = (writeOffset + 32) % queueSize
    }
  }

  /// Rings the doorbell, until the store retires; how often it ran.
  @discardableResult
  package func ring(_ width: AccessWidth = .double, isRetry: Bool = false) -> Int? {
    write(
      0x88, GITSQueuePointer(offset: writeOffset, flag: isRetry).rawValue | Self.rest & ~0xf_ffe1,
      width)
  }

  /// Writes commands into the queue and rings the doorbell, as often as they fill it.
  package func post(_ commands: [ITSCommand]) {
    var rest = commands[...]
    repeat {
      let part = rest.prefix(Int(queueSize / ITSCommand.size) - 1)
      stage(Array(part))
      ring()
      rest = rest.dropFirst(part.count)
    } while !rest.isEmpty
  }

  /// Writes commands into the queue and rings the doorbell.
  package func post(_ commands: ITSCommand...) { post(commands) }

  /// GITS_CREADR.
  package var readPointer: GITSQueuePointer { GITSQueuePointer(rawValue: read(0x90) ?? .max) }
  /// Whether GITS_CREADR has come to the last command, and not stalled.
  package var isDone: Bool {
    read(0x90, habits.pollsByDoubleword ? .double : .word) == writeOffset
  }

  /// The RDbase of a processor.
  package func target(_ processor: Int) -> UInt64 {
    world.gic.target(
      of: processor,
      byAddress: world.service(index).configuration.targetsAreAddresses)
  }

  /// Sees to the second level for a device.
  package func prepare(_ device: UInt32) {
    guard isIndirect else { return }
    let entries = pageSize.bytes / 8
    let number = UInt64(device) / entries
    world.store(
      .double, TableFirstLevelEntry(page: secondLevel + number * pageSize.bytes).rawValue,
      at: devices + number * 8)
  }

  /// Maps collections 0 and on to the processors.
  package func mapCollections() {
    post(
      (0..<world.options.processors).map { .mapc(UInt16($0), target: target($0)) }
        + (0..<world.options.processors).map { .sync(target: target($0)) })
  }

  /// Maps a device, and its events to INTIDs from `interrupt` on.
  package func mapDevice(
    _ device: UInt32, bits: UInt64 = 5, events: UInt32 = 1, interrupt: UInt32 = 8200,
    collection: UInt16 = 0
  ) {
    prepare(device)
    let mapd = ITSCommand.mapd(device, table: table(device), eventIDBits: bits)
    post(
      [mapd]
        + (0..<events).flatMap { event in
          let mapti = ITSCommand.mapti(
            device, event, interrupt: interrupt + event, collectionID: collection)
          return habits.mapsDeviceEachTime ? [mapd, mapti] : [mapti]
        } + [.sync(target: target(Int(collection)))])
  }
}

extension ITSWorld {
  /// The host gives every Redistributor its LPI tables, with all LPIs enabled.
  ///
  /// - Parameter store: carries out its store to a register of the Redistributor with this number; without, the
  ///   hardware does.
  package func enableLPIs(
    idBits: UInt64 = 16, by store: ((Int, AccessWidth, UInt64, UInt64) -> Void)? = nil
  ) {
    for offset in stride(from: 0, to: 1 << idBits - 8192, by: 8) as StrideTo<UInt64> {
      self.store(.double, 0x0101_0101_0101_0101, at: 0x4000_0000 + offset)
    }
    gic.memory.clean(0x4000_0000, size: 1 << idBits)
    for redistributor in gic.redistributors {
      let frame = redistributor.base
      for (width, value, address) in [
        (.double, 0x4000_0000 | 1 << 10 | 7 << 7 | (idBits - 1), frame + 0x70),
        (.double, pendingTable(redistributor.index) | 1 << 10 | 7 << 7, frame + 0x78),
        (.word, 1, frame),
      ] as [(AccessWidth, UInt64, UInt64)] {
        if let store {
          store(redistributor.index, width, value, address)
        } else {
          _ = gic.write(width, value, at: address)
        }
      }
    }
  }

  /// Where the LPI Pending table of a Redistributor is.
  package func pendingTable(_ redistributor: Int) -> UInt64 {
    0x4020_0000 + UInt64(redistributor) * 0x1_0000
  }

  /// The INTIDs that a processor has taken.
  package func taken(by processor: Int) -> [UInt32] {
    gic.delivered.filter { $0.redistributor == processor }.map(\.interrupt)
  }
}
