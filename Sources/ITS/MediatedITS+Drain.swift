// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
internal import Trace

// From the doorbell to the hardware:
//
//   staged command → private copy → rule (MediatedITS+Commands.swift) ── refused ─→ counted, skipped or stalled
//                                        │ accepted
//                            ledger, tables, commit queue
//                                        │
//                 SYNCs behind what was unmapped → one write of GITS_CWRITER → tables freed

/// How a run through the staging queue ended.
enum DrainResult: Hashable {
  /// No command is left that could be carried out.
  case done
  /// Commands are left: the budget is spent, or the hardware must get on first.
  case more
}

extension MediatedITS {
  /// Takes commands from the staging queue as far as the budget, the hardware and the policy let it.
  mutating func drain<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> DrainResult {
    guard isEnabled, !isBroken else { return .done }
    let before = progress
    var budget = Budget(commands: policy.commandsPerTrap, bytes: policy.bytesPerTrap)
    var result = purge.isDone ? .done : purge(&budget, machine)
    if result == .done, !staging.isEmpty, !staging.isStalled, holdsStaging(machine) {
      result = take(&budget, machine)
    }
    finishBatch(machine)
    guard result == .more, !isBroken else { return .done }
    fruitlessRuns = before == progress ? fruitlessRuns &+ 1 : 0
    return .more
  }

  /// Drops the pending command, and its table, of which the hardware has never heard.
  mutating func forgetPending<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    pending = nil
    if let table = unfinished.take() { arena.giveBack(table.pages, memory: machine.memory) }
  }

  /// Something that changes with everything that gets on, and only grows.
  private var progress: UInt64 {
    commit.written &+ commit.completed &+ staging.taken &+ (unfinished?.zeroed ?? 0)
  }

  private mutating func take<Machine: ITSMachine & ~Copyable>(
    _ budget: inout Budget, _ machine: borrowing Machine
  ) -> DrainResult {
    while !staging.isEmpty {
      guard budget.takeCommand(), hasRoom(machine) else { return .more }
      guard let command = pending ?? staging.read(memory: machine.memory) else {
        machine.record(.unreadable(staging.register.base &+ staging.takenOffset))
        stallUnread()
        return .done
      }
      let outcome = carryOut(command, &budget, machine)
      machine.record(.command(staging.traced(command, outcome)))
      switch outcome {
      case .done:
        if pending != nil { pending = nil }
        counters.accepted &+= 1
        machine.count(command)
        staging.advance()
      case .later:
        pending = command
        return .more
      case .refused(let reason):
        counters.refused[Int(reason.rawValue)] &+= 1
        lastRefusal = CommandRefusal(command: command, reason: reason)
        forgetPending(machine)
        if policy.refused == .stalls {
          staging.isStalled = true
          return .done
        }
        staging.advance()
      }
    }
    return .done
  }

  /// Whether the staging queue is held; its pages are taken at the first use of a new GITS_CBASER.
  private mutating func holdsStaging<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> Bool {
    if staging.pin != nil { return true }
    guard staging.register.isValid else { return false }
    if let pages = staging.pages {
      do throws(OwnershipError) {
        staging.pin = try machine.shareAndPin(pages)
        machine.record(.pin(pages.traced(isGranted: true)))
        return true
      } catch {
        // Told below.
        machine.record(.pin(pages.traced(isGranted: false)))
      }
    }
    stallUnread()
    return false
  }

  /// A queue that is not the host's memory, or does not answer, can't be read: it stands still, and says so.
  private mutating func stallUnread() {
    counters.ignored &+= 1
    staging.isStalled = true
  }

  /// The slots that must be free for a command, where so many Redistributors are targets.
  static func room(for targets: UInt64) -> UInt64 { targets &+ 5 }

  /// Whether the commit queue has room for a command of the host, the unmapping that it may imply, a
  /// SYNC to every target, and one past the end of the queue.
  private mutating func hasRoom<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> Bool {
    let needed = Self.room(for: targets.usedCount)
    if commit.freeCount >= needed { return true }
    publish(machine)
    observe(machine)
    return commit.freeCount >= needed && !isBroken
  }

  /// Ends a batch: what was unmapped is followed by SYNCs, everything is published with one write, and
  /// what the hardware has let go of is free.
  private mutating func finishBatch<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) {
    if retirement.hasUnsealed {
      for index in 0..<targets.count where targets.isUsed(index, memory: machine.memory) {
        appendSync(to: index, machine)
      }
      retirement.seal(at: commit.written, memory: machine.memory)
    }
    publish(machine)
    guard !retirement.isEmpty else { return }
    observe(machine)
    retire(machine)
  }

  /// Appends a SYNC of EL2's own.
  ///
  /// It has the place of the command before it: a host that finds that completed may disable the ITS and have it
  /// lose its power, and nothing may be under way then.
  private mutating func appendSync<Machine: ITSMachine & ~Copyable>(
    to index: UInt64, _ machine: borrowing Machine
  ) {
    let place = commit.isIdle ? staging.takenOffset : commit.lastOrigin(memory: machine.memory)
    commit.append(
      .sync(target: targets.target(index, memory: machine.memory)), for: place,
      memory: machine.memory)
  }

  /// Hands everything that was appended to the hardware.
  mutating func publish<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    guard var offset = commit.publish(memory: machine.memory) else { return }
    if offset == 0 { offset = publishPastZero(machine) }
    counters.publications &+= 1
    let value = GITSQueuePointer(offset: offset).rawValue
    if !hardware(write: ITSRegister.commandWrite.offset, .double, value, machine) {
      isBroken = true
    }
  }

  /// Adds a SYNC to what ends at the end of the queue: the hardware is not to rest at zero, which is also
  /// what GITS_CREADR says after a loss of power.
  @inline(never)
  private mutating func publishPastZero<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> UInt64 {
    for index in 0..<targets.count where targets.isUsed(index, memory: machine.memory) {
      guard commit.freeCount > 0 else { break }
      appendSync(to: index, machine)
      return commit.publish(memory: machine.memory) ?? 0
    }
    return 0
  }

  /// Looks how far the hardware is.
  mutating func observe<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    // From there it goes no further, and what it says behind a loss of power is not heard.
    if isAtRest { return }
    guard let value = hardware(read: ITSRegister.commandRead.offset, .double, machine) else {
      isBroken = true
      return
    }
    let pointer = GITSQueuePointer(rawValue: value)
    isHardwareStalled = pointer.isStalled
    if !commit.observe(readOffset: pointer.offset) { isBroken = true }
  }

  /// Frees the tables that the hardware has let go of.
  mutating func retire<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    guard retirement.isDue(completed: commit.completed, memory: machine.memory) else { return }
    guard isRunning(machine) else {
      isBroken = true
      return
    }
    while let freed = retirement.takeFirst(completed: commit.completed, memory: machine.memory) {
      switch freed {
      case .table(let table):
        // A table that was handed over lies in pages that were claimed for good.
        if arena.pages.contains(table.first) { arena.giveBack(table, memory: machine.memory) }
      case .pin(let slot): machine.release(slot, of: &heldTables)
      }
    }
  }

  /// Unmaps in the hardware what the host has given up with its tables.
  private mutating func purge<Machine: ITSMachine & ~Copyable>(
    _ budget: inout Budget, _ machine: borrowing Machine
  ) -> DrainResult {
    while let slot = purge.devices {
      if slot == devices.slots {
        // What a removal moved around the end of the ledger lies before the slot.
        purge.devices = devices.count > 0 ? 0 : nil
      } else if let device = devices.device(in: slot, memory: machine.memory) {
        guard mayUnmap(&budget, machine) else { return .more }
        unmap(device, machine)
      } else {
        purge.devices = slot + 1
      }
    }
    while let id = purge.collections {
      if collections.isMapped(id, memory: machine.memory) {
        guard mayUnmap(&budget, machine) else { return .more }
        commit.append(
          .unmapc(UInt16(truncatingIfNeeded: id)), for: staging.takenOffset,
          memory: machine.memory)
        collections.set(id, isMapped: false, memory: machine.memory)
      }
      purge.collections = id + 1 < collections.capacity ? id + 1 : nil
    }
    while let id = purge.vpes {
      if let vpe = vpes.find(UInt16(truncatingIfNeeded: id), memory: machine.memory) {
        guard mayUnmap(&budget, machine) else { return .more }
        unmap(vpe, machine)
      }
      purge.vpes = id + 1 < vpes.capacity ? id + 1 : nil
    }
    return .done
  }

  private mutating func mayUnmap<Machine: ITSMachine & ~Copyable>(
    _ budget: inout Budget, _ machine: borrowing Machine
  ) -> Bool {
    budget.takeCommand() && hasRoom(machine) && !retirement.isFull
  }
}
