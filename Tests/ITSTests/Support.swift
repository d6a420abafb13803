// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Testing
import Traps

@testable import ITS
@testable import SimulatedHardware

/// One board to run a test on.
struct Variant: Sendable, CustomTestStringConvertible {
  var version = ITSConfiguration.Version.gicv3
  var targetsAreAddresses = false
  var isIndirect = true
  var isCoherent = true
  var pageSize: TablePageSize?

  var testDescription: String {
    "\(version)\(targetsAreAddresses ? ", PTA" : "")\(isIndirect ? ", two levels" : "")"
      + "\(isCoherent ? "" : ", not coherent")\(pageSize.map { ", \($0)" } ?? "")"
  }

  var configuration: ITSConfiguration {
    var configuration = ITSConfiguration(version)
    configuration.targetsAreAddresses = targetsAreAddresses
    configuration.isCoherent = isCoherent
    configuration.deviceIDBits = isIndirect ? 16 : 12
    for number in configuration.tables.indices {
      configuration.tables[number].permitsTwoLevels = isIndirect
      configuration.tables[number].fixedPageSize = pageSize
    }
    return configuration
  }

  var options: ITSWorldOptions {
    var options = ITSWorldOptions([configuration])
    options.hasCache = !isCoherent
    options.hasStoreBuffer = true
    return options
  }

  /// The versions, PTA, levels and coherency, each with each.
  static let all: [Variant] = {
    var all: [Variant] = []
    for version in [ITSConfiguration.Version.gicv3, .gicv40, .gicv41] {
      for bits in 0..<8 {
        all.append(
          Variant(
            version: version, targetsAreAddresses: bits & 1 != 0, isIndirect: bits & 2 != 0,
            isCoherent: bits & 4 != 0))
      }
    }
    return all
  }()

  /// The page sizes, in one level and in two.
  static let pageSizes: [Variant] = [TablePageSize.kib4, .kib16, .kib64].flatMap { size in
    [Variant(isIndirect: false, pageSize: size), Variant(isIndirect: true, pageSize: size)]
  }
}

extension ITSWorld {
  /// Expects the invariant to hold, and tables of the hardware to be what the ledgers say.
  func expectSound(sourceLocation: SourceLocation = #_sourceLocation) {
    #expect(checkInvariant() == nil, sourceLocation: sourceLocation)
    for service in gic.services {
      #expect(ledgerMismatch(service.index) == nil, sourceLocation: sourceLocation)
    }
  }

  /// Where the hardware's table of devices is not what the ledger says, in words; nil as well where
  /// commands are still on their way.
  func ledgerMismatch(_ index: Int) -> String? {
    guard index < mediations.count else { return nil }
    let service = service(index)
    let mediation = mediations[index]
    let commit = mediation.its.commit
    guard service.readPointer.offset == commit.written % commit.slots * 32 else { return nil }
    let memory = ITSWorldMachine(self, index).memory
    var mapped: [UInt64: UInt64] = [:]
    for slot in 0..<mediation.its.devices.slots {
      guard let device = mediation.its.devices.device(in: slot, memory: memory) else { continue }
      guard let entry = service.entry(.devices, device.deviceID), entry.isValid else {
        return "device \(device.deviceID) is in the ledger, and hardware hasn't mapped it"
      }
      guard entry.translationTable == device.table.address.rawValue,
        entry.eventIDBits == device.eventIDBits
      else { return "device \(device.deviceID) has another table in hardware" }
      mapped[entry.translationTable] = UInt64(device.deviceID)
    }
    guard UInt64(mapped.count) == mediation.its.devices.count else { return "the ledger's count" }
    let lingering = Set(service.state.lingering.map(\.range.base))
    for range in service.reachable
    where range.use == .translationTable && mapped[range.base] == nil
      && !lingering.contains(range.base)
    { return "hardware has \(range.text), of which the ledger knows nothing" }
    return nil
  }

  /// The mediation of the only ITS.
  var its: MediatedITS {
    _read { yield mediations[0].its }
  }

  /// The last command that was refused.
  func takeRefusal() -> CommandRefusal? {
    let refusal = mediations[0].its.takeRefusal()
    return refusal
  }

  var memory: ITSWorldMemory { ITSWorldMachine(self, 0).memory }
}

/// Runs the steps of a host behind the mediation, where the invariant must hold, and without it,
/// where the ITS must reach what isn't the host's: else the attack is none.
func attack(
  _ options: ITSWorldOptions = ITSWorldOptions(), sourceLocation: SourceLocation = #_sourceLocation,
  _ script: (HostDriver) throws -> Void
) throws {
  let world = try ITSWorld(options)
  try script(HostDriver(world))
  for service in world.gic.services { service.writeLingering() }
  world.expectSound(sourceLocation: sourceLocation)

  var options = options
  options.isMediated = false
  let control = try ITSWorld(options)
  try script(HostDriver(control))
  for service in control.gic.services { service.writeLingering() }
  #expect(
    control.checkInvariant() != nil, "the control shows nothing", sourceLocation: sourceLocation)
}

/// EL2's own memory, to aim at.
let canary = ITSWorld.canary.first.address.rawValue
