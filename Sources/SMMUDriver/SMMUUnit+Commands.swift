// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU

extension SMMUUnit {
  /// Has the SMMU begin with what `pending` asks for, and a SYNC behind it.
  ///
  /// - Returns: how many commands these are; nil where it does not answer or has no room.
  mutating func submit<Machine: SMMUMachine & ~Copyable>(
    _ pending: PendingInvalidation, _ vmid: VMID, _ machine: borrowing Machine
  ) -> UInt64? {
    guard var queue = parts?.commands, hasRoom(queue, machine) else { return nil }
    let memory = machine.memory
    var count: UInt64 = 0
    pending.commands(
      vmid, byRange: features.hasRangeInvalidation, limit: queue.batchLimit
    ) { command in
      queue.append(command, memory)
      count += 1
    }
    return finish(queue, machine) ? count : nil
  }

  /// Whether a batch fits.
  ///
  /// Of what was appended while the register did not answer the SMMU knows nothing, and would never make room:
  /// it is told again. Whether that goes well need not be asked, for whatever it was about still is pending.
  private func hasRoom<Machine: SMMUMachine & ~Copyable>(
    _ queue: SMMUCommandQueue, _ machine: borrowing Machine
  ) -> Bool {
    guard let consumed = port.pointer(.commandQueueConsumed, machine) else { return false }
    if queue.freeCount(consumed) > queue.batchLimit { return true }
    guard let told = port.pointer(.commandQueueProduced, machine),
      told.position != queue.produced.position,
      port.put(.commandQueueProduced, UInt64(queue.produced.rawValue), machine)
    else { return false }
    _ = confirm(machine)
    guard let now = port.pointer(.commandQueueConsumed, machine) else { return false }
    return queue.freeCount(now) > queue.batchLimit
  }

  /// Has the SMMU forget whatever it has cached of before, and waits for it.
  mutating func forgetEverything<Machine: SMMUMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> Bool {
    guard var queue = parts?.commands else { return false }
    queue.append(.invalidateConfiguration, machine.memory)
    queue.append(.invalidateAll, machine.memory)
    return finish(queue, machine) && confirm(machine)
  }

  /// Has the SMMU forget what it has combined of a stage 1 of the host and of what was taken; true where it
  /// combines nothing.
  ///
  /// Only once the rest is confirmed: commands take effect in any order up to a SYNC (IHI 0070, 4.7.3), and an
  /// entry of stage 2 that is not gone yet would be combined anew.
  mutating func forgetCombined<Machine: SMMUMachine & ~Copyable>(
    _ vmid: VMID, _ machine: borrowing Machine
  ) -> Bool { parts?.nested == nil || carryOut(.invalidateStage1(vmid), machine) }

  /// Carries out commands in batches that fit, with a SYNC behind each, and waits for it.
  ///
  /// - Returns: whether the SMMU has confirmed all of them.
  mutating func carryOut<Machine: SMMUMachine & ~Copyable>(
    _ commands: Span<SMMUCommand>, _ machine: borrowing Machine
  ) -> Bool {
    var next = 0
    while next < commands.count {
      guard var queue = parts?.commands, hasRoom(queue, machine) else { return false }
      let end = min(commands.count, next + Int(queue.batchLimit))
      while next < end {
        queue.append(commands[next], machine.memory)
        next += 1
      }
      guard finish(queue, machine), confirm(machine) else { return false }
    }
    return true
  }

  /// The same for one command.
  mutating func carryOut<Machine: SMMUMachine & ~Copyable>(
    _ command: SMMUCommand, _ machine: borrowing Machine
  ) -> Bool {
    let list: InlineArray<1, SMMUCommand> = [command]
    return carryOut(list.span, machine)
  }

  /// Appends a SYNC and tells the SMMU.
  private mutating func finish<Machine: SMMUMachine & ~Copyable>(
    _ queue: SMMUCommandQueue, _ machine: borrowing Machine
  ) -> Bool {
    var queue = queue
    queue.append(.synchronise, machine.memory)
    parts?.commands = queue
    // Tables and commands are visible before the SMMU is told of them.
    machine.memory.publishToDevices()
    return port.put(.commandQueueProduced, UInt64(queue.produced.rawValue), machine)
  }

  /// Waits until the SMMU has carried out everything.
  ///
  /// - Returns: whether it has, and without an error.
  func confirm<Machine: SMMUMachine & ~Copyable>(_ machine: borrowing Machine) -> Bool {
    guard let queue = parts?.commands else { return false }
    var hasFailed = false
    var last: SMMUQueuePointer?
    var looks: UInt64 = 0
    while true {
      guard let consumed = port.pointer(.commandQueueConsumed, machine) else { return false }
      if queue.isDone(consumed) {
        // Who gets the pages accesses them after this.
        machine.registers.orderAccesses()
        return !hasFailed
      }
      // One that gets on has no error.
      if consumed == last {
        guard let errors = port.activeErrors(machine), !errors.contains(.serviceFailure) else {
          return false
        }
        if errors.contains(.command) {
          hasFailed = true
          guard resume(queue, at: consumed, machine) else { return false }
        }
      }
      last = consumed
      looks += 1
      guard machine.mayLookAgain(after: looks) else { return false }
    }
  }

  /// Has a queue that has stopped go on, so that it can be used again: an illegal command is replaced by a
  /// SYNC, which does no harm, and anything else is tried again.
  private func resume<Machine: SMMUMachine & ~Copyable>(
    _ queue: SMMUCommandQueue, at consumed: SMMUQueuePointer, _ machine: borrowing Machine
  ) -> Bool {
    if consumed.error == .illegal {
      queue.replace(consumed, by: .synchronise, machine.memory)
      machine.memory.publishToDevices()
    }
    return port.acknowledge(.command, machine)
  }
}
