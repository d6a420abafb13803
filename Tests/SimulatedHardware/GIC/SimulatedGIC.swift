// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC

/// The interrupt controller of a board: memory, Redistributors and ITSes.
///
/// Nothing happens in it but in a call: a register access, `step` or `run` of an ITS, or a message.
/// It is for one thread; simulated CPUs take turns.
package final class SimulatedGIC {
  /// An LPI that a CPU has taken.
  package struct Delivery: Hashable, Sendable {
    /// The INTID.
    package let interrupt: UInt32
    /// The index of the Redistributor.
    package let redistributor: Int

    /// Makes one, to compare with.
    package init(interrupt: UInt32, redistributor: Int) {
      self.interrupt = interrupt
      self.redistributor = redistributor
    }
  }

  /// A virtual interrupt that became pending for a vPE.
  package struct VirtualDelivery: Hashable, Sendable {
    /// The vINTID.
    package let interrupt: UInt32
    /// The vPE.
    package let vpe: UInt16

    /// Makes one, to compare with.
    package init(interrupt: UInt32, vpe: UInt16) {
      self.interrupt = interrupt
      self.vpe = vpe
    }
  }

  /// Everything that the board's behaviour depends on; equal states behave equally.
  package struct State: Hashable, Sendable {
    var memory: PhysicalMemory.State
    var redistributors: [SimulatedRedistributor.State]
    var services: [SimulatedITS.State]
    /// LPIs taken, in order.
    var delivered: [Delivery]
    var virtuallyDelivered: [VirtualDelivery]
    var moves: [UInt16: Move]
  }

  /// A VMOVP that goes to several ITSes, by its sequence number.
  struct Move: Hashable, Sendable {
    /// The ITSes that have come to it, one bit each.
    var arrived: UInt64 = 0
    /// The ITSes that have carried it out.
    var passed: UInt64 = 0
  }

  /// The memory of the board.
  package let memory: PhysicalMemory
  /// The Redistributors, in order of their frames.
  package private(set) var redistributors: [SimulatedRedistributor] = []
  /// The ITSes.
  package private(set) var services: [SimulatedITS] = []

  /// LPIs that CPUs have taken, in order; tests may clear it.
  package var delivered: [Delivery] = []
  /// Virtual interrupts that became pending, in order.
  package var virtuallyDelivered: [VirtualDelivery] = []
  /// The VMOVPs that some ITS waits at.
  var moves: [UInt16: Move] = [:]
  /// What software did that it must not.
  package var faults: [SoftwareFault] = []
  /// Every access to memory, while `recordsAccesses` is set.
  package var accesses: [MemoryAccess] = []
  /// Whether GICR_PROPBASER is one register behind all Redistributors; even one that is in use takes a change.
  package var hasOneConfigurationBase = false
  /// Whether `accesses` grows.
  package var recordsAccesses = false
  /// Called before each access to memory.
  package var onAccess: ((MemoryAccess) -> Void)?

  /// Makes a board of Redistributors side by side from `redistributorBase`, and no ITS yet.
  ///
  /// Processor number n has affinity n, or that of `affinities`. With `hasVirtualLPIs` a Redistributor has
  /// four frames. `features` are more bits of GICR_TYPER.
  package init(
    memory: PhysicalMemory = PhysicalMemory(), processors: Int = 2,
    redistributorBase: UInt64 = 0x80a_0000, hasVirtualLPIs: Bool = false,
    interruptIDBits: UInt64 = 16, isCoherent: Bool = true, affinities: [UInt32] = [],
    features: UInt64 = 1 << 3
  ) {
    self.memory = memory
    var base = redistributorBase
    for number in 0..<processors {
      let typer =
        1 | (hasVirtualLPIs ? 0b10 : 0) | features | (number == processors - 1 ? 1 << 4 : 0)
        | UInt64(number) << 8
        | (affinities.isEmpty ? UInt64(number) : UInt64(affinities[number])) << 32
      let redistributor = SimulatedRedistributor(
        gic: self, index: number, base: base, typer: GICRTyper(rawValue: typer),
        interruptIDBits: interruptIDBits, isCoherent: isCoherent)
      redistributors.append(redistributor)
      base += redistributor.typer.size
    }
    memory.onStore = { [unowned self] address, size in
      for service in services { service.checkStore(address, size) }
    }
  }

  /// Adds an ITS whose control frame is at `base`.
  @discardableResult
  package func addService(
    at base: UInt64 = 0x808_0000, _ configuration: ITSConfiguration = ITSConfiguration()
  ) -> SimulatedITS {
    let service = SimulatedITS(
      gic: self, index: services.count, base: base, configuration: configuration)
    services.append(service)
    return service
  }

  /// The whole state; assigning a kept one goes back to it.
  ///
  /// The records are no part of it.
  package var state: State {
    get {
      State(
        memory: memory.state, redistributors: redistributors.map(\.state),
        services: services.map(\.state), delivered: delivered,
        virtuallyDelivered: virtuallyDelivered, moves: moves)
    }
    set {
      memory.state = newValue.memory
      for (redistributor, state) in zip(redistributors, newValue.redistributors) {
        redistributor.state = state
      }
      for (service, state) in zip(services, newValue.services) { service.state = state }
      delivered = newValue.delivered
      virtuallyDelivered = newValue.virtuallyDelivered
      moves = newValue.moves
    }
  }

  // MARK: The bus

  /// A CPU reads a register by physical address; nil for an external abort.
  package func read(_ width: AccessWidth, at address: UInt64) -> UInt64? {
    for service in services where address &- service.base < service.size {
      return service.read(width, at: address - service.base)
    }
    for redistributor in redistributors
    where address &- redistributor.base < redistributor.typer.size {
      return redistributor.read(width, at: address - redistributor.base)
    }
    return nil
  }

  /// A CPU writes a register by physical address; false for an external abort.
  package func write(_ width: AccessWidth, _ value: UInt64, at address: UInt64) -> Bool {
    for service in services where address &- service.base < service.size {
      return service.write(width, value, at: address - service.base)
    }
    for redistributor in redistributors
    where address &- redistributor.base < redistributor.typer.size {
      return redistributor.write(width, value, at: address - redistributor.base)
    }
    return false
  }

  /// Runs every ITS whose pace is instant until none can go on.
  func runInstantly() {
    var hasRun = true
    while hasRun {
      hasRun = false
      for service in services where service.pace == .instant {
        if service.run() > 0 { hasRun = true }
      }
    }
  }

  func record(
    _ service: Int?, _ use: MemoryUse, _ base: UInt64, _ size: UInt64, isWritten: Bool
  ) {
    guard recordsAccesses || onAccess != nil else { return }
    let access = MemoryAccess(
      service: service,
      range: MemoryReach(use: use, base: base, size: size, isWritten: isWritten))
    if recordsAccesses { accesses.append(access) }
    onAccess?(access)
  }

  // MARK: Targets

  /// The Redistributor that an RDbase field names; nil for none.
  package func redistributor(_ target: UInt64, byAddress: Bool) -> SimulatedRedistributor? {
    if byAddress {
      // For virtual LPIs the VLPI frame is named.
      return redistributors.first {
        $0.base == target << 16 || ($0.typer.hasVirtualLPIs && $0.base + 0x2_0000 == target << 16)
      }
    }
    return redistributors.first { $0.typer.processorNumber == target }
  }

  /// The RDbase field that names a Redistributor.
  package func target(of index: Int, byAddress: Bool) -> UInt64 {
    byAddress ? redistributors[index].base >> 16 : redistributors[index].typer.processorNumber
  }
}
