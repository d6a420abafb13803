// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SMMU
internal import SMMUDriver

// From the doorbell to the hardware:
//
//   host's command → private copy → rule (CommandRule.swift) ── refused ─→ CERROR_ILL, the queue stops
//                                      │
//        ┌── nothing ──────────────────┼── entries ─→ MediatedSMMU+Streams.swift ─┐
//        │                             └── stage 1 ─→ batch ─→ SYNC, confirmed ───┤
//        └────────────────────────────────────────────────────────────────────────┴─→ CMDQ_CONS
//
// CMDQ_CONS passes a command when the hardware has confirmed it, so that a CMD_SYNC of the host has nothing
// left to wait for. A trap does a bounded part of it. The host waits by reading CMDQ_CONS, since nothing else
// tells it of the completion, and each of those reads goes on.

extension MediatedSMMU {
  /// Does what is left to do, as far as one trap goes.
  mutating func proceed<Machine: VirtualSMMUMachine & ~Copyable>(_ machine: borrowing Machine) {
    guard !isBroken else { return }
    var budget = policy.entriesPerTrap
    guard finishScan(&budget, machine) else { return }
    carryOutCommands(&budget, machine)
  }

  /// Whether the queue is on and has not stopped.
  private var mayConsume: Bool {
    acknowledged.contains(.commandQueue) && !activeErrors.contains(.command) && !isBroken
  }

  private mutating func carryOutCommands<Machine: VirtualSMMUMachine & ~Copyable>(
    _ budget: inout UInt64, _ machine: borrowing Machine
  ) {
    guard mayConsume else { return }
    var batch = FixedList<32, Stage1Invalidation>(filler: .everything)
    // Where EL2 reads; CMDQ_CONS stays behind it until the hardware has confirmed.
    var ahead = commands.consumed
    var left = policy.commandsPerTrap
    while left > 0, !commands.produced.isEmpty(consumed: ahead, log2: commands.log2) {
      left -= 1
      guard let command = command(at: ahead, machine) else {
        guard confirm(&batch, upTo: ahead, machine) else { return }
        refuse(.unreadableCommand)
        return stop(.abort)
      }
      switch CommandRule(command, offered) {
      case .nothing: break
      case .synchronise:
        // What the host puts behind it happens behind it, and it is complete whatever becomes of that.
        guard confirm(&batch, upTo: commands.advanced(ahead), machine) else { return }
      case .forget(let invalidation):
        if batch.isFull, !confirm(&batch, upTo: ahead, machine) { return }
        _ = batch.append(invalidation)
      case .read(let first, let end):
        guard confirm(&batch, upTo: ahead, machine) else { return }
        if acknowledged.contains(.translates) {
          scan = StreamScan(next: first, end: end, purpose: .command)
          _ = finishScan(&budget, machine)
          // It has moved CMDQ_CONS itself, or there is more to do.
          guard scan == nil, !isBroken else { return }
          ahead = commands.consumed
          continue
        }
      case .refused(let reason):
        guard confirm(&batch, upTo: ahead, machine) else { return }
        refuse(reason, command: command)
        return stop(.illegal)
      }
      counters.accepted &+= 1
      ahead = commands.advanced(ahead)
    }
    _ = confirm(&batch, upTo: ahead, machine)
  }

  /// Reads a command, each word once; nil where the queue is not the host's memory, or does not answer.
  private func command<Machine: VirtualSMMUMachine & ~Copyable>(
    at pointer: SMMUQueuePointer, _ machine: borrowing Machine
  ) -> SMMUCommand? {
    guard commands.slot != nil else { return nil }
    let place = commands.place(pointer)
    // Commands share lines with those before, and EL2 may have read what was there then.
    if !SMMUCR1(rawValue: control1).hasCoherentQueues { machine.memory.clean(place, size: 16) }
    guard let word0 = machine.memory.tryLoad(place),
      let word1 = machine.memory.tryLoad(PhysicalAddress(place.rawValue &+ 8))
    else { return nil }
    return SMMUCommand(UInt64(littleEndian: word0), UInt64(littleEndian: word1))
  }

  /// Has the hardware carry out a batch, and moves CMDQ_CONS behind it; false where it does not confirm.
  private mutating func confirm<Machine: VirtualSMMUMachine & ~Copyable>(
    _ batch: inout FixedList<32, Stage1Invalidation>, upTo position: SMMUQueuePointer,
    _ machine: borrowing Machine
  ) -> Bool {
    if !batch.isEmpty {
      counters.batches &+= 1
      guard machine.invalidate(batch) else {
        breakDown()
        return false
      }
      batch = FixedList(filler: .everything)
    }
    commands.consumed = position
    return true
  }

  /// Moves CMDQ_CONS behind the command at hand.
  mutating func finishCommand() {
    counters.accepted &+= 1
    commands.consumed = commands.advanced(commands.consumed)
  }

  /// Stops the queue at the command at hand.
  private mutating func stop(_ error: SMMUCommandError) {
    commands.consumed = SMMUQueuePointer(
      rawValue: commands.consumed.position | UInt32(error.rawValue) << 24)
    raise(.command)
  }
}
