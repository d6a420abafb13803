// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Ownership
public import SMMU

// What a virtual SMMU needs of the real one. Whatever is asked for here, no device reaches more than stage 2
// lets it: entries are made of the fields of a stage 1 and EL2's stage 2, invalidations carry EL2's VMID.
// All calls come with the ownership lock held, after the group has begun with the policy `nested`.

extension SMMUGroup where Machine: ~Copyable {
  /// What an SMMU says of itself; nil before the group has begun, or where a register does not answer.
  public func identification(of unit: UInt16) -> SMMUIdentification? {
    guard phase == .confining, policy == .nested, units.indices.contains(Int(unit)) else {
      return nil
    }
    let one = units[Int(unit)]
    guard let parts = one.parts, let idr0 = word(.identification0, one),
      let idr1 = word(.identification1, one), let idr3 = word(.identification3, one),
      let idr5 = word(.identification5, one), let implementer = word(.implementer, one),
      let architecture = word(.architecture, one)
    else { return nil }
    return SMMUIdentification(
      idr0: SMMUIDR0(rawValue: idr0), idr1: SMMUIDR1(rawValue: idr1),
      idr3: SMMUIDR3(rawValue: idr3), idr5: SMMUIDR5(rawValue: idr5),
      implementer: SMMUIIDR(rawValue: implementer),
      architecture: SMMUAIDR(rawValue: architecture), addressBits: geometry.bits,
      streamLog2: min(parts.streams.shape.log2, one.features.streamIDBits))
  }

  private func word(_ register: SMMURegister, _ unit: SMMUUnit) -> UInt32? {
    guard let value = unit.port.look(register, machine) else { return nil }
    return UInt32(truncatingIfNeeded: value)
  }

  /// Has all streams of an SMMU go by something else; false where it has not confirmed.
  public mutating func activate(_ mode: StreamMode, on unit: UInt16) -> Bool {
    guard phase == .confining, units.indices.contains(Int(unit)) else { return false }
    var one = units[Int(unit)]
    let isDone = one.activate(mode, machine)
    units[Int(unit)] = one
    return isDone
  }

  /// Has a stream go by a rule: at once while each stream goes by its own, and later otherwise.
  public mutating func set(
    _ stream: StreamID, _ rule: StreamRule, on unit: UInt16
  ) -> StreamUpdate {
    guard phase == .confining, units.indices.contains(Int(unit)) else { return .notPermitted }
    var one = units[Int(unit)]
    let update = one.set(stream, rule, machine)
    units[Int(unit)] = one
    return update
  }

  /// The first stream from `stream` on that may have a rule other than `invalid`; nil where there is none
  /// up to `end`.
  public func nextStream(from stream: UInt64, upTo end: UInt64, on unit: UInt16) -> UInt64? {
    guard units.indices.contains(Int(unit)) else { return nil }
    return units[Int(unit)].parts?.nested?.nextGroup(from: stream, upTo: end, machine.memory)
  }

  /// Has an SMMU forget parts of stage 1, at most 32, with one SYNC; false where it has not confirmed.
  public mutating func invalidate(_ list: Span<Stage1Invalidation>, on unit: UInt16) -> Bool {
    guard phase == .confining, policy == .nested, units.indices.contains(Int(unit)) else {
      return false
    }
    var commands = FixedList<32, SMMUCommand>(filler: .synchronise)
    for index in list.indices {
      guard commands.append(list[index].command(vmid)) else { return false }
    }
    var one = units[Int(unit)]
    let isDone = one.carryOut(commands.span, machine)
    units[Int(unit)] = one
    usage.syncs &+= 1
    usage.invalidations &+= UInt64(list.count)
    if !isDone { usage.unconfirmed &+= 1 }
    return isDone
  }

  /// Has the wire of an SMMU's event queue signal, or not; false where it does not obey.
  public func signalEvents(_ isOn: Bool, on unit: UInt16) -> Bool {
    guard phase == .confining, policy == .nested, units.indices.contains(Int(unit)) else {
      return false
    }
    do throws(SMMUSetupError) {
      let wanted = isOn ? SMMUInterruptControl.eventQueue.rawValue : 0
      try units[Int(unit)].port.interrupts(UInt64(wanted), machine)
      return true
    } catch {
      return false
    }
  }
}
