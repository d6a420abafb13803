// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import ITS
internal import Ownership
internal import Redistributor
internal import Traps
internal import VirtualSMMU

/// The counts that EL2 keeps, where they are and how the host and the console get them.
enum EL2Statistics {
  /// The counts.
  @inline(__always)
  static var counts: Statistics<Words> { Statistics(cpus: el2_max_cpus, memory: Words()) }

  /// The words that the linker has set aside.
  struct Words: CountMemory {
    @inline(__always)
    func load(_ index: UInt64) -> UInt64 { pc_load64(el2_statistics_here() &+ index &* 8) }
    @inline(__always)
    func store(_ value: UInt64, at index: UInt64) {
      pc_store64(el2_statistics_here() &+ index &* 8, value)
    }
  }

  /// Whether the memory is large enough.
  static var fits: Bool {
    Statistics<Words>.size(cpus: el2_max_cpus, services: el2_max_itses)
      <= el2_statistics_size
  }

  /// The count that a number stands for; nil where there is none.
  ///
  /// Takes one lock at a time: that of an ITS, of the Redistributors, of a virtual SMMU, of the owners of pages, or of the log.
  static func value(_ number: StatisticNumber) -> UInt64? {
    guard let meaning = number.meaning else { return nil }
    switch meaning {
    case .services: return UInt64(services)
    case .frequency: return pc_read_cntfrq_el0()
    case .whole(let kind): return counts.value(kind)
    case .refusedAccesses(let reason): return counts.refused(reason)
    case .redistributors(let kind):
      return redistributors { redistributors in
        switch kind {
        case .count: UInt64(redistributors.count)
        case .enabled: redistributors.counters.enabled
        case .released: redistributors.counters.released
        case .held: redistributors.heldTables
        case .ignored: redistributors.counters.ignored
        }
      }
    case .refusedTables(let reason): return redistributors { $0.counters.count(reason) }
    case .dma(let kind): return monitor.dmaCount(kind)
    case .dmaFaults(let type): return monitor.dmaCount(type)
    case .virtualSMMUs(let kind):
      return monitor.sumOfVirtualSMMUs { kind.value(in: $0) }
    case .refusedByVirtualSMMUs(let reason):
      return monitor.sumOfVirtualSMMUs { $0.counters.count(reason) }
    case .service(let service, let index):
      return Int(service) < services ? counts.service(service, index) : nil
    case .refusedCommands(let service, let reason):
      return counters(of: service) { $0.count(reason) }
    case .ignored(let service): return counters(of: service) { $0.ignored }
    case .doorbells(let service): return counters(of: service) { $0.doorbells }
    case .publications(let service): return counters(of: service) { $0.publications }
    case .gauge(let gauge): return value(gauge)
    case .serviceGauge(let service, let gauge):
      return its(of: service) { gauge.value(in: $0.usage) }
    }
  }

  private static var monitor: MetalMonitor { MetalMonitor(MetalPlatform()) }

  private static func redistributors(
    _ read: (borrowing MediatedRedistributors) -> UInt64
  ) -> UInt64 {
    guard monitor.platform.mediation == .on else { return 0 }
    return monitor.platform.redistributors.withLock { read($0) }
  }

  private static var services: Int { monitor.state.shared.identities.count }

  private static func value(_ gauge: StatisticNumber.Gauge) -> UInt64 {
    var held = HeldLocks()
    let value = monitor.state.shared.ownershipLock.withLock(&held) { _ in
      gauge.value(in: monitor.state.shared.ownership.usage)
    }
    return value ?? monitor.logGauge(gauge)
  }

  private static func counters(
    of service: UInt8, _ read: (borrowing ITSCounters) -> UInt64
  ) -> UInt64? {
    its(of: service) { read($0.counters) }
  }

  private static func its(
    of service: UInt8, _ read: (borrowing MediatedITS) -> UInt64
  ) -> UInt64? {
    guard Int(service) < services else { return nil }
    return monitor.platform.itses.withLock(service) { its in
      its.isMediated ? read(its.mediation) : 0
    }
  }

  /// Writes every count that is not zero to the console, past the ring of the log.
  static func write() {
    for page in 0...UInt64(services) {
      for index in 0..<StatisticNumber.page {
        let number = StatisticNumber(rawValue: page * StatisticNumber.page + index)
        guard let value = value(number), value > 0 else { continue }
        var line = LogLine("statistic ")
        line.append(decimal: number.rawValue)
        line.append(" ")
        number.writeName(to: &line)
        line.append(": ")
        line.append(decimal: value)
        guard monitor.logNow(.info, line) else { return }
      }
    }
  }
}
