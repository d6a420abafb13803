// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// `VirtualSMMU/Commands.md` and `StreamTableEntries.md`. What EL2 reads is an input: it reads once, from memory
// that the host and its devices may rewrite at any time.

/// What becomes of a command of the host.
enum SMMUVerdict: Equatable, Sendable {
  /// The hardware gets these; none, where the command is without effect.
  case sends([SMMUCommand], Rule)
  /// The entries of these streams are read again.
  case rereads(ClosedRange<UInt32>)
  /// It is a CMD_SYNC.
  case syncs
  /// It is refused.
  case refused(Rule)
}

extension SMMU {
  /// The row of a command.
  func verdict(_ it: SMMUCommand) -> SMMUVerdict {
    let vmid = identity.vmid, last = identity.lastStream, stream = it.stream.rawValue
    let isOfStream = (0x01...0x06).contains(it.number)
    switch it.opcode {
    case nil: return .refused(.reservedCommand)
    case _ where isOfStream && it.isSecure: return .refused(.secureStream)
    case .invalidateEntries where it.isWholeRange: return .rereads(0...last)
    case .prefetchConfiguration, .prefetchAddress: return .sends([], .prefetchIsDropped)
    case .invalidateEntries where it.streamRange >= identity.streamIDBits: return .rereads(0...last)
    case _ where isOfStream && stream > last: return .sends([], .contextInvalidation)
    case .invalidateEntry: return .rereads(stream...stream)
    case .invalidateEntries:
      let others: UInt32 = 2 << UInt32(it.streamRange) &- 1
      return .rereads(stream & ~others...min(last, stream | others))
    case .invalidateContext:
      return .sends([.invalidateContext(it.stream, it.substream, leaf: it.isLeaf)], .contextInvalidation)
    case .invalidateContexts: return .sends([.invalidateContexts(it.stream)], .contextInvalidation)
    case .invalidateStage1, .invalidateAll: return .sends([.invalidateStage1(vmid)], .stage1Invalidation)
    case .invalidateStage1ASID: return .sends([.invalidateStage1(vmid, it.asid)], .asidInvalidation)
    case .invalidateStage1Address: return addressVerdict(it, it.asid)
    case .invalidateStage1AddressAllASIDs: return addressVerdict(it, nil)
    case .synchronise: return it.completion == nil ? .refused(.reservedCommand) : .syncs
    default: return .refused(.hiddenCommand)
    }
  }

  /// CMD_TLBI_NH_VA and CMD_TLBI_NH_VAA, for a page or for a range.
  private func addressVerdict(_ it: SMMUCommand, _ asid: ASID?) -> SMMUVerdict {
    let vmid = identity.vmid, idr5 = identity.idr5
    let one = SMMUCommand.invalidateStage1(vmid, asid, address: it.address, leaf: it.isLeaf)
    let isRange = it.granule != 0 && identity.idr3.hasRangeInvalidation
    let isOne = !isRange || it.rangeCount == 0 && it.rangeScale == 0
    let granules = [false, idr5.hasGranule4K, idr5.hasGranule16K, idr5.hasGranule64K]
    let isBad = !granules[Int(it.granule)] || isOne && it.levelHint == 0
    if isRange, isBad { return .refused(.badRange) }
    let range = SMMUCommand.invalidateStage1(
      vmid, asid, address: it.address, count: it.rangeCount, scale: it.rangeScale, granule: it.granule,
      leaf: it.isLeaf)
    return .sends([isOne ? one : range], .addressInvalidation)
  }
}

extension World {
  /// EL2 takes the next command of the host; nil where it cannot read the queue.
  func taking(smmu index: Int, _ command: SMMUCommand?) -> [Outcome] {
    let smmu = dma.smmus[index], host = smmu.host
    guard host.hasCommands, host.unread == nil, !host.isSyncing, dma.change == nil else { return [] }
    guard pages.holds[.smmuCommands(index)] != nil, let command else {
      return stopping(index, .abort, .commandQueueIsHeld)
    }
    switch smmu.verdict(command) {
    case .refused(let rule): return stopping(index, .illegal, rule)
    case .syncs:
      return ending(.smmu(index), .sent([]), .syncIsABarrier) {
        $0.dma.smmus[index].host.advance()
        $0.dma.smmus[index].host.isSyncing = true
      }
    case .rereads(let streams):
      let isEmpty = !host.isEnabled(.translates) || streams.lowerBound > smmu.listed.upperBound
      return ending(.smmu(index), .sent([]), .entriesAreReadAgain, .commandsWaitForEntries) {
        if isEmpty { return $0.dma.smmus[index].host.advance() }
        $0.dma.smmus[index].host.unread = streams.clamped(to: smmu.listed)
      }
    case .sends(let commands, let rule):
      guard smmu.hasRoom(commands.count) else { return [] }
      return ending(.smmu(index), .sent(commands), rule, .commandsAreMade, .readOnceIntoCopies) {
        $0.dma.smmus[index].host.advance()
        $0.dma.smmus[index].batch += commands
      }
    }
  }

  /// The queue stops at its next command, when what is before it is confirmed.
  private func stopping(_ index: Int, _ error: SMMUCommandError, _ rule: Rule) -> [Outcome] {
    let smmu = dma.smmus[index], place = smmu.host.executed.position
    guard smmu.batch.count == smmu.left, smmu.host.isConsumed else { return [] }
    return ending(.smmu(index), .refused(rule), .refusedStopsTheQueue) {
      $0.dma.smmus[index].host[.commandQueueConsumed] = UInt64(place) | UInt64(error.rawValue) << 24
      $0.dma.smmus[index].host.raise(.command)
    }
  }

  /// A trap ends: it has done no more than it may, and the hardware has confirmed all that it executed.
  ///
  /// `spent` is how many commands EL2 took, and how many entries and descriptors it read.
  func endingTrap(smmu index: Int, spent: (commands: Int, entries: Int)) -> [Outcome] {
    let smmu = dma.smmus[index], host = smmu.host
    let isOver = smmu.batch.count == smmu.left && host.isConsumed && !host.isSyncing
    guard spent.commands <= 64, spent.entries <= 64, host.isBroken || isOver else { return [] }
    return ending(.smmu(index), .done, .trapIsBounded, .trapEndsConfirmed)
  }
}

// MARK: Stream table entries

/// What EL2 found for a stream, or for all streams of a descriptor.
enum EntryRead: Equatable, Sendable {
  /// Words 0 and 1, and whether EL2 has memory for the hardware's entry.
  case entry(UInt64, UInt64, hasMemory: Bool = true)
  /// A descriptor's Span is 0.
  case noSpan
  /// A descriptor's Span is refused.
  case badSpan
  /// EL2 could not read the entry or its descriptor.
  case unreadable
}

extension SMMU {
  /// The rule that a stream gets, by which row, and whether that refuses the entry.
  func reading(_ stream: StreamID, _ read: EntryRead) -> (entry: Entry, rule: Rule, isRefused: Bool) {
    switch read {
    case .noSpan: return (.invalid, .noSpan, false)
    case .badSpan: return (.invalid, .badSpan, true)
    case .unreadable: return (.invalid, .unreadableEntry, true)
    case .entry(let word0, let word1, let hasMemory):
      let made = reading(StreamTableEntry(word0, word1))
      if made.entry == .invalid { return made }
      guard identity.hasDevice(stream) else { return (.invalid, .notPermittedEntry, made.entry != .aborts) }
      return hasMemory ? made : (.invalid, .noMemoryForEntry, true)
    }
  }

  private func reading(_ entry: StreamTableEntry) -> (entry: Entry, rule: Rule, isRefused: Bool) {
    guard entry.isValid else { return (.invalid, .invalidEntry, false) }
    switch entry.configuration {
    case nil, .abort: return (.aborts, .abortingEntry, false)
    case .bypass: return (.passes, .bypassEntry, false)
    case .stage2, .nested: return (.invalid, .stage2IsRefused, true)
    case .stage1: break
    }
    // A context has 64 bytes. A first level has 8 for each 64 contexts, or with format 2 for each 1,024.
    let most = identity.idr1.substreamIDBits, isOne = most == 0 || entry.contextLog2 == 0
    let log2 = isOne ? 0 : entry.contextLog2
    let format = isOne || entry.contextFormat == 3 ? 0 : entry.contextFormat
    let bytes: UInt64 = format == 0 ? 64 << log2 : 8 << (log2 - min(log2, format == 2 ? 10 : 6))
    let isKnown = format == 0 || identity.idr0.hasTwoLevelContextTables
    guard log2 <= most, isKnown else { return (.invalid, .contextTable, true) }
    let isWithin = entry.contextTable + bytes <= 1 << identity.inputBits
    guard isWithin else { return (.invalid, .contextAddress, true) }
    var taken = StreamTableEntry(0, entry.word1 & 0b11_11_11_00)  // S1CIR, S1COR, S1CSH
    (taken.contextTable, taken.contextLog2, taken.contextFormat) = (entry.contextTable, log2, format)
    taken.defaultSubstream = isOne || entry.defaultSubstream == 3 ? 0 : entry.defaultSubstream
    return (.stage1(taken.word0, taken.word1), .stage1Entry, false)
  }
}

extension World {
  /// EL2 reads what is next of the entries: of one stream, or of all of a descriptor that has no entry.
  ///
  /// A stream's own entry is replaced. Behind SMMUEN all follow their own at the last.
  func reading(smmu index: Int, _ streams: ClosedRange<UInt32>, _ read: EntryRead) -> [Outcome] {
    let host = dma.smmus[index].host, first = StreamID(streams.lowerBound)
    let isOfOne = if case .entry = read { streams.count == 1 } else { true }
    guard let unread = host.unread, unread.lowerBound == streams.lowerBound, dma.change == nil, isOfOne,
      streams.upperBound <= unread.upperBound
    else { return [] }
    let (entry, rule, isRefused) = dma.smmus[index].reading(first, read)
    let answer: Answer = isRefused ? .refused(rule) : .done, isLast = streams.upperBound == unread.upperBound
    let others = dma.smmus[index].streams.keys.filter { streams.contains($0.rawValue) }
    return ending(
      .smmu(index), answer, rule, .streamTableIsHeldWhileRead, .sameStage2InEachEntry,
      .oneRuleBeforeActivation, .nothingStallsAndATSIsOff, .stallsAreForbidden, .unchangedSendsNothing
    ) {
      $0.dma.smmus[index].host.unread = isLast ? nil : streams.upperBound + 1...unread.upperBound
      guard var rules = host.rules else {
        for stream in Set(others).union([first]) { $0.dma.smmus[index].replace(stream, by: entry) }
        if isLast { $0.dma.smmus[index].host.advance() }
        return
      }
      rules[first] = entry == .invalid ? nil : entry
      $0.dma.smmus[index].host.rules = isLast ? nil : rules
      if isLast { $0.dma.smmus[index].activate(nil, rules) }
    }
  }

  // MARK: Events

  /// EL2 moves an event to the host's queue, or loses it.
  ///
  /// Which event it is, and how many wait before, is no state; `isLost` is one that EL2 or the hardware had no room for.
  func delivering(smmu index: Int, storeAborts: Bool = false, isLost: Bool = false) -> [Outcome] {
    var host = dma.smmus[index].host
    let produced = host.pointer(.eventQueueProduced), consumed = host.pointer(.eventQueueConsumed)
    let log2 = host.log2(.eventQueueBase), isFull = produced.isFull(consumed: consumed, log2: log2)
    let isNew = produced.hasOverflowFlag == consumed.hasOverflowFlag
    switch (host.isEnabled(.eventQueue), pages.holds[.smmuEvents(index)] != nil && !storeAborts) {
    case (false, _): break
    case (true, _) where isLost: host[.eventQueueProduced] ^= isNew ? 1 << 31 : 0
    case (true, false): host.raise(.eventQueueAborted)
    case (true, true) where isFull: host[.eventQueueProduced] ^= isNew ? 1 << 31 : 0
    case (true, true):
      let flag = host[.eventQueueProduced] & 1 << 31
      host[.eventQueueProduced] = UInt64(produced.advanced(log2: log2).rawValue) | flag
    }
    return ending(.smmu(index), .done, .eventQueueIsHeld, .fullQueueLosesEvents) {
      $0.dma.smmus[index].host = host
    }
  }
}
