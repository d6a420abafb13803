// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Observing
@testable import Specification

// EL2 takes commands of the host, appends slots and publishes them.
extension ITSTrap {
  /// EL2 takes commands, publishes them, and looks how far the hardware is.
  mutating func runCommands() throws(Divergence) {
    while let next = rest.first {
      switch next {
      case .read(let offset, let value):
        // Nothing tells when EL2 goes on with the command that it keeps: before this, if it may.
        try goOn(isLast: true, mayWait: true)
        try watch(offset, value, believes: true)
      case .wrote(ITSRegister.commandWrite.offset, let value, let isDone):
        try publish(GITSQueuePointer(rawValue: value).offset)
        if !isDone {
          comparison.world[its].hardware.read = .max
          try observe()
        }
      case .wrote: throw Divergence(name("a register"), expected: "GITS_CWRITER", found: "\(next)")
      case .pinned(_, let isGranted):
        try explainUnmappings()
        try take(
          comparison.world.holdingQueue(its: its), "the queue is held", found: .observed(next)
        ) {
          ($0.answer == .done) == isGranted
        }
      case .loaded(_, nil):
        words = []
        try goOn()
        try take(
          comparison.world.taking(its: its, .aborted), "a load aborts", found: .observed(next))
      case .loaded(_, let value?):
        words.append(value)
        if words.count == 4 {
          let command = ITSCommand(words[0], words[1], words[2], words[3])
          words = []
          try goOn()
          try take(.command(command))
        }
      case .unpinned: throw Divergence(name("a pin"), expected: "held", found: "\(next)")
      }
      rest.removeFirst()
    }
    try goOn(isLast: true)
  }

  /// What comes before a command is read: the host's old tables are unmapped, a command that is kept goes on.
  private mutating func goOn(isLast: Bool = false, mayWait: Bool = false) throws(Divergence) {
    try explainUnmappings(mayWait: mayWait)
    guard !hasResumed, let kept = comparison.kept(its) else { return }
    let zeroed = unfinished?.zeroed ?? 0
    let isUnchanged =
      keeps == kept.command && zeroed == comparison.services[its].zeroed
      && (unfinished?.pages == kept.table)
    if isLast, isUnchanged { return }
    if mayWait, comparison.world.taking(its: its, .kept, choice(for: kept.command)).isEmpty {
      return
    }
    try take(.kept)
  }

  private mutating func take(_ read: Read) throws(Divergence) {
    let before = comparison.world[its].staging
    hasResumed = true
    let command: ITSCommand? =
      switch read {
      case .command(let words): words
      case .kept: state.staging.unfinished?.command
      case .aborted: nil
      }
    let choice = choice(for: command)
    spent.commands += 1
    spent.bytes += choice.zeroed
    // What EL2 uses again it has freed before.
    for (key, table) in state.tables
    where choice.table?.overlaps(table.pages) == true
      || choice.secondLevel?.overlaps(table.pages) == true
    {
      if case .sealed = table.state {
        try take(comparison.world.freeing(its: its, key), "a table is freed", found: .observed(nil))
      }
    }
    let outcomes = comparison.world.taking(its: its, read, choice)
    let (appended, explained) = (appended, explained)
    let answer = try take(
      outcomes, "a command",
      found: .command(command, appended[explained...])
    ) { outcome in
      guard case .committed(let commands) = outcome.answer else { return true }
      return appended[explained...].starts(with: commands)
    }
    if state.staging.count != before.count || choice.zeroed > 0 { hasProgress = true }
    if case .committed(let commands) = answer { self.explained += commands.count }
  }

  /// What EL2 was seen to choose for a command.
  private func choice(for command: ITSCommand?) -> CommandChoice {
    var choice = CommandChoice()
    guard let command, command.opcode == .mapd, command.isValid else { return choice }
    // One that maps what is mapped gets no memory, which a later one of the same words may get in this trap.
    if let known = state.devices[command.deviceID], known.name == command.translationTable,
      known.eventIDBits == command.eventIDBitsMinusOne + 1
    {
      return choice
    }
    let kept = state.staging.unfinished
    var next = appended[explained...]
    if let first = next.first, first == .unmapd(command.deviceID) { next.removeFirst() }
    if let mapping = next.first, mapping.opcode == .mapd, mapping.isValid,
      mapping.deviceID == command.deviceID,
      mapping.eventIDBitsMinusOne == command.eventIDBitsMinusOne
    {
      let first = PageFrameNumber(mapping.translationTable >> 12)
      choice.table = PageRange(
        first: first, count: state.pages(eventIDBits: command.eventIDBitsMinusOne + 1))
      choice.zeroed =
        kept?.table == nil ? choice.table.map { $0.count << 12 } ?? 0 : kept?.bytes ?? 0
    } else if let unfinished, keeps == command.rebuilt(as: .mapd) {
      choice.table = unfinished.pages
      let before = kept?.table.map { ($0.count << 12) - (kept?.bytes ?? 0) } ?? 0
      choice.zeroed = unfinished.zeroed - before
    }
    // Beyond its end EL2's table has no entry.
    guard UInt64(command.deviceID) < state.deviceLimit,
      let missing = state.missingSecondLevel(of: command.deviceID),
      let table = state.identity.tables.first(.devices)
    else { return choice }
    let entry = TableFirstLevelEntry(
      rawValue: memory.word(at: table.base + missing.index * 8))
    if entry.isValid {
      choice.secondLevel = PageRange(
        first: PageFrameNumber(entry.page >> 12), count: missing.bytes >> 12)
    }
    return choice
  }

  // MARK: EL2's own slots

  private mutating func explainUnmappings(mayWait: Bool = false) throws(Divergence) {
    while !state.doomed.isEmpty, explained < appended.count {
      let slot = appended[explained]
      guard let mapping = slot.unmapping, state.doomed.contains(mapping) else { return }
      let found = appended[explained...]
      let outcomes = comparison.world.unmappingDoomed(its: its, mapping)
      // Its slot is free behind what EL2 reads now.
      if mayWait, outcomes.isEmpty { return }
      let answer = try take(
        outcomes, "unmapping",
        found: .command(slot, appended[explained...])
      ) {
        if case .committed(let commands) = $0.answer { found.starts(with: commands) } else { false }
      }
      if case .committed(let commands) = answer { explained += commands.count }
      spent.commands += 1
      hasProgress = true
    }
  }

  private mutating func publish(_ offset: UInt64) throws(Divergence) {
    try goOn(isLast: true)
    var syncs: [Target] = []
    while explained + syncs.count < appended.count,
      state.commit.offset(of: state.commit.appended + UInt64(syncs.count)) != offset
    {
      let slot = appended[explained + syncs.count]
      guard slot == .sync(target: slot.target) else { break }
      syncs.append(slot.target)
    }
    // One more goes behind a batch that would end at offset zero.
    let last = state.commit.appended &+ UInt64(syncs.count) &- 1
    let isPadded = !syncs.isEmpty && state.commit.offset(of: last) == 0
    for part in isPadded ? [syncs.dropLast(), syncs.suffix(1)] : [syncs[...]] where !part.isEmpty {
      try take(
        comparison.world.synchronising(its: its, Array(part)), "SYNCs",
        found: .command(nil, appended[explained...]))
      explained += part.count
    }
    let (its, commit) = (its, state.commit)
    try take(
      comparison.world.publishing(its: its), "GITS_CWRITER is written",
      found: .offset(offset, appended[explained...])
    ) { commit.offset(of: $0.world[its].commit.published) == offset }
  }
}

extension ITSCommand {
  /// What a command unmaps.
  fileprivate var unmapping: Mapping? {
    guard !isValid else { return nil }
    return switch opcode {
    case .mapd: .device(deviceID)
    case .mapc: .collection(collectionID)
    case .vmapp: .vpe(vpeID)
    default: nil
    }
  }
}

extension BoardComparison {
  /// The command that an ITS keeps.
  fileprivate func kept(_ its: Int) -> Staging.Unfinished? { world[its].staging.unfinished }
}
