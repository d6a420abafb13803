// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import DeviceTree
internal import GIC
internal import ITS
internal import Redistributor
internal import SMMU
internal import Traps
internal import VirtualSMMU

extension StatisticNumber {
  /// Writes in words what is counted; nothing where nothing is.
  public func writeName(to sink: inout some TextSink & ~Copyable) {
    switch meaning {
    case .services: sink.append("ITSes")
    case .frequency: sink.append("counts of the clock in a second")
    case .whole(let whole): sink.append(whole.name)
    case .refusedAccesses(let reason):
      sink.append("accesses refused: ")
      sink.append(reason.text)
    case .redistributors(let kind):
      sink.append("Redistributors")
      sink.append(kind.name)
    case .refusedTables(let reason):
      sink.append("Redistributors, tables refused: ")
      sink.append(reason.text)
    case .dma(let kind): sink.append(kind.name)
    case .dmaFaults(let type):
      sink.append("DMA faults: ")
      sink.append(type.name)
    case .virtualSMMUs(let kind): sink.append(kind.name)
    case .refusedByVirtualSMMUs(let reason):
      sink.append("virtual SMMUs, refused: ")
      sink.append(reason.text)
    case .service(let service, let index): Self.writeName(service, index, &sink)
    case .refusedCommands(let service, let reason):
      Self.writeService(service, &sink)
      sink.append("commands refused: ")
      sink.append(reason.text)
    case .ignored(let service): Self.write("accesses without effect", service, &sink)
    case .doorbells(let service): Self.write("doorbells", service, &sink)
    case .publications(let service):
      Self.write("writes of the hardware's GITS_CWRITER", service, &sink)
    case .gauge(let gauge): sink.append(gauge.name)
    case .serviceGauge(let service, let gauge): Self.write(gauge.name, service, &sink)
    case nil: break
    }
  }

  private static func writeService(
    _ service: UInt8, _ sink: inout some TextSink & ~Copyable
  ) {
    sink.append("ITS ")
    sink.append(decimal: UInt64(service))
    sink.append(" ")
  }

  private static func write(
    _ text: StaticString, _ service: UInt8, _ sink: inout some TextSink & ~Copyable
  ) {
    writeService(service, &sink)
    sink.append(text)
  }

  /// A count of loads, of stores or of accepted commands.
  private static func writeName(
    _ service: UInt8, _ index: UInt64, _ sink: inout some TextSink & ~Copyable
  ) {
    writeService(service, &sink)
    if index >= commands {
      sink.append("commands accepted: ")
      let number = UInt8(truncatingIfNeeded: index - commands)
      sink.append(ITSOpcode(rawValue: number)?.name ?? "reserved")
      return
    }
    let register = index % stores
    sink.append(index < stores ? "loads of " : "stores to ")
    if let name = ITSRegister.name(at: register * 4) {
      sink.append(name)
    } else {
      sink.append(register == registerCount - 1 ? "offsets from " : "offset ")
      sink.append(hex: register * 4)
    }
  }
}

extension StatisticNumber.Redistributors {
  /// What is counted, in words behind the name of what it is counted of.
  fileprivate var name: StaticString {
    switch self {
    case .count: ""
    case .enabled: ", tables brought into use"
    case .released: ", tables given back"
    case .held: ", tables held"
    case .ignored: ", accesses without effect"
    }
  }
}

extension StatisticNumber.Whole {
  /// What is counted, in words.
  fileprivate var name: StaticString {
    switch self {
    case .traps: "traps"
    case .unfinished: "traps that left work"
    case .calls: "calls"
    case .longestTrap: "counts of the clock in the longest trap"
    case .longestSyndrome: "syndrome of the longest trap"
    case .longestAddress: "address of the longest trap"
    case .ticks: "counts of the clock in all traps"
    }
  }
}
