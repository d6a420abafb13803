// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import ITS
import SimulatedHardware

/// What one world is made of, all of it decided by a number.
package struct WorldSetup: Sendable {
  /// The ITSes.
  package var services: [ITSConfiguration]
  /// What their mediation permits.
  package var policy: ITSPolicy
  /// How many CPUs there are.
  package var processors = 4
  /// How many pages each ITS has.
  package var arenaPages: UInt64 = 224
  /// Whether CPU stores stay in a cache, or in a buffer, until they are cleaned or published.
  package var hasCache = false
  /// Whether CPUs keep what they have loaded.
  package var keepsLoads = false
  /// Whether CPU stores stay in a buffer until a barrier.
  package var hasStoreBuffer = false
  /// Whether software is told that an ITS does not look into caches.
  package var isNonCoherent = false
  /// Whether each trap is compared with the specification.
  package var isCompared = false
  /// Whether what is checked beside that is told.
  package var hasOwnChecks = true
  /// Whether virtual interrupts are offered.
  package private(set) var offersVPEs = false
  /// The DeviceIDs that are permitted alone.
  package private(set) var listedDevices: [ClosedRange<UInt32>]?
  /// The pages of an arena that has room for as many devices as the ledger.
  package static let manyPages: UInt64 = 2048
  /// The bits of an INTID.
  package static let interruptIDBits: UInt64 = 14

  /// One plain ITS.
  package init() {
    var plain = ITSConfiguration()
    plain.deviceIDBits = 8
    plain.eventIDBits = 6
    plain.collectionIDBits = 4
    plain.interruptIDBits = Self.interruptIDBits
    services = [plain]
    policy = ITSPolicy(interruptLimit: 1 << Self.interruptIDBits)
  }

  /// The world of a number.
  package init(number: UInt64) {
    var bits = RandomChoices(seed: number)
    self.init()
    let count = bits.next(4) == 0 ? 2 : 1
    hasCache = bits.next(4) == 0
    hasStoreBuffer = bits.next(4) == 0
    let isCoherent = !hasCache || bits.next(2) == 0
    isNonCoherent = !isCoherent && bits.next(2) == 0
    let version = [ITSConfiguration.Version.gicv3, .gicv3, .gicv40, .gicv41][Int(bits.next(4))]
    services = (0..<count).map { _ in Self.service(version, isCoherent, &bits) }
    policy.refused = bits.next(3) == 0 ? .stalls : .skipped
    policy.commandsPerTrap = [1, 1, 2, 16, 512][Int(bits.next(5))]
    policy.bytesPerTrap = [64, 512, 4096, 1 << 17, 1 << 17][Int(bits.next(5))]
    if services.contains(where: { $0.eventIDBits == 14 }) {
      // Room for the tables of most devices, or of a few.
      arenaPages = bits.next(2) == 0 ? 512 : 200
      policy.commandsPerTrap = bits.next(2) == 0 ? 1 : 16
      policy.bytesPerTrap = 1 << 17
    }
    // A few have room for as many devices as the ledger.
    if bits.next(64) == 0 {
      arenaPages = Self.manyPages
      policy.refused = .skipped
      policy.commandsPerTrap = 1
      policy.bytesPerTrap = 1 << 17
      for index in services.indices { services[index].deviceIDBits = 12 }
    }
    // Some permit a list of devices alone, with a hole in it. Drawn last, so that all else of a number stays.
    if bits.next(8) == 0 {
      policy.devices = .none
      let listed: [ClosedRange<UInt32>] = [0...4, 8...0xfff]
      for range in listed { _ = policy.devices.add(range) }
      listedDevices = listed
    }
    keepsLoads = hasCache && bits.next(2) == 0
    // What is left of a boot loader, and more DeviceIDs than there is memory for.
    if bits.next(2) == 0 {
      for index in services.indices { services[index].leaveTables(bits.word()) }
    }
    if arenaPages != Self.manyPages, bits.next(8) == 0 {
      for index in services.indices { services[index].haveTooManyDevices() }
    }
    if version == .gicv40, arenaPages != Self.manyPages, bits.next(4) != 0 {
      offersVPEs = true
      policy.virtualInterrupts = .checked
    }
  }

  private static func service(
    _ version: ITSConfiguration.Version, _ isCoherent: Bool, _ bits: inout RandomChoices
  ) -> ITSConfiguration {
    var service = ITSConfiguration(version)
    service.interruptIDBits = interruptIDBits
    service.isCoherent = isCoherent
    service.targetsAreAddresses = bits.next(2) == 0
    service.deviceIDBits = 4 + bits.next(9)
    // With 14 bits an EventID can be an LPI, for MAPI.
    service.eventIDBits = bits.next(4) == 0 ? 14 : 4 + bits.next(8)
    service.collectionIDBits = 2 + bits.next(4)
    let sizes: [UInt64] = version == .gicv3 ? [8, 12, 16] : [12, 16]
    service.translationEntrySize = sizes[Int(bits.next(UInt64(sizes.count)))]
    service.hardwareCollections = bits.next(4) == 0 ? 2 : 0
    let pages = [nil, nil, TablePageSize.kib4, .kib16, .kib64][Int(bits.next(5))]
    for index in service.tables.indices {
      service.tables[index].fixedPageSize = pages
      service.tables[index].permitsTwoLevels = bits.next(3) != 0
    }
    service.errorResponse = bits.next(2) == 0 ? .stall : .ignore
    service.entryCache = [.none, .none, .writeThrough, .writeBack][Int(bits.next(4))]
    service.commandsFetchedAhead = [0, 0, 1, 4][Int(bits.next(4))]
    service.fetchesByDoubleword = bits.next(4) == 0
    service.stepsToQuiescence = [0, 0, 3][Int(bits.next(3))]
    service.forgetsWhenDisabled = bits.next(2) == 0
    service.checksPendingRange = bits.next(2) == 0
    service.isNeverBusy = bits.next(3) == 0
    return service
  }
}

extension ITSConfiguration {
  /// Table registers hold this at reset, but are not Valid.
  fileprivate mutating func leaveTables(_ value: UInt64) {
    for index in tables.indices { tables[index].reset = value & ~GITSTableBase.valid }
  }

  /// A device table of one level that takes more than half of an arena.
  fileprivate mutating func haveTooManyDevices() {
    deviceIDBits = 16
    for index in tables.indices where tables[index].kind == .devices {
      tables[index].permitsTwoLevels = false
      tables[index].entrySize = 16
    }
  }
}
