// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// `SMMUDriver.md`, and the order of a change in `IOMMU.md`. The state says what the hardware *may* still
// have, so that one value stands for every order in which commands take effect.

/// What devices add to a `World`.
struct DMA: Equatable, Sendable {
  /// The SMMUs that EL2 has taken over; none with `portcullis.smmu=off`.
  var smmus: [SMMU] = []
  /// Frames to which devices write MSIs.
  var doorbells: Set<PageFrameNumber> = []
  /// The bits of the host's addresses.
  var addressBits: UInt64 = 48
  /// The change of owners that is under way; the lock of ownership permits one.
  var change: OwnerChange?

  /// The first page that no device can address.
  var limit: UInt64 {
    let sizes = smmus.compactMap { $0.identity.idr5.outputSize?.bits }
    return 1 << (min(addressBits, sizes.min() ?? 48, 48) - PageFrameNumber.shift)
  }
}

/// What a bus master may do with a page.
enum Reach: Equatable, Sendable { case nothing, writes, everything }

/// The rule of a stream, which is what its entry of the hardware's stream table says.
enum Entry: Hashable, Sendable {
  case invalid, aborts, passes
  /// The fields of words 0 and 1 that are the host's: where its contexts are, and how they are read.
  case stage1(UInt64, UInt64)

  /// What the hardware may read while this becomes another entry, beside the new one.
  func until(_ new: Entry) -> Set<Entry> {
    guard case .stage1(_, let old) = self, case .stage1(_, let word1) = new else { return [self] }
    return old == word1 ? [self] : [self, .aborts]
  }
}

/// What of an SMMU does not change.
struct SMMUIdentity: Equatable, Sendable {
  /// IDR0 of the hardware.
  var idr0: SMMUIDR0
  /// IDR1 of the hardware.
  var idr1: SMMUIDR1
  /// IDR3 of the hardware.
  var idr3: SMMUIDR3
  /// IDR5 of the hardware.
  var idr5: SMMUIDR5
  /// Whether the host sees an SMMU in its place: `portcullis.smmu=nested`.
  var isNested = false
  /// The bits of a StreamID in EL2's table.
  var streamIDBits: UInt64
  /// The StreamIDs that have a device.
  var devices: [ClosedRange<UInt32>]
  /// The VMID of EL2's stage 2.
  var vmid: VMID
  /// The table of EL2's stage 2.
  var table: UInt64
  /// How that table is walked.
  var control: UInt64

  var lastStream: UInt32 { UInt32(1 << streamIDBits - 1) }
  func hasDevice(_ stream: StreamID) -> Bool { devices.contains { $0.contains(stream.rawValue) } }
  /// The commands that a batch may have: one place is for the SYNC, and one to spare.
  var batchLimit: Int { min(64, 1 << min(idr1.commandQueueLog2, 8) - 2) }
  /// The bits of an address that stage 2 translates all of.
  var inputBits: UInt64 { min(64 - control & 0x3f, idr5.outputSize?.bits ?? 0, 48) }
}

/// One SMMU.
struct SMMU: Equatable, Sendable {
  /// What does not change.
  var identity: SMMUIdentity
  /// The hardware's CR0 and registers that name memory.
  var hardware: [SMMURegister: UInt64]
  /// The rule that all streams with a device follow; nil where each follows its own.
  var common: Entry? = .passes
  /// The streams' own rules, but for those that are invalid.
  var streams: [StreamID: Entry] = [:]
  /// What the hardware may still have of older entries: of a stream's own, and by nil of all.
  var older: [StreamID?: Set<Entry>] = [:]
  /// What may be cached of pages that have left the devices' table.
  var residue: [PageFrameNumber: Residue] = [:]
  /// The commands of EL2's queue that no SYNC has confirmed.
  var batch: [SMMUCommand] = []
  /// How many of them, the first ones, a change of owners has left there that was refused.
  var left = 0
  /// What the host sees, where it sees one.
  var host = HostSMMU()

  /// What may be cached of a page.
  struct Residue: Equatable, Sendable {
    /// Whether it is entries of stage 2 and what is combined from them, or the latter alone.
    var isStage2 = true
    /// The place in the batch from which on commands count.
    var since = 0
  }

  /// The rule that a stream has, whatever the hardware still goes by.
  func rule(of stream: StreamID) -> Entry {
    identity.hasDevice(stream) ? common ?? streams[stream] ?? .invalid : .invalid
  }

  /// What the hardware may go by for a stream.
  func mayUse(_ stream: StreamID) -> Set<Entry> {
    guard identity.hasDevice(stream) else { return [.invalid] }
    return (older[nil] ?? []).union(older[stream] ?? []).union([rule(of: stream)])
  }

  /// Replaces a stream's own rule; of one that stays the same the contexts may have changed.
  mutating func replace(_ stream: StreamID, by new: Entry) {
    let old = streams[stream] ?? .invalid
    if old == new {
      if case .stage1 = new { batch.append(.invalidateEntry(stream, leaf: true)) }
      return
    }
    older[stream, default: []].formUnion(old.until(new))
    streams[stream] = new == .invalid ? nil : new
    batch.append(.invalidateEntry(stream, leaf: true))
  }

  /// One switch: all streams follow one rule, or each its own.
  mutating func activate(_ rule: Entry?, _ own: [StreamID: Entry] = [:]) {
    if let common { older[nil, default: []].insert(common) }
    for (stream, old) in streams { older[stream, default: []].insert(old) }
    (common, streams) = (rule, own)
    batch.append(.invalidateConfiguration)
  }

  /// The hardware has consumed the SYNC behind the batch.
  ///
  /// Before that, commands take effect in any order, and what is combined of both stages is combined again
  /// from an entry of stage 2 that is still there.
  mutating func consumeSync() {
    for (page, old) in residue {
      let isGone = batch.dropFirst(old.since).contains { command in
        old.isStage2 ? command.forgets(page) : command.opcode == .invalidateStage1
      }
      let isForgotten = isGone && !(old.isStage2 && identity.isNested)
      residue[page] = isForgotten ? nil : Residue(isStage2: old.isStage2 && !isGone)
    }
    if batch.contains(.invalidateConfiguration) { older = [:] }
    for command in batch where command.opcode == .invalidateEntry { older[command.stream] = nil }
    (batch, left) = ([], 0)
    host.confirm(isTranslating: common == nil)
  }

  /// Whether as many further commands fit before a SYNC.
  func hasRoom(_ count: Int) -> Bool { batch.count - left + count <= identity.batchLimit }

  /// The entry of the hardware for a rule: all that is not the host's is EL2's, and the same in each.
  func word(_ entry: Entry) -> StreamTableEntry {
    var word = StreamTableEntry.stage2(table: identity.table, vmid: identity.vmid, control: identity.control)
    guard case .stage1(let word0, let word1) = entry else {
      return entry == .passes ? word : StreamTableEntry(entry == .aborts ? 1 : 0)
    }
    word.configure(.nested)
    word.forbidsStalls = identity.idr0.stallModel == .stallOrTerminate
    (word.word0, word.word1) = (word.word0 | word0, word.word1 | word1)
    return word
  }
}

extension SMMUCommand {
  /// Whether it forgets what stage 2 alone has for a page.
  func forgets(_ page: PageFrameNumber) -> Bool {
    let first = address >> PageFrameNumber.shift, count = granule == 1 ? (rangeCount + 1) << rangeScale : 1
    let isThere = first <= page.rawValue && page.rawValue - first < count
    return opcode == .invalidateBothStages || opcode == .invalidateStage2Address && isLeaf && isThere
  }
}

extension World {
  /// The devices' table: a function of the owners, but for the change that is under way.
  func devicesTable(_ page: PageFrameNumber) -> Reach {
    guard page.rawValue < dma.limit else { return .nothing }
    if dma.doorbells.contains(page) { return .writes }
    let isChanging = dma.change?.range.contains(page) == true
    let isOut = isChanging ? dma.change?.isOut == true : pages.leaving.contains(page)
    return pages.owner(of: page) == .host && !isOut ? .everything : .nothing
  }

  /// What a device may do with a page by its stream, and by what is not confirmed to be forgotten.
  func reach(_ stream: StreamID, of index: Int, _ page: PageFrameNumber) -> Reach {
    let isIdle = dma.smmus[index].mayUse(stream).isSubset(of: [.invalid, .aborts])
    return isIdle ? .nothing : dma.smmus[index].residue[page] == nil ? devicesTable(page) : .everything
  }

  /// EL2 appends invalidations of its own: any, in any number of batches.
  func invalidating(smmu index: Int, _ commands: [SMMUCommand]) -> [Outcome] {
    let smmu = dma.smmus[index], hasRanges = smmu.identity.idr3.hasRangeInvalidation
    let areEL2s = commands.allSatisfy { command in
      command.vmid == smmu.identity.vmid && (hasRanges || command.granule == 0)
        && [.invalidateStage2Address, .invalidateBothStages, .invalidateStage1].contains(command.opcode)
    }
    guard areEL2s, smmu.hasRoom(commands.count) else { return [] }
    return ending(.smmu(index), .sent(commands), .batchFitsTheQueue, .combinedAfterStage2) {
      $0.dma.smmus[index].batch += commands
    }
  }

  /// The hardware has consumed the SYNC behind the batch; or the host has `asked` it for nothing.
  ///
  /// The host may see that later, with what EL2 executes behind it, but for a CMD_SYNC.
  func confirming(smmu index: Int, asked: Bool = true) -> [Outcome] {
    let host = dma.smmus[index].host
    guard asked || dma.smmus[index].batch.count == dma.smmus[index].left else { return [] }
    let shown = ending(.smmu(index), .done, .syncIsConsumed, .registersShowTheConfirmed) {
      if asked { return $0.dma.smmus[index].consumeSync() }
      $0.dma.smmus[index].host.confirm(isTranslating: dma.smmus[index].common == nil)
    }
    guard asked, !host.isSyncing, !host.isConsumed else { return shown }
    let later = ending(.smmu(index), .done, .syncIsConsumed, .registersShowTheConfirmed) {
      $0.dma.smmus[index].consumeSync()
      $0.dma.smmus[index].host[.commandQueueConsumed] = host[.commandQueueConsumed]
    }
    return shown + later
  }

  /// The hardware has stopped at a command, which is lost, and goes on.
  func losing(smmu index: Int, _ place: Int) -> [Outcome] {
    guard dma.smmus[index].batch.indices.contains(place) else { return [] }
    return ending(.smmu(index), .done, .replacedIsLost) { $0.dma.smmus[index].batch.remove(at: place) }
  }

  /// An SMMU did not confirm in time; `replaced` is the place in the batch of a command that is lost.
  ///
  /// The others stay in its queue. What the host asked for breaks its SMMU. What a change of owners asked for
  /// refuses the change: its pages are in the devices' table again, so nothing of them is left to forget.
  func failing(smmu index: Int, replaced: Int? = nil) -> [Outcome] {
    var result = self
    if dma.change.map({ $0.isHalfway && !$0.isLoss }) == true { return [] }
    if let replaced { result.dma.smmus[index].batch.remove(at: replaced) }
    for other in dma.smmus.indices { result.dma.smmus[other].left = result.dma.smmus[other].batch.count }
    guard let change = dma.change else {
      result.dma.smmus[index].host.fail()
      return result.ending(.smmu(index), .done, .unconfirmedIsServiceFailure, .replacedIsLost)
    }
    return result.ending(.pages, .refused(.failedRevokeRestores), .stoppedHasNotConfirmed, .ownFailureStays) {
      $0.dma.change = nil
      if change.kind == .leave { $0.pages.leaving.subtract(change.range.pages) }
      for other in dma.smmus.indices { $0.dma.smmus[other].residue = [:] }
    }
  }
}

// MARK: Owners

//    prepare ──▶ revoke ──▶ each SMMU has confirmed ──▶ change                 the host loses pages
//       │          └── one has not ──▶ restored, and refused
//       └─────────────────────────────────────────────▶ change ──▶ commit    the host gains pages

/// A change of the owner of pages.
struct OwnerChange: Equatable, Sendable {
  /// EL2 claims pages and gives them back; an embedder's leave the host and come back.
  enum Kind: Equatable, Sendable { case claim, leave, giveBack, take }

  /// Who gets the pages.
  var kind: Kind
  /// The pages.
  var range: PageRange
  /// The ITS for whose handover it is.
  var handover: Int? = nil
  /// Whether it is revoked, or for what the host gains changed.
  var isHalfway = false

  var isLoss: Bool { kind == .claim || kind == .leave }
  /// Whether the devices' table lacks the pages.
  var isOut: Bool { !isLoss || isHalfway }
}

extension World {
  /// What the ledger makes of a change.
  private func ledger(_ change: OwnerChange) -> [Outcome] {
    let range = change.range, owners = range.pages.map { pages.owner(of: $0) }
    switch change.kind {
    case .claim: return claiming(range)
    case .leave: return leaving(range)
    case .take:
      let isNew = !dma.smmus.isEmpty && pages.leaving.isDisjoint(with: range.pages)
      let isKnown = isNew && owners.allSatisfy { $0 == .other || $0 == .lent }
      let isAway = pages.leaving.isSuperset(of: range.pages)
      return isKnown || isAway ? taking(back: range) : ending(.pages, .refused(.tookRefusesTheRest))
    case .giveBack:
      guard pages.are(range, .el2), !handover.kept.contains(where: { $0.overlaps(range) }) else { return [] }
      return ending(.pages, .done, .gainMaps) { $0.pages = pages.moving(range, to: .host) }
    }
  }

  /// *Prepare*: the ledger permits it, and the driver has the tables that it needs, or refuses.
  ///
  /// Pages of an embedder are away from here on.
  func preparing(_ change: OwnerChange, hasTables: Bool = true) -> [Outcome] {
    guard dma.change == nil, !change.isHalfway else { return [] }
    return ledger(change).flatMap { result -> [Outcome] in
      guard result.answer == .done else { return [result] }
      guard hasTables else { return ending(.pages, .refused(.prepareMayRefuse)) }
      let noted = change.kind == .leave ? result.world : self
      return noted.ending(.pages, .done, .prepareMayRefuse, .notedAsAwayFirst) { $0.dma.change = change }
    }
  }

  /// The next step of the change: *revoke*, *change* or *commit*.
  func proceeding() -> [Outcome] {
    guard let change = dma.change else { return [] }
    switch (change.isLoss, change.isHalfway) {
    case (true, false):
      let removed = change.range.pages.filter { devicesTable($0) == .everything }
      return ending(.pages, .done, .revokeIsConfirmed) { world in
        world.dma.change?.isHalfway = true
        for index in dma.smmus.indices {
          let residue = SMMU.Residue(since: dma.smmus[index].batch.count)
          for page in removed { world.dma.smmus[index].residue[page] = residue }
        }
      }
    case (true, true):
      guard dma.smmus.allSatisfy({ $0.residue.isEmpty }) else { return [] }
      let results = change.kind == .leave ? ending(.pages, .done, .awayIsOutOfReach) : ledger(change)
      return results.filter { $0.answer == .done }.adding(.changeCannotFail) {
        $0.dma.change = nil
        if let its = change.handover { $0.handover.pages[its, default: []].append(change.range) }
      }
    case (false, false):
      return ledger(change).filter { $0.answer == .done }.adding(.changeCannotFail) {
        $0.dma.change?.isHalfway = true
        if let its = change.handover { $0.handover.pages[its]?.removeAll { $0 == change.range } }
      }
    case (false, true): return ending(.pages, .done, .commitIsLast) { $0.dma.change = nil }
    }
  }
}
