// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// What becomes of a transaction's address (IHI 0070, 3.3 and 3.9).
extension SimulatedSMMU {
  /// An address that a transaction came to, and what it may do there.
  struct Translated: Hashable, Sendable {
    var physical: UInt64
    var isReadable = true
    var isWritable = true
  }

  /// Translates while SMMUEN is set.
  func translate(_ transaction: DeviceTransaction) throws(TranslationFault) -> Translated {
    if transaction.type == .unsupported { throw TranslationFault(.unsupportedTransaction) }
    if transaction.type == .translated {
      guard configuration.hasATS else { throw TranslationFault(.translatedForbidden) }
      // Nobody looks at the stream table: the device is trusted.
      if !control.contains(.checksATS) { return try bypass(transaction) }
    }
    let entry = try entry(of: transaction.stream)
    try check(entry)
    guard let what = entry.configuration, what != .abort else { throw TranslationFault.silent }
    if what.hasStage2 { checkTable(of: entry) }
    let service = service(entry)
    switch transaction.type {
    case .translated:
      guard service != .none else { throw TranslationFault(.translatedForbidden) }
      return service == .split ? try throughStage2(transaction, entry) : try bypass(transaction)
    case .request:
      guard service != .none else { throw TranslationFault(.badTranslationRequest) }
      if service == .split { return try requestSplit(transaction, entry) }
    case .untranslated, .unsupported: break
    }
    guard what.hasStage1 || transaction.substream == nil else {
      throw TranslationFault(.badSubstream)
    }
    switch what {
    case .abort, .bypass: return try bypass(transaction)
    case .stage2: return try throughStage2(transaction, entry)
    case .stage1, .nested: return try throughStage1(transaction, entry)
    }
  }

  /// EATS where it counts.
  private func service(_ entry: StreamTableEntry) -> StreamTableEntry.TranslationService {
    guard configuration.hasATS, let what = entry.configuration, what.hasStage1 || what.hasStage2
    else { return .none }
    switch entry.translationService {
    case .full: return .full
    // What nobody would check counts as none.
    case .split: return control.contains(.checksATS) ? .split : .none
    default: return .none
    }
  }

  /// Stage 1 passed by: the address as it comes, unless there is none so large.
  private func bypass(_ transaction: DeviceTransaction) throws(TranslationFault) -> Translated {
    guard transaction.address <= UInt64.ones(configuration.outputSize.bits) else {
      throw TranslationFault(.addressSize)
    }
    return Translated(physical: transaction.address)
  }

  private func throughStage2(
    _ transaction: DeviceTransaction, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> Translated {
    let address = try bypass(transaction).physical
    let leaf = try stage2(
      address, entry,
      Access(isWrite: transaction.isWrite, isProbe: transaction.type == .request))
    return Translated(
      physical: leaf.translate(address), isReadable: leaf.isReadable, isWritable: leaf.isWritable)
  }

  /// With split-stage ATS the device keeps IPAs.
  private func requestSplit(
    _ transaction: DeviceTransaction, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> Translated {
    guard let context = try context(of: transaction, entry) else { return try bypass(transaction) }
    let leaf = try stage1(transaction, context, entry, isProbe: true)
    return Translated(
      physical: leaf.translate(transaction.address), isWritable: leaf.isWritable)
  }

  private func throughStage1(
    _ transaction: DeviceTransaction, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> Translated {
    let isProbe = transaction.type == .request
    let isNested = entry.configuration == .nested
    guard let context = try context(of: transaction, entry) else {
      return isNested ? try throughStage2(transaction, entry) : try bypass(transaction)
    }
    if isNested,
      let kept = state.translations.first(
        .combined, vmid: effective(entry.vmid.rawValue), asid: context.asid, transaction.address),
      isProbe || permits(kept, transaction)
    {
      return Translated(
        physical: kept.translate(transaction.address), isReadable: kept.isReadable,
        isWritable: kept.isWritable)
    }
    let first = try stage1(transaction, context, entry, isProbe: isProbe)
    let intermediate = first.translate(transaction.address)
    guard isNested else {
      return Translated(physical: intermediate, isWritable: first.isWritable)
    }
    let second = try stage2(
      intermediate, entry, Access(isWrite: transaction.isWrite, isProbe: isProbe))
    var combined = first
    combined.kind = .combined
    combined.log2 = min(first.log2, second.log2)
    combined.input = transaction.address.aligned(log2: combined.log2)
    combined.output = second.translate(intermediate).aligned(log2: combined.log2)
    combined.isReadable = second.isReadable
    combined.isWritable = first.isWritable && second.isWritable
    combined.source = second.source
    if configuration.cachesTranslations, configuration.combinesStages { insert(combined) }
    return Translated(
      physical: combined.translate(transaction.address), isReadable: combined.isReadable,
      isWritable: combined.isWritable)
  }

  private func permits(_ kept: CachedTranslation, _ transaction: DeviceTransaction) -> Bool {
    (transaction.isWrite ? kept.isWritable : kept.isReadable)
      && (transaction.isPrivileged || kept.isUnprivileged)
  }
}
