// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import SMMU

// EL2 reads the events: whoever traps for an SMMU, or asks for statistics, has some of them read.

extension SMMUGroup where Machine: ~Copyable {
  /// Reads at most `limit` events of each SMMU, counts them and keeps the first for the log; also what else
  /// an SMMU has to complain of.
  ///
  /// Comes with the ownership lock held.
  ///
  /// - Returns: how many events were read; where it is `limit` or more, there may be further ones.
  public mutating func drainEvents(atMost limit: UInt64) -> UInt64 {
    guard phase == .confining else { return 0 }
    var read: UInt64 = 0
    for index in units.indices { read += drainEvents(index, atMost: limit) }
    return read
  }

  /// The same for one SMMU.
  ///
  /// What is for the host waits for ``takeHostEvent(of:)``; where it finds no room it is lost, which
  /// ``takeHostLosses(of:)`` tells. So what comes behind it is read, however much the host leaves there.
  public mutating func drainEvents(of unit: UInt16, atMost limit: UInt64) -> UInt64 {
    guard phase == .confining, units.indices.contains(Int(unit)) else { return 0 }
    return drainEvents(Int(unit), atMost: limit)
  }

  private mutating func drainEvents(_ index: Int, atMost limit: UInt64) -> UInt64 {
    var unit = units[index]
    guard var queue = unit.parts?.events else { return 0 }
    let (waiting, hasOverflown) = queue.look(unit.port, machine)
    let count = min(waiting, limit)
    for _ in 0..<count {
      let event = queue.take(machine.memory)
      // A device that the tree does not name is not the host's to tell of, and no entry gives it anything.
      guard event.isForHost, unit.parts?.nested?.permits(event.stream) == true,
        let isKept = unit.parts?.hostEvents?.append(event, machine.memory)
      else {
        keep(SMMUFault(unit: unit.port.unit, event: event))
        continue
      }
      if isKept { events.forwarded &+= 1 } else { events.lostForwarded &+= 1 }
    }
    if hasOverflown {
      events.overflows &+= 1
      unit.parts?.hostEvents?.noteLoss()
    }
    if count > 0 || hasOverflown {
      queue.giveBack(unit.port, machine)
      unit.parts?.events = queue
      units[index] = unit
    }
    events.aborts &+= acknowledgeErrors(unit)
    return count
  }

  /// Takes the oldest event that the host is to be told of, as the hardware has recorded it.
  public mutating func takeHostEvent(of unit: UInt16) -> SMMUEvent? {
    guard units.indices.contains(Int(unit)) else { return nil }
    var one = units[Int(unit)]
    guard let event = one.parts?.hostEvents?.takeFirst(machine.memory) else { return nil }
    units[Int(unit)] = one
    return event
  }

  /// How many events for the host were lost since the last call: here, and at least one each time that the
  /// hardware's queue has overflown.
  public mutating func takeHostLosses(of unit: UInt16) -> UInt64 {
    guard units.indices.contains(Int(unit)) else { return 0 }
    var one = units[Int(unit)]
    guard let losses = one.parts?.hostEvents?.takeLosses(), losses > 0 else { return 0 }
    units[Int(unit)] = one
    return losses
  }

  /// Takes the oldest fault that is kept; logged without the ownership lock.
  public mutating func takeFault() -> SMMUFault? { faults.takeFirst() }

  private mutating func keep(_ fault: SMMUFault) {
    events.add(fault.event)
    if !faults.append(fault) { events.unlogged &+= 1 }
  }

  /// Acknowledges what an SMMU complains of, but for its commands, which whoever waits for them sees to.
  ///
  /// - Returns: how often events could not be written.
  private func acknowledgeErrors(_ unit: SMMUUnit) -> UInt64 {
    guard let errors = unit.port.activeErrors(machine) else { return 0 }
    let seen = errors.subtracting(SMMUGlobalError.command.union(.serviceFailure))
    guard seen.rawValue != 0, unit.port.acknowledge(seen, machine) else { return 0 }
    return seen.contains(.eventQueueAborted) ? 1 : 0
  }
}
