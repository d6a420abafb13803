// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import ITS
internal import SimulatedHardware
internal import Trace

/// What a trace tells of how one ITS was set up.
struct ServicePlan {
  let number: UInt8
  var service: TracedService
  var rules = Array(repeating: TableBaseRules(words: (0, 0)), count: 8)
  var targets: [UInt64] = []

  /// The ITSes of a trace, by number.
  static func all(in records: [TraceRecord]) -> [UInt8: ServicePlan] {
    var plans: [UInt8: ServicePlan] = [:]
    for record in records {
      switch record.event {
      case .service(let service) where plans[record.its] == nil:
        plans[record.its] = ServicePlan(number: record.its, service: service)
      case .table(let table) where table.index < 8:
        plans[record.its]?.rules[Int(table.index)] = TableBaseRules(
          words: (table.fixed, table.fields))
      case .target(let target): plans[record.its]?.targets.append(target)
      default: break
      }
    }
    return plans
  }

  /// Whether its numbers are addresses that a machine has, so that sums of them don't overflow.
  var isPossible: Bool {
    service.frame < 1 << 60 && service.arena < 1 << 48 && targets.allSatisfy { $0 < 1 << 36 }
  }

  /// The pages of EL2 for this ITS.
  var arena: Range<UInt64> {
    let first = service.arena >> 12
    return first..<(first + UInt64(service.arenaPages))
  }

  /// Whether two ITSes are where only one can be.
  func overlaps(_ other: ServicePlan) -> Bool {
    let distance = max(service.frame, other.service.frame) - min(service.frame, other.service.frame)
    return arena.overlaps(other.arena) || distance < 1 << 18
  }

  /// The plan with no more of anything than a run of a moment needs.
  var limited: ServicePlan {
    var plan = self
    plan.service.arenaPages = min(service.arenaPages, 1 << 12)
    plan.service.bytesPerTrap = min(service.bytesPerTrap, 1 << 20)
    plan.service.commandsPerTrap = min(service.commandsPerTrap, 512)
    plan.targets = Array(targets.prefix(64))
    return plan
  }

  private var unusable: ReplayError { .unusable(its: number) }

  /// A simulated ITS like the one that was there.
  ///
  /// It goes on after an error of its own: one that stalls is told by GITS_CREADR as it was recorded.
  func configuration() throws(ReplayError) -> ITSConfiguration {
    let typer = GITSTyper(rawValue: service.typer)
    var result = ITSConfiguration(.gicv3)
    result.deviceIDBits = typer.deviceIDBits
    result.eventIDBits = typer.eventIDBits
    result.collectionIDBits = typer.collectionIDBits
    result.hardwareCollections = typer.hardwareCollections
    result.targetsAreAddresses = typer.targetsAreAddresses
    result.translationEntrySize = typer.translationEntrySize
    result.errorResponse = .ignore
    guard [8, 12, 16].contains(result.translationEntrySize), typer.eventIDBits <= 32 else {
      throw unusable
    }
    result.tables = []
    for index in 0..<8 {
      let all = rules[index].readBack(GITSTableBase.indirect)
      let kind: TableKind =
        switch all.kind {
        case .devices: .devices
        case .collections: .collections
        case .vpes, .none: .vpes
        }
      guard kind == .vpes || all.entrySize % 8 == 0 else { throw unusable }
      let sizes = (0..<4 as Range<UInt64>).map { rules[index].readBack($0 << 8).pageSize }
      let isFixed = sizes.allSatisfy { $0 == sizes[0] }
      result.tables.append(
        ITSConfiguration.TableRegister(
          kind, entrySize: kind == .vpes ? nil : all.entrySize,
          fixedPageSize: isFixed ? sizes[0] : nil, permitsTwoLevels: all.isIndirect))
    }
    return result
  }

  /// What the mediation starts from.
  func setup() throws(ReplayError) -> ITSSetup {
    // The simulated board is one of physical interrupts alone.
    guard !service.isVirtual, service.arenaPages <= 1 << 18, service.arena % 0x1_0000 == 0,
      service.arena < 1 << 48,
      service.cpus <= 4096, targets.count <= 512, service.frame % 0x1_0000 == 0,
      service.frame < 1 << 60,
      let arena = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(service.arena)),
        count: UInt64(service.arenaPages))
    else { throw unusable }
    var policy = ITSPolicy(interruptLimit: service.interruptLimit)
    policy.refused = service.stalls ? .stalls : .skipped
    policy.commandsPerTrap = UInt64(service.commandsPerTrap)
    policy.bytesPerTrap = UInt64(service.bytesPerTrap)
    return ITSSetup(
      frame: VirtualAddress(service.frame), arena: arena, addressLimit: 1 << 52,
      isNonCoherent: service.isNonCoherent, policy: policy, cpus: UInt64(service.cpus))
  }
}
