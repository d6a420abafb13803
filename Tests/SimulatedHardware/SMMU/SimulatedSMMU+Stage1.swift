// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// Stage 1: context descriptors (IHI 0070, 5.4) and tables of 4 KiB (Arm ARM DDI 0487, D8.2), read through
// stage 2 where there is one.
extension SimulatedSMMU {
  /// Where something of stage 1 is, in physical memory.
  private func place(
    _ address: UInt64, _ entry: StreamTableEntry, _ accessClass: SMMUEvent.AccessClass,
    isWrite: Bool = false
  ) throws(TranslationFault) -> UInt64 {
    guard entry.configuration == .nested else { return address }
    return try stage2(address, entry, Access(accessClass: accessClass, isWrite: isWrite))
      .translate(address)
  }

  private func readContextWord(
    _ address: UInt64, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> UInt64 {
    let physical = try place(address, entry, .context)
    let observer = observer(
      inner: entry.contextInner, outer: entry.contextOuter,
      shareability: entry.contextShareability)
    guard let word = readWord(.context, physical, observer) else {
      throw .fetch(.contextFetch, at: physical)
    }
    return word
  }

  /// The context of a transaction, from what is kept or from memory; nil where stage 1 is passed by.
  func context(
    of transaction: DeviceTransaction, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> ContextDescriptor? {
    var id: UInt64 = 0
    if let substream = transaction.substream {
      id = UInt64(substream.rawValue)
      guard entry.contextLog2 > 0, id >> entry.contextLog2 == 0 else {
        throw TranslationFault(.badSubstream)
      }
      if id == 0, entry.defaultSubstream == 2 { throw TranslationFault(.streamDisabled) }
    } else if entry.contextLog2 > 0 {
      switch entry.defaultSubstream {
      case 0: throw TranslationFault(.streamDisabled)
      case 1: return nil
      default: break
      }
    }
    let place = ContextPlace(
      stream: transaction.stream.rawValue, substream: UInt32(id))
    let context: ContextDescriptor
    if let kept = state.contexts[place] {
      context = kept
    } else {
      context = try readContext(id, entry)
      if configuration.cachesConfiguration,
        context.isValid || configuration.cachesInvalidEntries
      {
        state.contexts[place] = context
      }
    }
    try check(context)
    return context
  }

  private func readContext(
    _ id: UInt64, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> ContextDescriptor {
    var address = entry.contextTable + id * ContextDescriptor.size
    if entry.contextLog2 > 0, entry.contextFormat != 0 {
      let split: UInt64 = entry.contextFormat == 1 ? 6 : 10
      let descriptor = try readContextWord(entry.contextTable + (id >> split) * 8, entry)
      guard descriptor.bit(0) else { throw TranslationFault(.badSubstream) }
      address = descriptor.masked(51, 12) + id.low(split) * ContextDescriptor.size
    }
    var context = ContextDescriptor()
    context.word0 = try readContextWord(address, entry)
    context.word1 = try readContextWord(address + 8, entry)
    context.word2 = try readContextWord(address + 16, entry)
    context.word3 = try readContextWord(address + 24, entry)
    return context
  }

  private func check(_ context: ContextDescriptor) throws(TranslationFault) {
    let bad = TranslationFault(.badContext)
    guard context.isValid, context.isAArch64 else { throw bad }
    guard configuration.hasASID16 || context.asid <= 0xff else { throw bad }
    if context.isBigEndian ? configuration.endianness == 2 : configuration.endianness == 3 {
      throw bad
    }
    if context.stalls
      ? configuration.stallModel == .terminateOnly
      : configuration.stallModel == .stallOnly
    {
      throw bad
    }
    for upper in [false, true] where !context.isDisabled(upper: upper) {
      guard (16...39).contains(context.inputSize(upper: upper)) else { throw bad }
      guard context.hasGranule4K(upper: upper) else {
        if configuration.hasGranule16K || configuration.hasGranule64K {
          faults.append(.notSimulated("a granule other than 4 KiB"))
        }
        throw bad
      }
      guard context.table(upper: upper) <= UInt64.ones(stage1OutputBits(context)) else { throw bad }
    }
  }

  private func stage1OutputBits(_ context: ContextDescriptor) -> UInt64 {
    let size = SMMUAddressSize(rawValue: UInt8(context.outputSize))?.bits ?? 52
    return min(size, configuration.outputSize.bits, 48)
  }

  // MARK: Walks

  /// Translates a virtual address to an IPA, and checks that the access may be made.
  func stage1(
    _ transaction: DeviceTransaction, _ context: ContextDescriptor, _ entry: StreamTableEntry,
    isProbe: Bool
  ) throws(TranslationFault) -> CachedTranslation {
    let regime = self.regime(of: entry)
    let vmid = stage1VMID(entry)
    func fault(_ type: SMMUEventType) -> TranslationFault {
      stage1Fault(type, context, entry, .input)
    }
    let leaf: CachedTranslation
    if let kept = state.translations.first(
      .stage1, regime: regime, vmid: vmid, asid: context.asid, transaction.address)
    {
      leaf = kept
    } else {
      leaf = try walkStage1(transaction.address, context, entry)
      if configuration.cachesTranslations,
        entry.configuration != .nested || !configuration.combinesStages
      {
        insert(leaf)
      }
    }
    let isForbidden =
      transaction.isWrite && !leaf.isWritable
      || !transaction.isPrivileged && !leaf.isUnprivileged
    if isForbidden, !isProbe { throw fault(.permission) }
    return leaf
  }

  /// Whose stage 1 it is, where that is told apart.
  func regime(of entry: StreamTableEntry) -> UInt64 {
    entry.configuration == .stage1 && configuration.hasHypervisorContexts ? entry.regime : 0
  }

  /// The VMID that stage 1 has in the TLB: EL2 has none.
  func stage1VMID(_ entry: StreamTableEntry) -> UInt16 {
    regime(of: entry) == 0 ? effective(entry.vmid.rawValue) : 0
  }

  private func stage1Fault(
    _ type: SMMUEventType, _ context: ContextDescriptor, _ entry: StreamTableEntry,
    _ accessClass: SMMUEvent.AccessClass
  ) -> TranslationFault {
    var fault = TranslationFault(type)
    fault.accessClass = accessClass
    fault.stalls = context.stalls && !entry.forbidsStalls && type != .walkAbort
    fault.isRecorded = context.records || fault.stalls || type == .walkAbort
    fault.aborts = context.aborts || configuration.alwaysAborts
    return fault
  }

  private func walkStage1(
    _ address: UInt64, _ context: ContextDescriptor, _ entry: StreamTableEntry
  ) throws(TranslationFault) -> CachedTranslation {
    let isUpper = address.bit(55)
    let bits = 64 - context.inputSize(upper: isUpper)
    let checked =
      context.ignoresTopByte(upper: isUpper)
      ? UInt64(bitPattern: Int64(bitPattern: address << 8) >> 8) : address
    guard !context.isDisabled(upper: isUpper),
      checked >> bits == (isUpper ? UInt64.max >> bits : 0)
    else { throw stage1Fault(.translation, context, entry, .input) }
    let attributes = context.walkAttributes(upper: isUpper)
    let observer = observer(
      inner: attributes.field(1, 0), outer: attributes.field(3, 2),
      shareability: attributes.field(5, 4))
    let limit = UInt64.ones(stage1OutputBits(context))
    let input = address.low(bits)
    var level: UInt64 = bits > 39 ? 0 : bits > 30 ? 1 : 2
    let first = bits - TableDescriptor.shift(level: level)
    var table = context.table(upper: isUpper).aligned(log2: first + 3)
    var isWritable = true
    var isUnprivileged = true
    while true {
      let shift = TableDescriptor.shift(level: level)
      let place = try place(table + (input >> shift).low(9) * 8, entry, .table)
      guard let word = readWord(.stage1Table, place, observer) else {
        var abort = stage1Fault(.walkAbort, context, entry, .table)
        abort.fetch = place
        throw abort
      }
      var descriptor = TableDescriptor(raw: context.isBigEndian ? word.byteSwapped : word)
      switch descriptor.kind(level: level) {
      case .invalid: throw stage1Fault(.translation, context, entry, .input)
      case .table:
        guard descriptor.table <= limit else {
          throw stage1Fault(.addressSize, context, entry, .input)
        }
        if !context.ignoresHierarchy(upper: isUpper) {
          if descriptor.forbidsWrites { isWritable = false }
          if descriptor.forbidsUnprivileged { isUnprivileged = false }
        }
        table = descriptor.table
        level += 1
      case .leaf:
        guard descriptor.output(level: level) <= limit else {
          throw stage1Fault(.addressSize, context, entry, .input)
        }
        if !descriptor.isAccessed {
          if context.updatesAccessFlag, configuration.hardwareUpdates >= 1 {
            descriptor.raw |= 1 << 10
            let place = try self.place(
              table + (input >> shift).low(9) * 8, entry, .table, isWrite: true)
            write(
              .stage1Table, .double,
              context.isBigEndian ? descriptor.raw.byteSwapped : descriptor.raw, place, observer)
          } else if !context.ignoresAccessFlag {
            throw stage1Fault(.accessFlag, context, entry, .input)
          }
        }
        return CachedTranslation(
          kind: .stage1, regime: regime(of: entry), vmid: stage1VMID(entry),
          asid: descriptor.isOfASID ? context.asid : nil, input: address.aligned(log2: shift),
          log2: shift, output: descriptor.output(level: level), level: level,
          isWritable: isWritable && !descriptor.isReadOnlyInStage1,
          isUnprivileged: isUnprivileged && descriptor.isUnprivileged)
      }
    }
  }
}
