// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership
internal import Trace

// A host that writes the value into GITS_BASER<n> that is there already begins anew or resumes. One that begins
// anew has zeroed the table before, as IHI 0069 5.2 wants it; one that resumes has left it alone. Hardware
// does not care: it finds in memory what it has written there, or zeroes. EL2's tables are elsewhere, and the
// host's stay as the host has them. So EL2 looks into the host's table when the ITS is enabled again:
//
//   two levels   the first level is written by the host itself: the entry of a device that is mapped is Valid
//                until the table is zeroed
//   one level    EL2 leaves a mark in the first entry when the ITS is enabled, where hardware writes too: it is
//                there until the table is zeroed
//
// Where EL2 cannot look, the host is taken to resume: an event too many does less harm than one too few.

/// GITS_BASER<n> of the host by how they were written, a bit each.
struct TableMarks: Sendable {
  /// Those with a mark of EL2 in the table.
  var marked: UInt8 = 0
  /// Those that were written again with the value that they had.
  var restated: UInt8 = 0
  /// Those whose tables were handed over: nobody knows what the host has put into the staged ones.
  var staged: UInt8 = 0
}

extension MediatedITS {
  /// What stands in the first entry of a table with one level that the host must not have zeroed.
  private static var mark: UInt64 { 1 }

  /// Unmaps what was mapped in tables that the host has zeroed and given again, and marks those with one level.
  mutating func examineTables<Machine: ITSMachine & ~Copyable>(_ machine: borrowing Machine) {
    for index in 0..<8 {
      let table = GITSTableBase(rawValue: tableBases[index])
      let bit: UInt8 = 1 << index
      let isRestated = marks.restated & bit != 0
      guard table.isValid, isRestated || !table.isIndirect,
        let place = table.isIndirect ? firstLevelEntry(table, machine) : table.base,
        let word = look(at: PhysicalAddress(place), marks: !table.isIndirect, machine)
      else { continue }
      if isRestated, word == 0, table.isIndirect || marks.marked & bit != 0 {
        purge.add(table.kind)
      }
      if !table.isIndirect { marks.marked |= bit }
    }
    marks.restated = 0
  }

  /// Takes note of a write to GITS_BASER<n>, which has changed what it holds or has not.
  mutating func noteTable(_ index: Int, isChanged: Bool) {
    let bit: UInt8 = 1 << index
    if isChanged {
      purge.add(GITSTableBase(rawValue: tableBases[index]).kind)
      marks.restated &= ~bit
      marks.marked &= ~bit
      marks.staged &= ~bit
    } else {
      marks.restated |= bit & ~marks.staged
    }
  }

  /// The host's entry of the first level for the first ID that is mapped; nil where none is.
  private func firstLevelEntry<Machine: ITSMachine & ~Copyable>(
    _ table: GITSTableBase, _ machine: borrowing Machine
  ) -> UInt64? {
    guard let id = firstMapped(table.kind, machine), id < table.capacity else { return nil }
    return table.base &+ id / (table.pageSize.bytes / table.entrySize) &* 8
  }

  private func firstMapped<Machine: ITSMachine & ~Copyable>(
    _ kind: GITSTableBase.Kind, _ machine: borrowing Machine
  ) -> UInt64? {
    switch kind {
    case .devices:
      for slot in 0..<devices.slots {
        if let device = devices.device(in: slot, memory: machine.memory) {
          return UInt64(device.deviceID)
        }
      }
    case .collections:
      for id in 0..<collections.capacity where collections.isMapped(id, memory: machine.memory) {
        return id
      }
    case .vpes:
      for id in 0..<vpes.capacity
      where vpes.find(UInt16(truncatingIfNeeded: id), memory: machine.memory) != nil { return id }
    case .none: break
    }
    return nil
  }

  /// What a doubleword of the host's held; nil where it is not the host's own memory, or does not
  /// answer.
  ///
  /// It is read once. Where it is zero and EL2 `marks` it, the mark is there then.
  private func look<Machine: ITSMachine & ~Copyable>(
    at place: PhysicalAddress, marks: Bool, _ machine: borrowing Machine
  ) -> UInt64? {
    guard let page = PageRange(first: PageFrameNumber(containing: place), count: 1) else {
      return nil
    }
    let pin: Pin<1>
    do throws(OwnershipError) {
      pin = try machine.shareAndPin(page)
      machine.record(.pin(page.traced(isGranted: true)))
    } catch {
      machine.record(.pin(page.traced(isGranted: false)))
      return nil
    }
    let host = place.rawValue
    let place = machine.memory.output(of: IntermediatePhysicalAddress(host))
    // The host may have zeroed it by stores that pass the caches by.
    machine.memory.clean(place, size: 8)
    let word = machine.memory.tryLoad(place)
    var isAnswered = word != nil
    if let word { machine.record(.look(TracedLook(address: host, value: word))) }
    if marks, word == 0 {
      isAnswered = machine.memory.tryStore(Self.mark.littleEndian, at: place)
      machine.memory.clean(place, size: 8)
    }
    machine.unpinAndUnshare(pin)
    guard isAnswered else {
      machine.record(.unreadable(host))
      return nil
    }
    return word
  }
}
