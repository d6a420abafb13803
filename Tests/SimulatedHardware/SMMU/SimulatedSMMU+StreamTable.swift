// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// Stream table entries: where they are, and which are legal (IHI 0070, 3.3 and 5.2).
extension SimulatedSMMU {
  private var shape: StreamTableShape { StreamTableShape(rawValue: state.streamShape) }

  /// The entry of a stream, from what is kept or from memory.
  func entry(of stream: StreamID) throws(TranslationFault) -> StreamTableEntry {
    if let kept = state.entries[stream.rawValue] { return kept }
    let entry = try readEntry(at: try entryAddress(of: stream))
    if configuration.cachesConfiguration, entry.isValid || configuration.cachesInvalidEntries {
      state.entries[stream.rawValue] = entry
    }
    return entry
  }

  private func readEntry(at address: UInt64) throws(TranslationFault) -> StreamTableEntry {
    var words: [UInt64] = []
    for index in 0..<8 {
      let address = address + UInt64(index) * 8
      guard let word = readWord(.streamEntry, address, observer(ofTables: true)) else {
        throw .fetch(.entryFetch, at: address)
      }
      words.append(word)
    }
    return StreamTableEntry(
      words[0], words[1], words[2], words[3], words[4], words[5], words[6], words[7])
  }

  private func entryAddress(of stream: StreamID) throws(TranslationFault) -> UInt64 {
    var unknown = TranslationFault(.badStream)
    unknown.isRecorded =
      SMMUCR2(rawValue: state.control2).contains(.recordsUnknownStreams)
    let id = UInt64(stream.rawValue)
    let log2 = min(shape.log2, configuration.streamIDBits)
    guard id >> log2 == 0 else { throw unknown }
    let base = StreamTableBase(rawValue: state.streamBase).base
    guard shape.isTwoLevel == true, configuration.hasTwoLevelStreams else {
      return base.aligned(log2: log2 + 6) + id * StreamTableEntry.size
    }
    let split = UInt64(shape.split?.rawValue ?? 6)
    let index = id >> split
    let descriptor = try descriptor(
      index, base.aligned(log2: log2 > split ? max(6, log2 - split + 3) : 6))
    guard var entries = descriptor.log2 else { throw unknown }
    if entries > split {
      faults.append(.spanBeyondSplit(index: index))
      entries = split
    }
    guard id.low(split) >> entries == 0 else { throw unknown }
    return descriptor.table.aligned(log2: entries + 6) + id.low(split) * StreamTableEntry.size
  }

  private func descriptor(
    _ index: UInt64, _ table: UInt64
  ) throws(TranslationFault) -> StreamTableDescriptor {
    if let kept = state.descriptors[index] { return kept }
    let address = table + index * StreamTableDescriptor.size
    guard let word = readWord(.streamDescriptor, address, observer(ofTables: true)) else {
      throw .fetch(.entryFetch, at: address)
    }
    let descriptor = StreamTableDescriptor(rawValue: word)
    if configuration.cachesConfiguration,
      descriptor.log2 != nil || configuration.cachesInvalidEntries
    {
      state.descriptors[index] = descriptor
    }
    return descriptor
  }

  /// Keeps the entry that a CPU is about to store to, as it is until then.
  func prefetchEntry(at address: UInt64) {
    guard control.contains(.translates), configuration.cachesConfiguration else { return }
    var stream: UInt64?
    if shape.isTwoLevel == true {
      let split = UInt64(shape.split?.rawValue ?? 6)
      for (index, descriptor) in state.descriptors {
        guard let log2 = descriptor.log2 else { continue }
        let offset = address &- descriptor.table
        if offset < StreamTableEntry.size << log2 {
          stream = index << split + offset / StreamTableEntry.size
        }
      }
    } else {
      let offset = address &- StreamTableBase(rawValue: state.streamBase).base
      if offset < StreamTableEntry.size << shape.log2 { stream = offset / StreamTableEntry.size }
    }
    if let stream { _ = try? entry(of: StreamID(UInt32(stream))) }
  }

  // MARK: Rules

  /// Throws C_BAD_STE where an entry is invalid or ILLEGAL (IHI 0070, 5.2.2).
  func check(_ entry: StreamTableEntry) throws(TranslationFault) {
    guard entry.isValid else { throw TranslationFault(.badEntry) }
    // A reserved value aborts as the one for that does.
    guard let what = entry.configuration, what != .abort else { return }
    guard (!what.hasStage1 || hasLegalStage1(entry)) && (!what.hasStage2 || hasLegalStage2(entry)),
      configuration.hasStage1 || !what.hasStage1,
      configuration.hasStage2 || !what.hasStage2
    else { throw TranslationFault(.badEntry) }
    guard hasLegalService(entry, what) else { throw TranslationFault(.badEntry) }
  }

  /// ATS does not go with stage 2 that stalls, and split-stage ATS with nested stages alone.
  private func hasLegalService(
    _ entry: StreamTableEntry, _ what: StreamTableEntry.Configuration
  ) -> Bool {
    guard configuration.hasATS else { return true }
    let stalls = what.hasStage2 && entry.stallsStage2
    switch entry.translationService {
    case .full: return !stalls
    case .split: return what == .nested && !stalls && !configuration.hasFullATSOnly
    default: return true
    }
  }

  private func hasLegalStage1(_ entry: StreamTableEntry) -> Bool {
    if entry.contextLog2 > configuration.substreamIDBits { return false }
    if entry.contextLog2 > 0 {
      if entry.contextFormat == 3 || entry.defaultSubstream == 3 { return false }
      if entry.contextFormat != 0, !configuration.hasTwoLevelContexts { return false }
    }
    if entry.forbidsStalls, configuration.stallModel == .terminateOnly { return false }
    let isNested = entry.configuration == .nested
    if !isNested, configuration.hasHypervisorContexts, entry.regime % 2 != 0 { return false }
    if !isNested, entry.contextTable > UInt64.ones(configuration.outputSize.bits) { return false }
    return true
  }

  private func hasLegalStage2(_ entry: StreamTableEntry) -> Bool {
    guard entry.hasAArch64Stage2, configuration.hasAArch64Tables else { return false }
    guard configuration.hasVMID16 || entry.vmid.rawValue <= 0xff else { return false }
    if configuration.endianness == 2, entry.hasBigEndianStage2 { return false }
    if configuration.endianness == 3, !entry.hasBigEndianStage2 { return false }
    switch configuration.stallModel {
    case .terminateOnly: if entry.stallsStage2 { return false }
    case .stallOnly: if !entry.stallsStage2 { return false }
    case .stallOrTerminate: break
    }
    switch entry.stage2Granule {
    case 0: if !configuration.hasGranule4K { return false }
    case 1, 2:
      if entry.stage2Granule == 1 ? configuration.hasGranule64K : configuration.hasGranule16K {
        faults.append(.notSimulated("a granule other than 4 KiB"))
      }
      return false
    default: return false
    }
    guard (16...39).contains(entry.stage2InputSize) else { return false }
    let bits = 64 - entry.stage2InputSize
    // What the tables of a start level can be put side by side for (Arm ARM, D8.2).
    let permitted: ClosedRange<UInt64>
    switch entry.stage2StartLevel {
    case 0: permitted = 25...34
    case 1: permitted = 31...43
    case 2: permitted = 40...48
    default: return false
    }
    guard permitted.contains(bits), bits <= max(configuration.outputSize.bits, 40) else {
      return false
    }
    return entry.stage2Table <= UInt64.ones(stage2OutputBits(entry))
  }

  /// The bits of what stage 2 comes to.
  func stage2OutputBits(_ entry: StreamTableEntry) -> UInt64 {
    min(entry.stage2OutputSize?.bits ?? 52, configuration.outputSize.bits, 48)
  }

  /// Notices two tables of stage 2 under one VMID, of which translations are kept.
  func checkTable(of entry: StreamTableEntry) {
    let vmid = effective(entry.vmid.rawValue)
    let table = [entry.stage2Table, entry.stage2Control]
    if let earlier = state.tables[vmid], earlier != table {
      let isKept = state.translations.entries.contains {
        $0.vmid == vmid && $0.kind != .stage1
      }
      if isKept { faults.append(.tablesShareVMID(VMID(vmid))) }
    }
    state.tables[vmid] = table
  }
}
