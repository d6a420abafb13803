// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware

/// Where a small driver has its tables.
enum ITSPlace {
  static let queue: UInt64 = 0x4000_0000
  static let devices: UInt64 = 0x4001_0000
  static let collections: UInt64 = 0x4002_0000
  static let vpes: UInt64 = 0x4003_0000
  static let secondLevel: UInt64 = 0x4004_0000
  static let translation: UInt64 = 0x4008_0000
  static let configuration: UInt64 = 0x4010_0000
  static let pending: UInt64 = 0x4020_0000
  static let virtual: UInt64 = 0x4030_0000
  static let canary: UInt64 = 0x5000_0000
}

/// Bit [63], which says in every entry that it is valid.
let valid: UInt64 = 1 << 63

/// A driver that does all as it should: sets an ITS up, cleans what it writes, posts commands.
struct SmallITSDriver {
  let gic: SimulatedGIC
  let its: SimulatedITS

  /// A board with two processors and one ITS, set up and enabled, every LPI enabled.
  init(
    _ configuration: ITSConfiguration = ITSConfiguration(), queuePages: UInt64 = 1,
    isIndirect: Bool = false, pageSize: TablePageSize = .kib4,
    attributes: UInt64 = MemoryAttributes.coherent
  ) {
    let hasVirtualLPIs = configuration.version >= .gicv40
    gic = SimulatedGIC(
      processors: 2, hasVirtualLPIs: hasVirtualLPIs, isCoherent: configuration.isCoherent)
    its = gic.addService(configuration)
    for offset in stride(from: 0, to: 0xe000, by: 8) as StrideTo<UInt64> {
      gic.memory.store(.double, 0x0101_0101_0101_0101, at: ITSPlace.configuration + offset)
    }
    gic.memory.clean(ITSPlace.configuration, size: 0xe000)
    for redistributor in gic.redistributors {
      let frame = redistributor.base
      _ = gic.write(.double, ITSPlace.configuration | 1 << 10 | 7 << 7 | 15, at: frame + 0x70)
      _ = gic.write(
        .double, pendingTable(redistributor.index) | 1 << 10 | 7 << 7, at: frame + 0x78)
      _ = gic.write(.word, 1, at: frame)
    }
    write(
      0x80,
      GITSCommandBase(base: ITSPlace.queue, pages: queuePages, attributes: attributes).rawValue)
    write(0x88, 0)
    for (number, table) in configuration.tables.enumerated() {
      let base =
        switch table.kind {
        case .devices: ITSPlace.devices
        case .collections: ITSPlace.collections
        case .vpes: ITSPlace.vpes
        }
      write(
        0x100 + UInt64(number) * 8,
        GITSTableBase(
          base: base, pages: 1, pageSize: pageSize,
          isIndirect: isIndirect && table.kind == .devices, attributes: attributes
        ).rawValue)
    }
    _ = its.write(.word, 1, at: 0)
  }

  func pendingTable(_ redistributor: Int) -> UInt64 {
    ITSPlace.pending + UInt64(redistributor) * 0x1_0000
  }

  func write(_ offset: UInt64, _ value: UInt64) { _ = its.write(.double, value, at: offset) }
  func read(_ offset: UInt64) -> UInt64? { its.read(.double, at: offset) }

  /// Writes commands into the queue from the slot that GITS_CWRITER names, and publishes them.
  func post(_ commands: ITSCommand...) { post(commands) }

  func post(_ commands: [ITSCommand], retry: Bool = false) {
    var offset = its.writePointer.offset
    for command in commands {
      put(command, at: offset)
      offset = (offset + 32) % its.queueBase.size
    }
    write(0x88, GITSQueuePointer(offset: offset, flag: retry).rawValue)
  }

  func put(_ command: ITSCommand, at offset: UInt64) {
    for word in 0..<4 {
      gic.memory.store(
        .double, command.words[word], at: its.queueBase.base + offset + UInt64(word) * 8)
    }
    gic.memory.clean(its.queueBase.base + offset, size: 32)
  }

  func target(_ processor: Int) -> UInt64 {
    gic.target(of: processor, byAddress: its.configuration.targetsAreAddresses)
  }

  /// Maps collections 0 and 1 to the two processors, and a device of 32 events with event 0 mapped.
  func mapDevice(_ device: UInt32 = 3, interrupt: UInt32 = 8200) {
    post(
      .mapc(0, target: target(0)), .mapc(1, target: target(1)),
      .mapd(device, table: table(device), eventIDBits: 5),
      .mapti(device, 0, interrupt: interrupt, collectionID: 0))
  }

  func table(_ device: UInt32) -> UInt64 { ITSPlace.translation + UInt64(device) * 0x200 }

  /// What memory holds, not the cache.
  func word(_ address: UInt64) -> UInt64 {
    gic.memory.load(.double, at: address, by: .nonCoherentDevice)
  }

  /// The doubleword of the translation entry of an event.
  func translation(_ device: UInt32, _ event: UInt32) -> TranslationEntry {
    let address = table(device) + UInt64(event) * 12
    func half(_ offset: UInt64) -> UInt64 { gic.memory.load(.word, at: address + offset) }
    return TranslationEntry(
      word: half(0) | half(4) << 32, doorbell: UInt32(truncatingIfNeeded: half(8)))
  }
}

extension SimulatedGIC {
  /// The INTIDs that a processor has taken.
  func taken(by processor: Int) -> [UInt32] {
    delivered.filter { $0.redistributor == processor }.map(\.interrupt)
  }
}
