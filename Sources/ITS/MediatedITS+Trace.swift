// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture
internal import GIC
public import Trace
public import Traps

extension MediatedITS {
  /// Records what this mediation of the ITS at `base` started from, so that what follows can be run again.
  ///
  /// Where EL2 sees the frame the host, who may read the trace, does not learn.
  public func recordSetup<Machine: ITSMachine & ~Copyable>(
    _ setup: ITSSetup, at base: PhysicalAddress, isHandedOver: Bool, machine: borrowing Machine
  ) {
    var service = TracedService(
      frame: base.rawValue, typer: typer.rawValue, arena: setup.arena.address.rawValue,
      arenaPages: UInt32(truncatingIfNeeded: setup.arena.count),
      cpus: UInt32(truncatingIfNeeded: setup.cpus), interruptLimit: policy.interruptLimit,
      commandsPerTrap: UInt32(clamping: policy.commandsPerTrap),
      bytesPerTrap: UInt32(clamping: policy.bytesPerTrap))
    service.isHandedOver = isHandedOver
    service.stalls = policy.refused == .stalls
    service.isNonCoherent = setup.isNonCoherent
    service.isVirtual = policy.offersVirtualInterrupts(typer)
    machine.record(.service(service))
    for index in 0..<8 {
      let words = rules[index].words
      machine.record(
        .table(
          TracedTable(
            index: UInt8(truncatingIfNeeded: index), fixed: words.fixed, fields: words.fields)))
    }
    for index in 0..<targets.count {
      machine.record(.target(targets.target(index, memory: machine.memory)))
    }
  }
}

extension TracedAccess {
  /// A load and what was answered.
  public init(_ access: Access, _ effect: ReadEffect) {
    switch effect {
    case .value(let value):
      self.init(access, isWrite: false, value: value & access.width.mask, .done)
    case .refused(let reason):
      self.init(access, isWrite: false, value: 0, .refused(reason.rawValue))
    }
  }

  /// A store and what became of it.
  public init(_ access: Access, _ value: UInt64, _ effect: WriteEffect) {
    let outcome: Outcome =
      switch effect {
      case .done: .done
      case .again: .again
      case .refused(let reason): .refused(reason.rawValue)
      }
    self.init(access, isWrite: true, value: value, outcome)
  }

  private init(_ access: Access, isWrite: Bool, value: UInt64, _ outcome: Outcome) {
    self.init(
      offset: access.offset, width: access.width.rawValue, isWrite: isWrite, value: value,
      outcome: outcome)
  }
}

extension StagingQueue {
  /// The command that is taken next, and what became of it.
  @inline(__always)
  func traced(_ command: ITSCommand, _ outcome: CommandOutcome) -> TracedCommand {
    let verdict: TracedCommand.Verdict =
      switch outcome {
      case .done: .accepted
      case .later: .later
      case .refused(let reason): .refused(reason.rawValue)
      }
    return TracedCommand(
      command.word0, command.word1, command.word2, command.word3,
      at: register.base &+ takenOffset, verdict)
  }
}

extension PageRange {
  /// These pages, pinned or not.
  func traced(isGranted: Bool) -> TracedPin {
    TracedPin(base: address.rawValue, pages: count, isGranted: isGranted)
  }
}
