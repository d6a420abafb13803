// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
internal import Trace
public import Traps

// Every register of the control frame, deny by default: what is not named reads as zero and ignores
// writes, and is counted. Only a width or an alignment that the architecture forbids is answered with
// an abort.

extension MediatedITS {
  /// Answers a load of the host from `offset` in the control frame.
  public mutating func read<Machine: ITSMachine & ~Copyable>(
    _ access: Access, machine: borrowing Machine
  ) -> ReadEffect {
    // What the host reads in a loop comes first. The region permits words and doublewords, and a
    // 64-bit register permits both.
    if access.offset & ~7 == ITSRegister.commandRead.offset {
      if !staging.isEmpty || !purge.isDone { _ = drain(machine) }
      observe(machine)
      // Who finds a command completed may give the memory away that it has unmapped.
      if !retirement.isEmpty, isEnabled, !isBroken { retire(machine) }
      return part(of: readPointer(machine).rawValue, access)
    }
    if access.offset & ~7 == ITSRegister.type.offset {
      return part(of: offered.rawValue, access)
    }
    return readOther(access, machine)
  }

  @inline(never)
  private mutating func readOther<Machine: ITSMachine & ~Copyable>(
    _ access: Access, _ machine: borrowing Machine
  ) -> ReadEffect {
    guard access.width == .word || access.width == .double else { return .refused(.width) }
    if access.width == .word {
      switch access.offset {
      case ITSRegister.control.offset: return .value(control(machine))
      case ITSRegister.implementer.offset, ITSRegister.mpamIdentification.offset,
        ITSRegister.affinity.offset, ITSRegister.identification.offset...:
        return pass(access, machine)
      default: break
      }
    }
    switch access.offset & ~7 {
    case ITSRegister.commandBase.offset: return part(of: staging.register.rawValue, access)
    case ITSRegister.commandWrite.offset:
      return part(of: GITSQueuePointer(offset: staging.askedOffset).rawValue, access)
    default: break
    }
    if let index = tableIndex(access.offset) { return part(of: tableBases[index], access) }
    guard permits(access) else { return .refused(.width) }
    counters.ignored &+= 1
    return .value(0)
  }

  /// Carries out a store of the host to `offset` in the control frame.
  public mutating func write<Machine: ITSMachine & ~Copyable>(
    _ access: Access, _ value: UInt64, machine: borrowing Machine
  ) -> WriteEffect {
    if access.offset & ~7 == ITSRegister.commandWrite.offset { return ring(access, value, machine) }
    return writeOther(access, value, machine)
  }

  @inline(never)
  private mutating func writeOther<Machine: ITSMachine & ~Copyable>(
    _ access: Access, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    guard permits(access) else { return .refused(.width) }
    switch access.offset & ~7 {
    case ITSRegister.control.offset where access.offset == ITSRegister.control.offset:
      // What the host says now is what counts when the ITS wakes.
      isPaused = false
      return setControl(value, machine)
    case ITSRegister.commandBase.offset:
      guard isUnlocked(machine) else { return waitUntilQuiescent() }
      setCommandBase(merge(value, into: staging.register.rawValue, access), machine)
    default:
      guard let index = tableIndex(access.offset), rules[index].isOffered(vpes: vpes.capacity > 0)
      else {
        counters.ignored &+= 1
        return .done
      }
      guard isUnlocked(machine) else { return waitUntilQuiescent() }
      setTableBase(index, merge(value, into: tableBases[index], access))
    }
    fruitlessRuns = 0
    return .done
  }

  /// Whether the architecture permits the width at the offset; at reserved offsets a word or more.
  private func permits(_ access: Access) -> Bool {
    let widths = ITSRegister.widths(at: access.offset)
    if widths != .none { return widths.permits(access.width) }
    // The upper half of a register that has none, or of no register at all.
    return access.width == .word || access.width == .double
  }

  private mutating func pass<Machine: ITSMachine & ~Copyable>(
    _ access: Access, _ machine: borrowing Machine
  ) -> ReadEffect {
    guard let value = hardware(read: access.offset, access.width, machine) else {
      return .refused(.externalAbort)
    }
    return .value(value)
  }

  /// The half of a 64-bit register that an access of 32 bits asks for, or all of it.
  private func part(of value: UInt64, _ access: Access) -> ReadEffect {
    access.width == .double
      ? .value(value) : .value(value >> ((access.offset & 4) * 8) & 0xffff_ffff)
  }

  /// What a 64-bit register holds when an access has written all of it or one half.
  private func merge(_ value: UInt64, into old: UInt64, _ access: Access) -> UInt64 {
    if access.width == .double { return value }
    let shift = (access.offset & 4) * 8
    return old & ~(0xffff_ffff << shift) | (value & 0xffff_ffff) << shift
  }

  private func tableIndex(_ offset: UInt64) -> Int? {
    let distance = offset &- ITSRegister.tableBases.offset
    return distance < 64 ? Int(truncatingIfNeeded: distance / 8) : nil
  }
}

// GITS_CTLR, and what may be written only while it is clear.
extension MediatedITS {
  private mutating func control<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> UInt64 {
    let isQuiescent = hardwareControl(machine).isQuiescent
    // The last chance to see that it rests, before a host may take its power.
    if isQuiescent { settle(machine) }
    return (isEnabled ? 1 : 0) | (isQuiescent ? 1 << 31 : 0)
  }

  /// GITS_CTLR of the hardware, whose Enabled is EL2's unless it has lost its power.
  mutating func hardwareControl<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> GITSControl {
    let value = hardware(read: ITSRegister.control.offset, .word, machine) ?? 0
    let control = GITSControl(rawValue: UInt32(truncatingIfNeeded: value))
    if control.isEnabled != isEnabled { isBroken = true }
    return control
  }

  /// Whether GITS_CBASER and GITS_BASER<n> may be written: disabled, and quiescent.
  private mutating func isUnlocked<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine)
    -> Bool
  {
    !isEnabled && hardwareControl(machine).isQuiescent
  }

  /// What becomes of a store that the ITS must be disabled and quiescent for: right behind the one that has
  /// cleared Enabled it runs again, but not for ever.
  private mutating func waitUntilQuiescent() -> WriteEffect {
    if !isEnabled, mayRunAgain() {
      fruitlessRuns &+= 1
      return .again
    }
    counters.ignored &+= 1
    return .done
  }

  mutating func setControl<Machine: ITSMachine & ~Copyable>(
    _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    let enables = value & 1 != 0
    if enables != isEnabled {
      let control = hardwareControl(machine)
      if enables {
        guard !isBroken else {
          counters.ignored &+= 1
          return .done
        }
        // Enabling what is not quiescent is UNPREDICTABLE.
        guard control.isQuiescent else { return waitUntilQuiescent() }
        // Without EL2's queue and tables, as they were when it came to rest, it must not run.
        settle(machine)
        guard isAtRest, reinstall(machine) else {
          isBroken = true
          counters.ignored &+= 1
          return .done
        }
      }
      let others = UInt64(control.rawValue) & ~(1 | 1 << 31)
      guard
        hardware(write: ITSRegister.control.offset, .word, others | (enables ? 1 : 0), machine)
      else { return .refused(.externalAbort) }
      isEnabled = enables
      isAtRest = false
      if !enables { awaitRest(machine) }
      fruitlessRuns = 0
      if enables { examineTables(machine) }
    }
    // Commands may have been staged before; enabling once more does no harm.
    return drain(machine) == .more && mayRunAgain() ? .again : .done
  }
}

// GITS_CBASER, GITS_CWRITER, GITS_CREADR and GITS_BASER<n>.
extension MediatedITS {
  private mutating func setCommandBase<Machine: ITSMachine & ~Copyable>(
    _ value: UInt64, _ machine: borrowing Machine
  ) {
    if let pin = staging.pin.take() { machine.unpinAndUnshare(pin) }
    forgetPending(machine)
    stagingBegan = commit.written
    staging.reset(GITSCommandBase(rawValue: value & GITSCommandBase.writable))
    tokens.removeAll(memory: machine.memory)
    fruitlessRuns = 0
  }

  private mutating func setTableBase(_ index: Int, _ value: UInt64) {
    let new = rules[index].readBackByHost(value, offersVPEs: vpes.capacity > 0)
    let isChanged = new.rawValue != tableBases[index]
    tableBases[index] = new.rawValue
    noteTable(index, isChanged: isChanged)
  }

  private mutating func ring<Machine: ITSMachine & ~Copyable>(
    _ access: Access, _ value: UInt64, _ machine: borrowing Machine
  ) -> WriteEffect {
    let pointer = GITSQueuePointer(
      rawValue: merge(value, into: GITSQueuePointer(offset: staging.askedOffset).rawValue, access))
    counters.doorbells &+= 1
    let offset = pointer.offset
    let isContinued =
      tokens.count > 0
      && tokens.find(
        offset, cpu: machine.cpu, count: staging.asked, size: staging.slots, memory: machine.memory)
    if !isContinued {
      guard staging.ask(offset) else {
        counters.ignored &+= 1
        return .done
      }
      fruitlessRuns = 0
    }
    if pointer.isRetry { retry(machine) }
    if drain(machine) == .more, mayRunAgain(),
      tokens.add(offset, cpu: machine.cpu, count: staging.asked, memory: machine.memory)
    {
      return .again
    }
    if isContinued { tokens.remove(offset, cpu: machine.cpu, memory: machine.memory) }
    return .done
  }

  /// GITS_CWRITER.Retry: the host wants the command tried again at which the queue has stalled.
  private mutating func retry<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    staging.isStalled = false
    // One that is off, or disabled, may have lost its queue.
    guard isHardwareStalled, !isBroken,
      hardware(read: ITSRegister.commandBase.offset, .double, machine) == installed.commandBase
    else { return }
    isHardwareStalled = false
    let offset = (commit.published & (commit.slots &- 1)) &* ITSCommand.size
    _ = hardware(
      write: ITSRegister.commandWrite.offset, .double,
      GITSQueuePointer(offset: offset, flag: true).rawValue, machine)
  }

  /// GITS_CREADR: where the hardware is, told by the host's places.
  ///
  /// Mutating, like others that change nothing: the compiler would copy all of `self` for the call.
  private mutating func readPointer<Machine: ITSMachine & ~Copyable>(
    _ machine: borrowing Machine
  ) -> GITSQueuePointer {
    if let offset = commit.currentOrigin(memory: machine.memory) {
      // What is left of an earlier queue has no place in this one.
      let isEarlier = stagingBegan &- commit.completed &- 1 < commit.slots
      return GITSQueuePointer(offset: isEarlier ? 0 : offset, flag: isHardwareStalled)
    }
    return GITSQueuePointer(offset: staging.takenOffset, flag: staging.isStalled)
  }

  /// Whether a store that is not finished may run again, or the hardware is taken for stuck.
  private mutating func mayRunAgain() -> Bool { fruitlessRuns < 1 << 16 }
}

// The hardware's own registers, always whole.
extension MediatedITS {
  func hardware<Machine: ITSMachine & ~Copyable>(
    read offset: UInt64, _ width: AccessWidth, _ machine: borrowing Machine
  ) -> UInt64? {
    let value = machine.registers.read(width, at: VirtualAddress(frame.rawValue &+ offset))
    machine.record(
      .hardware(
        TracedRegister(
          offset: offset, width: width.rawValue, isWrite: false, isAborted: value == nil,
          value: value ?? 0)))
    return value
  }

  func hardware<Machine: ITSMachine & ~Copyable>(
    write offset: UInt64, _ width: AccessWidth, _ value: UInt64, _ machine: borrowing Machine
  ) -> Bool {
    let isDone = machine.registers.write(
      width, value, at: VirtualAddress(frame.rawValue &+ offset))
    machine.record(
      .hardware(
        TracedRegister(
          offset: offset, width: width.rawValue, isWrite: true, isAborted: !isDone, value: value)))
    return isDone
  }
}
