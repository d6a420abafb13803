// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import FuzzWorld
import SMMU
import Simulation
import SimulatedHardware
import Traps
import VirtualSMMU

/// The specification, which goes along with a world: each trap of its host, and each page that the host gives up.
package final class NestedComparison {
  private unowned let world: NestedWorld
  private var board: BoardComparison
  private var tables: HardwareTables<PhysicalMemory>
  /// What EL2 did that was not compared yet.
  private var observations: [SMMUObservation] = []
  /// The page that the host is giving up.
  private var leaving: PageRange?
  /// What the specification does not permit; nil where there is nothing.
  package private(set) var divergence: String?

  /// Begins with a world that nothing has happened in.
  package init(_ world: NestedWorld) {
    self.world = world
    func register(_ name: SMMURegister) -> UInt64 {
      world.smmu.read(name.size == 8 ? .double : .word, at: name.offset) ?? 0
    }
    tables = HardwareTables(world.smmu.memory, register: register)
    let ram = NestedWorld.ram, hypervisor = NestedWorld.hypervisor
    board = BoardComparison(memory: [
      pages(at: ram.lowerBound, size: hypervisor.lowerBound - ram.lowerBound): true,
      pages(at: hypervisor.lowerBound, size: UInt64(hypervisor.count)): false,
    ])
    board.add(devices: world.streams, tables, register: register)
    watch()
  }

  private func watch() {
    world.seams.onAccess = { [unowned self] _, offset, value in
      guard let value else { return }
      let register = SMMURegister(rawValue: offset) ?? .status
      if register == .commandQueueProduced {
        note(tables.publish(value))
        if let leaving {
          tell { () throws(Divergence) in
            try board.compareDevices(leaving, leaving: true, tables)
          }
        }
      } else if register == .globalErrorAcknowledged, world.smmu.activeErrors.contains(.command) {
        note(tables.resume(UInt64(world.smmu.stoppedAt.rawValue)))
      } else {
        tell { () throws(Divergence) in try board.hasWritten(value, to: register) }
      }
    }
    world.seams.onGivingUp = { [unowned self] in note(.gaveUp) }
    world.seams.onAnswer = { [unowned self] _, offset, value in
      guard offset == SMMURegister.commandQueueConsumed.offset, tables.confirm(value) else {
        return
      }
      note(.confirmed)
    }
    world.onWrite = { [unowned self] access, value in
      let effect = world.mediated.write(access, value, machine: machine)
      compare(
        .store(offset: access.offset, access.width, value), effect == .done ? .done : .aborted)
      return effect
    }
    world.onRead = { [unowned self] access in
      let effect = world.mediated.read(access, machine: machine)
      let told: Effect = if case .value(let value) = effect { .value(value) } else { .aborted }
      compare(.load(offset: access.offset, access.width), told)
      return effect
    }
    world.onDonating = { [unowned self] page in leaving = page }
    world.onDonation = { [unowned self] page, isGranted in
      leaving = nil
      check { () throws(Divergence) in
        try board.claimed(page, isGranted: isGranted, observations, tables)
        try board.compareDevices(page, tables)
      }
    }
    world.onReturn = { [unowned self] page, isGranted in
      check { () throws(Divergence) in
        try board.returned(page, isGranted: isGranted, observations)
        try board.compareDevices(page, tables)
      }
    }
  }

  private var machine: ObservedSMMUMachine<NestedWorldMachine, NestedWitness> {
    ObservedSMMUMachine(NestedWorldMachine(world: world), NestedWitness(comparison: self))
  }

  fileprivate func note(_ observation: SMMUObservation) { observations.append(observation) }

  private func compare(_ entrance: Entrance, _ effect: Effect) {
    // A host that waits reads and reads, by which nothing changes.
    let changes = if case .load = entrance { !observations.isEmpty } else { true }
    check(changes) { () throws(Divergence) in
      try board.finish(
        smmu: 0, entrance, effect, observations, world.mediated, held: world.heldPages, tables)
    }
  }

  /// What comes behind the first difference says nothing.
  private func check(_ changes: Bool = true, _ compare: () throws(Divergence) -> Void) {
    defer { observations.removeAll(keepingCapacity: true) }
    tell { () throws(Divergence) in
      try compare()
      if changes { divergence = board.violation }
    }
  }

  private func tell(_ compare: () throws(Divergence) -> Void) {
    guard divergence == nil else { return }
    do throws(Divergence) {
      try compare()
    } catch {
      divergence = "\(error)"
    }
  }

  /// Compares all entries of the hardware's stream table.
  package func walk() {
    check { () throws(Divergence) in try board.compareEntries(0, tables) }
  }

  /// How often each rule has permitted something, by its name.
  package var reached: [String: Int] { board.reached }
}

private struct NestedWitness: SMMUWitness {
  unowned let comparison: NestedComparison

  func note(_ observation: SMMUObservation) { comparison.note(observation) }
}
