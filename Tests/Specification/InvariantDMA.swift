// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

// The invariant of `Security.md` for devices: none reaches what is not the host's, by anything that the
// hardware may still have. From a state to the next nothing held or unconfirmed changes owner, and no refusal
// is silent.

extension World {
  /// Every clause of an SMMU that does not hold.
  ///
  /// Pages are those that changed their owner, that leave, that a change covers, doorbells, and one of each
  /// owner; streams, those with state, and the first with a device and the one behind it of each range.
  func violations(smmu index: Int) -> [Violation] {
    let smmu = dma.smmus[index], changing = dma.change?.range.pages ?? []
    let streams = smmu.identity.devices.flatMap { [StreamID($0.lowerBound), StreamID($0.upperBound &+ 1)] }
    let found = Set(smmu.streams.keys).union(smmu.older.keys.compactMap { $0 }).union(streams)
    let visited = pages.leaving.union(smmu.residue.keys).union(dma.doorbells).union(changing)
      .union(pages.moved.keys).union(pages.initial.keys.map { $0.first })
    var result: [Violation] = []
    result.check(hardwareClauses(index) + hostClauses(index), "SMMU \(index)")
    for stream in found {
      result.check(updateClauses(stream, smmu), "stream \(stream.rawValue) of SMMU \(index)")
      for page in visited where reach(stream, of: index, page) != .nothing {
        let clauses = reachClauses(page, reach(stream, of: index, page))
        result.check(clauses, "stream \(stream.rawValue) at page \(page.rawValue)")
      }
    }
    return result
  }

  /// A device reaches what the host reaches, and writes to doorbells.
  private func reachClauses(_ page: PageFrameNumber, _ reach: Reach) -> [Clause] {
    let isDoorbell = dma.doorbells.contains(page), isLeaving = pages.leaving.contains(page)
    let mayLeave = dma.change?.kind == .leave && dma.change?.range.contains(page) == true
    let isHosts = pages.owner(of: page) == .host && (!isLeaving || mayLeave)
    return [
      (.doorbellsAreWriteOnly, !isDoorbell || reach == .writes),
      (.devicesReachWhatTheHostReaches, isDoorbell || isHosts),
      (.smallestOAS, page.rawValue < dma.limit),
    ]
  }

  /// No update is lost: what is old has an invalidation on its way, or the host's SMMU is broken.
  private func updateClauses(_ stream: StreamID, _ smmu: SMMU) -> [Clause] {
    let one = smmu.batch.contains { $0.opcode == .invalidateEntry && $0.stream == stream }
    let all = smmu.batch.contains(.invalidateConfiguration) || smmu.host.isBroken
    let isUnknown = smmu.streams[stream] == nil && smmu.older[stream] == nil
    return [
      (.unknownStreamsAreInvalid, smmu.identity.hasDevice(stream) || isUnknown),
      (.hardwareMayReadMeanwhile, all || smmu.older[nil] == nil && (one || smmu.older[stream] == nil)),
    ]
  }

  /// The hardware reads EL2's memory alone and writes nowhere else; it is sent EL2's VMID alone.
  private func hardwareClauses(_ index: Int) -> [Clause] {
    let smmu = dma.smmus[index], revoked = dma.change.flatMap { $0.isLoss && $0.isHalfway ? $0.range : nil }
    func range(_ base: SMMURegister, _ bytes: (UInt64) -> UInt64) -> PageRange? {
      let value = smmu.hardware[base] ?? 0
      return PageRange(PhysicalAddress(value & 0xf_ffff_ffff_ffe0), bytes: bytes(value & 0x1f))
    }
    let ranges = [
      range(.streamTableBase) { _ in 64 }, range(.commandQueueBase) { 16 << $0 },
      range(.eventQueueBase) { 32 << $0 }, PageRange(PhysicalAddress(smmu.identity.table), bytes: 1),
    ]
    let messages = [SMMURegister.globalErrorInterrupt0, .eventQueueInterrupt0, .requestQueueInterrupt0]
    let tagged = smmu.batch.filter { (0x10...0x2a).contains($0.number) }
    return [
      (.translatesFromTheStart, (smmu.hardware[.control0] ?? 0) & 1 != 0),
      (.hardwareReadsEL2sMemory, ranges.allSatisfy { $0.map { pages.are($0, .el2) } == true }),
      (.smmuWritesNowhere, messages.allSatisfy { (smmu.hardware[$0] ?? 0) == 0 }),
      (.commandsAreMade, tagged.allSatisfy { $0.vmid == smmu.identity.vmid }),
      (.revokeIsConfirmed, smmu.residue.keys.allSatisfy { revoked?.contains($0) == true }),
    ]
  }

  /// What the host reads is confirmed, and a queue is held only while it is enabled.
  private func hostClauses(_ index: Int) -> [Clause] {
    let smmu = dma.smmus[index], host = smmu.host
    let uses = [(Use.smmuCommands(index), SMMUCR0.commandQueue), (.smmuEvents(index), .eventQueue)]
    return [
      (.registersShowTheConfirmed, !host.isTranslating || smmu.common == nil && smmu.older[nil] == nil),
      (.queueHasOnePage, uses.allSatisfy { pages.holds[$0.0].map { $0.count == 1 } ?? true }),
      (.eventQueueIsHeld, uses.allSatisfy { pages.holds[$0.0] == nil || host.isEnabled($0.1) }),
    ]
  }
}

extension Outcome {
  /// Every clause that the step to this outcome breaks.
  func violations(from old: World) -> [Violation] {
    var found: [Violation] = []
    let smmus = zip(old.dma.smmus, world.dma.smmus), changing = world.dma.change?.range.pages ?? []
    for page in Set(world.pages.moved.keys).union(world.pages.leaving).union(changing) {
      let changes = old.pages.owner(of: page) != world.pages.owner(of: page)
      let isLost = old.devicesTable(page) == .everything && world.devicesTable(page) == .nothing
      let wasConfirmed = smmus.allSatisfy { $0.0.residue[page] == nil }
      let isOnItsWay = smmus.allSatisfy { $0.1.residue[page] != nil }
      let isInOrder = (!changes || wasConfirmed) && (!isLost || isOnItsWay)
      let mayChange = !changes || old.pages.pins(of: page) == 0
      let clauses: [Clause] = [(.installedMemoryKeepsItsOwner, mayChange), (.revokeIsConfirmed, isInOrder)]
      found.check(clauses, "page \(page.rawValue)")
    }
    guard case .refused(let rule) = answer else { return found }
    let isStopped = world.dma.smmus.contains { $0.host.errors.contains(.command) }
    let isVisible = isStopped || !rules.contains(.refusedStopsTheQueue)
    let isCounted = old.counts != world.counts
    let clauses: [Clause] = [(.refusedEntryIsInvalid, isCounted), (.refusedStopsTheQueue, isVisible)]
    found.check(clauses, "a refusal by \(rule.rawValue)")
    return found
  }
}
