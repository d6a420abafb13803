// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SMMU

/// What happens to the tables of a board, in order, with a checker that is told of each event at once.
///
/// Whatever hangs on a ``PhysicalMemory`` tells the log of it. It keeps no event: only what the rules need.
package final class TableLog {
  /// The rules.
  package private(set) var checker = TableChecker()
  /// Gets each record before it is checked.
  package var onRecord: ((TableRecord) -> Void)?
  /// The CPU that acts.
  package var cpu: UInt64 = 0
  private var map = TableMap()
  private var sequence: UInt64 = 0

  /// Makes an empty log.
  package init() {}

  /// What broke a rule; the first few.
  package var faults: [TableFault] { checker.faults }

  /// Something happens.
  package func append(_ event: TableEvent) {
    let record = TableRecord(sequence, cpu: cpu, event)
    sequence += 1
    onRecord?(record)
    checker.take(record)
  }

  private func appendFound() {
    while !map.found.isEmpty { append(map.found.removeFirst()) }
  }

  /// EL2 is about to store a doubleword.
  package func store(_ new: UInt64, over old: UInt64, at address: UInt64) {
    guard new != old else { return }
    let store = LoggedStore(map.entry(at: address), at: address, old, new)
    append(.store(store))
    map.note(store)
    appendFound()
  }

  /// CPUs walk a table with 4 KiB granule from now on; `level` is where they start.
  package func walk(_ kind: LoggedTable, from base: UInt64, level: UInt64, bits: UInt64) {
    let tableBits = TableDescriptor.shift(level: level) + 9
    map.add(
      TableRoot(kind, base: base, size: 4096 << (max(bits, tableBits) - tableBits), level: level))
    appendFound()
  }

  // MARK: Hardware

  func enable(_ smmu: SimulatedSMMU) {
    let level: UInt64 =
      switch smmu.configuration.breakBeforeMake {
      case .required: 0
      case .level1: 1
      case .level2: 2
      }
    append(.smmu(smmu.base, .enable(breakBeforeMake: level)))
    map.addStreams(
      StreamTableBase(rawValue: smmu.state.streamBase),
      StreamTableShape(rawValue: smmu.state.streamShape), of: smmu.base)
    appendFound()
  }

  func disable(_ smmu: SimulatedSMMU) {
    append(.smmu(smmu.base, .disable))
    map.removeStreams(of: smmu.base)
  }

  func enableQueue(_ smmu: SimulatedSMMU) {
    map.addQueue(smmu.commandBase, of: smmu.base)
    appendFound()
  }

  func complete(_ command: SMMUCommand, _ smmu: SimulatedSMMU) {
    let vmid = command.vmid.rawValue
    let stream = UInt64(command.stream.rawValue)
    let action: SMMUAction
    switch command.opcode {
    case .synchronise: action = .sync
    case .invalidateStage2Address:
      let isRange = smmu.configuration.hasRangeInvalidation && command.granule != 0
      let size = isRange ? (command.rangeCount + 1) << (command.rangeScale + 12) : 4096
      let (last, isOver) = command.address.addingReportingOverflow(size - 1)
      action = .invalidateStage2(
        vmid: vmid, first: command.address, last: isOver ? .max : last)
    case .invalidateBothStages: action = .invalidateBothStages(vmid: vmid)
    case .invalidateStage1: action = .invalidateCombined(vmid: vmid)
    case .invalidateAll: action = .invalidateAll
    case .invalidateEntry:
      action = .configure(first: stream, last: stream, isLeaf: command.isLeaf)
    case .invalidateEntries:
      let log2 = command.streamRange + 1
      let first = command.isWholeRange ? 0 : stream.aligned(log2: log2)
      let last = command.isWholeRange ? UInt64(UInt32.max) : first + .ones(log2)
      action = .configure(first: first, last: last, isLeaf: false)
    default: action = .other(command.number)
    }
    append(.smmu(smmu.base, action))
  }

  func enable(_ its: SimulatedITS) {
    map.addITS(
      its.base, its.commandBase, its.state.tableBases.map(GITSTableBase.init(rawValue:)))
    append(.its(its.base, .enable))
    appendFound()
  }

  func complete(_ command: ITSCommand, _ its: SimulatedITS) {
    switch command.opcode {
    case .mapd where command.isValid:
      let entry = its.configuration.translationEntrySize
      append(
        .its(
          its.base,
          .map(
            device: command.deviceID, base: command.translationTable,
            size: entry << (command.eventIDBitsMinusOne + 1))))
    case .mapd: append(.its(its.base, .unmap(device: command.deviceID)))
    case .mapc where command.isValid:
      append(.its(its.base, .collection(target: command.target)))
    case .sync: append(.its(its.base, .sync(target: command.target)))
    default: break
    }
  }
}
