// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership

// The rules of the commands for virtual interrupts, where the policy offers them (GICv4.0).
//
//   command          rule                                                  effect beside the command itself
//   VMAPP V=1        vPEID below all tables, RDbase known, vINTIDs of up   VPT held; an old mapping unmapped first
//                    to 16 bits, a VPT for 16 the host's own memory
//   VMAPP V=0        vPEID below all tables; the rest is ignored           unmapped by the ledger, VPT released later
//   VMAPTI, VMAPI    device, EventID, vPE mapped, vINTID in its VPT,
//                    doorbell an LPI or 1023
//   VMOVI            device, EventID, vPE mapped, doorbell as above
//   VMOVP            vPE mapped, RDbase known
//   VSYNC            vPEID below all tables
//   VINVALL          vPE mapped
//   VSGI, INVDB      refused: GICv4.1
//
// The pending table of a vPE (VPT) stays in the host's memory, which a guest of the host is written
// through: it is shared and pinned for as long as the hardware may write to it. An event keeps its vINTID
// where VMOVI moves it to another vPE, and where its own vPE gets another VPT. EL2 does not know the vINTIDs
// of events. So each VPT is held for the most bits, whatever VPT_size says.

extension MediatedITS {
  /// The most vPEs of an ITS.
  static var vpeCapacity: UInt64 { 512 }
  /// The most bits of a vINTID: no implementation has more (IHI 0069, 5.3.22).
  private static var virtualIDBitsLimit: UInt64 { 16 }
  /// An INTID that stands for no doorbell (IHI 0069, 5.3.27).
  private static var noDoorbell: UInt32 { 1023 }

  mutating func carryOutVirtual<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ opcode: ITSOpcode, _ machine: borrowing Machine
  ) -> CommandOutcome {
    guard vpes.capacity > 0 else { return .refused(.virtualInterrupts) }
    switch opcode {
    case .vmapp: return mapVPE(command, machine)
    case .vmapti:
      if let reason = checkVirtualMapping(command, command.virtualID, machine) {
        return .refused(reason)
      }
    case .vmapi:
      if let reason = checkVirtualMapping(command, command.eventID, machine) {
        return .refused(reason)
      }
    case .vmovi:
      if let reason = checkEvent(command, machine) { return .refused(reason) }
      guard vpes.find(command.vpeID, memory: machine.memory) != nil else {
        return .refused(.vpeNotMapped)
      }
      guard !command.hasDoorbell || isDoorbell(command.doorbellID) else {
        return .refused(.interruptOutOfRange)
      }
    case .vmovp:
      guard vpes.find(command.vpeID, memory: machine.memory) != nil else {
        return .refused(.vpeNotMapped)
      }
      guard let target = findVirtualTarget(command.target, machine) else {
        return .refused(.unknownTarget)
      }
      targets.markUsed(target, memory: machine.memory)
    case .vinvall:
      guard vpes.find(command.vpeID, memory: machine.memory) != nil else {
        return .refused(.vpeNotMapped)
      }
    case .vsync:
      guard UInt64(command.vpeID) < vpeLimit() else { return .refused(.vpeOutOfRange) }
    default: return .refused(.virtualInterrupts)
    }
    commit.append(command, for: staging.takenOffset, memory: machine.memory)
    return .done
  }

  private mutating func checkVirtualMapping<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ interrupt: UInt32, _ machine: borrowing Machine
  ) -> CommandRefusalReason? {
    if let reason = checkEvent(command, machine) { return reason }
    guard let vpe = vpes.find(command.vpeID, memory: machine.memory) else { return .vpeNotMapped }
    // Beyond its bits the pending bit would lie behind the table.
    guard interrupt >= 8192, UInt64(interrupt) >> vpe.virtualIDBits == 0,
      isDoorbell(command.doorbellID)
    else { return .interruptOutOfRange }
    return nil
  }

  /// The Redistributor that a vPE goes to; an address may be that of its RD frame or of its VLPI frame,
  /// two frames behind it.
  private mutating func findVirtualTarget<Machine: ITSMachine & ~Copyable>(
    _ target: UInt64, _ machine: borrowing Machine
  ) -> UInt64? {
    if let index = targets.find(target, memory: machine.memory) { return index }
    guard typer.targetsAreAddresses, target >= 2 else { return nil }
    return targets.find(target - 2, memory: machine.memory)
  }

  private func isDoorbell(_ interrupt: UInt32) -> Bool {
    interrupt == Self.noDoorbell
      || (interrupt >= 8192 && UInt64(interrupt) < policy.interruptLimit)
  }

  /// The vPEIDs that the ledger, the hardware's table and the host's own have room for.
  private mutating func vpeLimit() -> UInt64 {
    var limit: UInt64 = 0
    for index in 0..<8 {
      let register = GITSTableBase(rawValue: tableBases[index])
      if register.kind == .vpes, register.isValid { limit = register.capacity }
    }
    return min(limit, vpes.capacity)
  }

  private mutating func mapVPE<Machine: ITSMachine & ~Copyable>(
    _ command: ITSCommand, _ machine: borrowing Machine
  ) -> CommandOutcome {
    guard UInt64(command.vpeID) < vpeLimit() else { return .refused(.vpeOutOfRange) }
    let old = vpes.find(command.vpeID, memory: machine.memory)
    guard command.isValid else {
      guard let old else { return .done }
      guard !retirement.isFull else { return .later }
      unmap(old, machine)
      return .done
    }
    guard let target = findVirtualTarget(command.target, machine) else {
      return .refused(.unknownTarget)
    }
    let bits = command.virtualIDBitsMinusOne + 1
    // LPIs need at least 14 bits.
    guard bits >= 14, bits <= Self.virtualIDBitsLimit else { return .refused(.interruptOutOfRange) }
    guard old == nil || !retirement.isFull else { return .later }
    // What lies behind the last bit of all is none of the hardware's business, and may be a guest's.
    let size = LPITableSizes(interruptIDBits: Self.virtualIDBitsLimit).pending
    guard
      let pages = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(command.pendingTable)),
        count: PageRange.pages(for: size))
    else { return .refused(.notHostMemory) }
    let slot: UInt64
    do throws(OwnershipError) {
      slot = try machine.hold(pages, in: &heldTables)
    } catch {
      return .refused(.notHostMemory)
    }
    let table = machine.memory.output(of: IntermediatePhysicalAddress(command.pendingTable))
    // What Redistributors drop of an address leads to other memory.
    guard table.isAligned(to: 1 << 16), table.isBelow(policy.addressLimit, with: pages) else {
      machine.release(slot, of: &heldTables)
      return .refused(.notHostMemory)
    }
    if let old { unmap(old, machine) }
    targets.markUsed(target, memory: machine.memory)
    vpes.insert(
      MappedVPE(vpeID: command.vpeID, virtualIDBits: bits, slot: slot), memory: machine.memory)
    commit.append(
      command.at(pendingTable: table), for: staging.takenOffset, memory: machine.memory)
    return .done
  }

  /// Unmaps a vPE that is in the ledger, by what the ledger says.
  ///
  /// - Precondition: there is room in both queues.
  mutating func unmap<Machine: ITSMachine & ~Copyable>(
    _ vpe: MappedVPE, _ machine: borrowing Machine
  ) {
    commit.append(.unvmapp(vpe.vpeID), for: staging.takenOffset, memory: machine.memory)
    commit.append(.vsync(vpe.vpeID), for: staging.takenOffset, memory: machine.memory)
    vpes.remove(vpe.vpeID, memory: machine.memory)
    retirement.append(pin: vpe.slot, memory: machine.memory)
  }
}
