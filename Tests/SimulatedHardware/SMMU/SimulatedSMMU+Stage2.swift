// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// Stage 2, with tables of 4 KiB (IHI 0070, 3.4 and Arm ARM DDI 0487, D8.2).
extension SimulatedSMMU {
  /// What an access needs.
  struct Access: Hashable, Sendable {
    var accessClass = SMMUEvent.AccessClass.input
    var isWrite: Bool
    /// Whether nothing is accessed: only what could be is asked for.
    var isProbe = false
  }

  private func fault(
    _ type: SMMUEventType, _ address: UInt64, _ entry: StreamTableEntry, _ access: Access
  ) -> TranslationFault {
    var fault = TranslationFault(type)
    fault.isStage2 = true
    fault.accessClass = access.accessClass
    fault.intermediate = address
    fault.stalls = entry.stallsStage2 && type != .walkAbort
    fault.isRecorded = entry.recordsStage2 || fault.stalls || type == .walkAbort
    return fault
  }

  /// Translates an IPA, and checks that the access may be made.
  func stage2(
    _ address: UInt64, _ entry: StreamTableEntry, _ access: Access
  ) throws(TranslationFault) -> CachedTranslation {
    let vmid = effective(entry.vmid.rawValue)
    var leaf: CachedTranslation
    if let kept = state.translations.first(.stage2, vmid: vmid, address) {
      leaf = kept
    } else {
      leaf = try walkStage2(address, entry, access)
      if configuration.cachesTranslations { insert(leaf) }
    }
    if access.isProbe { return leaf }
    if access.isWrite, !leaf.isWritable { leaf = markDirty(leaf, entry) }
    let isForbidden = access.isWrite ? !leaf.isWritable : !leaf.isReadable
    let isStrayWalk =
      access.accessClass != .input && entry.protectsWalks && leaf.isDevice
    guard !isForbidden, !isStrayWalk else { throw fault(.permission, address, entry, access) }
    return leaf
  }

  private func walkStage2(
    _ address: UInt64, _ entry: StreamTableEntry, _ access: Access
  ) throws(TranslationFault) -> CachedTranslation {
    let bits = 64 - entry.stage2InputSize
    guard address >> bits == 0 else { throw fault(.translation, address, entry, access) }
    let limit = UInt64.ones(stage2OutputBits(entry))
    let vmid = effective(entry.vmid.rawValue)
    let observer = observer(
      inner: entry.stage2Inner, outer: entry.stage2Outer,
      shareability: entry.stage2Shareability)
    let start = 2 - entry.stage2StartLevel
    var level = start
    var table = entry.stage2Table.aligned(
      log2: bits - TableDescriptor.shift(level: start) + 3)
    if let kept = state.translations.deepestTable(vmid: vmid, address) {
      level = kept.level + 1
      table = kept.output
    }
    while true {
      let shift = TableDescriptor.shift(level: level)
      let index = level == start ? address >> shift : (address >> shift).low(9)
      let place = table + index * 8
      guard let word = readWord(.stage2Table, place, observer) else {
        var abort = fault(.walkAbort, address, entry, access)
        abort.fetch = place
        throw abort
      }
      var descriptor = TableDescriptor(
        raw: entry.hasBigEndianStage2 ? word.byteSwapped : word)
      let source = CachedTranslation.Source(
        address: place, descriptor: descriptor, level: level)
      switch descriptor.kind(level: level) {
      case .invalid:
        throw fault(.translation, address, entry, access)
      case .table:
        guard descriptor.table <= limit else {
          throw fault(.addressSize, address, entry, access)
        }
        if configuration.cachesTables, configuration.cachesTranslations {
          insert(
            CachedTranslation(
              kind: .table, vmid: vmid, input: address.aligned(log2: shift), log2: shift,
              output: descriptor.table, level: level, source: source))
        }
        table = descriptor.table
        level += 1
      case .leaf:
        guard descriptor.output(level: level) <= limit else {
          throw fault(.addressSize, address, entry, access)
        }
        if !descriptor.isAccessed {
          if entry.updatesAccessFlag, configuration.hardwareUpdates >= 1 {
            descriptor.raw |= 1 << 10
            write(
              .stage2Table, .double,
              entry.hasBigEndianStage2 ? descriptor.raw.byteSwapped : descriptor.raw, place,
              observer)
          } else if !entry.ignoresAccessFlag {
            throw fault(.accessFlag, address, entry, access)
          }
        }
        return CachedTranslation(
          kind: .stage2, vmid: vmid, input: address.aligned(log2: shift), log2: shift,
          output: descriptor.output(level: level), level: level,
          isReadable: descriptor.isReadableInStage2, isWritable: descriptor.isWritableInStage2,
          isDevice: descriptor.isDeviceInStage2(
            forcesWriteBack: entry.forcesWriteBack && configuration.canForceWriteBack),
          source: CachedTranslation.Source(address: place, descriptor: descriptor, level: level))
      }
    }
  }

  /// Hardware's own management of dirty state: DBM, with S2HD.
  private func markDirty(
    _ leaf: CachedTranslation, _ entry: StreamTableEntry
  ) -> CachedTranslation {
    guard configuration.hardwareUpdates == 2, entry.updatesDirtyState, var source = leaf.source,
      source.descriptor.tracksDirtyState
    else { return leaf }
    source.descriptor.raw |= 1 << 7
    let raw = source.descriptor.raw
    write(
      .stage2Table, .double, entry.hasBigEndianStage2 ? raw.byteSwapped : raw, source.address,
      observer(
        inner: entry.stage2Inner, outer: entry.stage2Outer,
        shareability: entry.stage2Shareability))
    var result = leaf
    result.isWritable = true
    result.source = source
    state.translations.remove { $0 == leaf }
    if configuration.cachesTranslations { insert(result) }
    return result
  }

  /// Keeps a translation, and notices one of another size for the same addresses: where BBML is 2 the two
  /// may be there at once, if they come to the same.
  func insert(_ entry: CachedTranslation) {
    if entry.kind == .stage2 {
      let last = entry.input + UInt64.ones(entry.log2)
      let conflicts = state.translations.entries.contains {
        $0.isSibling(of: entry) && $0.log2 != entry.log2 && $0.overlaps(entry.input, last)
          && (configuration.breakBeforeMake != .level2
            || entry.translate($0.input) != $0.output)
      }
      if conflicts { faults.append(.cacheConflict(address: entry.input)) }
    }
    state.translations.insert(entry)
  }
}
