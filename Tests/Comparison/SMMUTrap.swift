// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU
@testable import Specification

/// One trap of an SMMU that the host sees, taken apart into steps of the specification.
///
/// A command is a step where the hardware must have been told of it, which may be after EL2 has read further ones.
struct SMMUTrap {
  var comparison: BoardComparison
  let index: Int
  let entrance: Entrance
  let effect: Effect
  /// What EL2 did that has not been explained yet.
  var rest: ArraySlice<SMMUObservation>
  /// Whether the queue that EL2 shows the host has stopped, at the end.
  let hasStopped: Bool
  /// Whether the hardware did not confirm something.
  let mayFail: Bool
  /// Where CMDQ_CONS is at the end, where EL2 has given the SMMU up.
  let broken: SMMUQueuePointer?
  /// The most commands, entries with descriptors, and events that EL2 may spend a trap on.
  let most: (commands: Int, entries: Int, events: Int)
  /// The streams whose entries the hardware may have been told of.
  private(set) var touched: Set<StreamID> = []
  /// Whether these are all.
  private(set) var areAllTouched = false
  /// The commands that EL2 has read, and that are no step yet; nil for one that it could not read.
  private var read: [SMMUCommand?] = []
  /// The words of the command that EL2 is reading.
  private var words: [UInt64] = []
  /// The pages that are held while they are read.
  private var open: [PageRange] = []
  /// How many commands EL2 took, how many entries and descriptors it read, and how many events it moved.
  private var spent = (commands: 0, entries: 0, events: 0)

  init(
    comparison: BoardComparison, _ index: Int, _ entrance: Entrance, _ effect: Effect,
    _ observations: ArraySlice<SMMUObservation>, hasStopped: Bool,
    mayFail: Bool, broken: SMMUQueuePointer?, most: (commands: Int, entries: Int, events: Int)
  ) {
    self.comparison = comparison
    self.index = index
    self.entrance = entrance
    self.effect = effect
    rest = observations
    self.hasStopped = hasStopped
    self.mayFail = mayFail
    self.broken = broken
    self.most = most
  }

  private var smmu: SMMU { comparison.world.dma.smmus[index] }
  private var host: HostSMMU { comparison.world.dma.smmus[index].host }

  private func differ(_ step: String, _ expected: String, _ found: String? = nil) -> Divergence {
    Divergence(
      "SMMU \(index), \(entrance.words(by: SMMURegister.words)): \(step)", expected: expected,
      found: found ?? rest.first?.description ?? "nothing")
  }

  private mutating func take(
    _ outcomes: [Outcome], _ step: StaticString, found: @autoclosure () -> String,
    where matches: (Outcome) -> Bool = { _ in true }
  ) throws(Divergence) {
    guard comparison.take(outcomes, where: matches) != nil else {
      throw differ("\(step)", outcomes.names, found())
    }
  }

  // MARK: The trap

  mutating func run() throws(Divergence) {
    let old = host
    let wasHeld = comparison.world.pages.holds
    try confirmEarlier()
    if case .store(let offset, let width, let value) = entrance {
      let effect = effect
      try take(
        comparison.world.store(smmu: index, at: offset, width, value), "the store",
        found: "\(effect)"
      ) { $0.answer.matches(effect) }
      try followQueues(old, wasHeld)
    }
    let hasWork = host.unread != nil || host.hasCommands
    while !rest.isEmpty { try follow() }
    try finish()
    if hasWork, goesOn(old), !host.isBroken, spent.commands + spent.entries == 0 {
      throw differ("the end", "some of the commands or entries", "none")
    }
    if case .load(let offset, let width) = entrance {
      let effect = effect
      try take(
        comparison.world.load(smmu: index, at: offset, width), "the load", found: "\(effect)"
      ) { $0.answer.matches(effect) }
    }
    let (spent, unconfirmed) = (spent, smmu.batch.count - smmu.left)
    try take(
      comparison.world.endingTrap(smmu: index, spent: (spent.commands, spent.entries)),
      "the trap ends",
      found: "\(spent.commands) commands, \(spent.entries) entries, \(unconfirmed) unconfirmed")
    guard spent.commands <= most.commands, spent.entries <= most.entries,
      spent.events <= min(most.events, 64)
    else {
      throw differ(
        "the trap ends",
        "\(most.commands) commands, \(most.entries) entries, \(most.events) events at most",
        "\(spent.commands) commands, \(spent.entries) entries, \(spent.events) events")
    }
  }

  /// Whether EL2 must go on with what the host has asked for.
  private func goesOn(_ old: HostSMMU) -> Bool {
    guard !old.isBroken, effect != .aborted else { return false }
    switch entrance {
    case .load(SMMURegister.commandQueueConsumed.offset, _),
      .load(SMMURegister.control0Acknowledged.offset, _),
      .store(SMMURegister.commandQueueProduced.offset, _, _),
      .store(SMMURegister.control0.offset, _, _):
      return true
    case .store(SMMURegister.globalErrorAcknowledged.offset, _, _):
      return old.errors.contains(.command) && !host.errors.contains(.command)
    default: return false
    }
  }

  /// The queues come first that a store to CR0 has switched.
  private mutating func followQueues(
    _ old: HostSMMU, _ wasHeld: [Use: PageRange]
  ) throws(Divergence) {
    for (part, use) in [
      (SMMUCR0.commandQueue, Use.smmuCommands(index)), (.eventQueue, .smmuEvents(index)),
    ] where host.isEnabled(part) != old.isEnabled(part) {
      if let page = wasHeld[use] {
        guard case .released(page)? = rest.first else {
          throw differ("a queue is off", "its page is let go of")
        }
        rest.removeFirst()
      }
      guard host.isEnabled(part) else { continue }
      let isHeld = comparison.world.pages.holds[use]
      guard case .held(let page, let isGranted)? = rest.first, isGranted == (isHeld != nil),
        isHeld == nil || isHeld == page
      else { throw differ("a queue is on", isHeld == nil ? "a refusal" : "its page is held") }
      rest.removeFirst()
    }
  }

  private mutating func follow() throws(Divergence) {
    switch rest.first {
    case .held, .loaded:
      // Entries are read behind the command that says so.
      if let command = read.last, let command, case .rereads = smmu.verdict(command) {
        try takeAll()
      }
      if host.unread != nil { try readStream() } else { try readCommand() }
    case .released(let page): try close(page)
    case .published: try publish()
    case .took(let event): try deliver(event)
    case .lost:
      rest.removeFirst()
      try take(
        comparison.world.delivering(smmu: index, isLost: true), "events are lost", found: "lost")
    default: throw differ("a step", "nothing of the kind")
    }
  }

  /// What is left of the commands, once all that the hardware must know is confirmed.
  private mutating func finish() throws(Divergence) {
    if !words.isEmpty { throw differ("the end", "a whole command", "one word") }
    if broken != nil, !host.isBroken {
      // What is before the commands that the hardware could not be told of is done.
      while let next = read.first, !isSent(next) { try takeNext(read.removeFirst()) }
      if host.isSyncing || isShown { try settle() }
      try fail(replaced: nil)
    }
    try takeAll()
    try settle()
    let isHeld = comparison.world.pages.holds[.smmuCommands(index)] != nil
    if hasStopped, !isHeld, host.hasCommands { try takeNext(nil) }
    if let page = open.first {
      throw differ("the end", "no page of the stream table", hex(page.first.address.rawValue))
    }
  }

  // MARK: Commands

  private mutating func readCommand() throws(Divergence) {
    var place = host.executed
    let log2 = host.log2(.commandQueueBase)
    for _ in read { place = place.advanced(log2: log2) }
    let base = SMMUQueueBase(rawValue: host[.commandQueueBase]).base
    let start = base & ~(SMMUCommand.size << log2 &- 1)
    let address =
      start + UInt64(place.index(log2: log2)) * SMMUCommand.size + UInt64(words.count) * 8
    guard case .loaded(address, let value)? = rest.first,
      comparison.world.pages.holds[.smmuCommands(index)] != nil
    else { throw differ("the queue", "a load from \(hex(address))") }
    rest.removeFirst()
    guard let value else {
      words = []
      return read.append(nil)
    }
    words.append(value)
    guard words.count == 2 else { return }
    read.append(SMMUCommand(words[0], words[1]))
    words = []
  }

  private mutating func takeAll() throws(Divergence) {
    while !read.isEmpty { try takeNext(read.removeFirst()) }
  }

  private mutating func takeNext(_ command: SMMUCommand?) throws(Divergence) {
    if host.isSyncing || !isSent(command) || isShown { try settle() }
    spent.commands += 1
    try take(
      comparison.world.taking(smmu: index, command), "a command",
      found: command.map { [$0].names } ?? "none that EL2 can read")
  }

  /// Whether the host of an SMMU that is given up reads that all up to here is done; it need not for commands without effect.
  private var isShown: Bool { broken?.position == host.executed.position }

  private func isSent(_ command: SMMUCommand?) -> Bool {
    if let command, case .sends = smmu.verdict(command) { true } else { false }
  }

  /// Where the hardware knows of nothing, all is confirmed.
  private mutating func settle() throws(Divergence) {
    guard smmu.batch.count == smmu.left, !host.isBroken, !host.isConsumed || host.isSyncing else {
      return
    }
    try take(
      comparison.world.confirming(smmu: index, asked: false), "all is confirmed", found: "")
  }

  /// The hardware is told of a batch.
  ///
  /// - Parameter stream: the one whose entry is being replaced, by more than one batch.
  private mutating func publish(replacing stream: StreamID? = nil) throws(Divergence) {
    guard case .published(let commands, let entries)? = rest.first else { return }
    guard commands.last == .synchronise else {
      throw differ("a batch", "a SYNC at its end")
    }
    let sent = commands.dropLast()
    let isConfirmed = if case .confirmed? = rest.dropFirst().first { true } else { false }
    let isBetween = stream.map { !isConfirmed || !isLast(of: $0) } ?? false
    try check(entries, isLast: isConfirmed && !isBetween)
    if isBetween, let stream {
      guard sent.allSatisfy({ $0.opcode == .invalidateEntry && $0.stream == stream }) else {
        throw differ("a batch", "CMD_CFGI_STE of stream \(stream.rawValue)")
      }
      rest.removeFirst()
      if isConfirmed { rest.removeFirst() } else { try endUnconfirmed() }
      return
    }
    while smmu.batch.count - smmu.left < sent.count, !read.isEmpty {
      try takeNext(read.removeFirst())
    }
    let asked = Array(smmu.batch.dropFirst(smmu.left))
    guard asked.elementsEqual(sent) else { throw differ("a batch", asked.names + ", and a SYNC") }
    rest.removeFirst()
    guard isConfirmed else { return try endUnconfirmed() }
    try confirm()
  }

  /// Whether no further batch is about the entry of a stream.
  private func isLast(of stream: StreamID) -> Bool {
    for next in rest.dropFirst() {
      if case .ruled(stream, _) = next { return true }
      if case .published = next { return false }
    }
    return true
  }

  private mutating func confirm() throws(Divergence) {
    rest.removeFirst()
    let (index, shown) = (index, host.pointer(.commandQueueConsumed).position)
    // The host of one that is given up behind that need not have seen it.
    let isLate = !host.isBroken && broken?.position == shown
    try take(comparison.world.confirming(smmu: index), "a SYNC is consumed", found: "") {
      !isLate || $0.world.dma.smmus[index].host.pointer(.commandQueueConsumed).position == shown
    }
  }

  /// What a change of owners had left in the queue is consumed by now.
  private mutating func confirmEarlier() throws(Divergence) {
    for place in rest.indices {
      if case .published = rest[place] { return }
      guard case .confirmed = rest[place] else { continue }
      rest.remove(at: place)
      return try take(
        comparison.world.confirming(smmu: index), "an earlier SYNC is consumed", found: "")
    }
  }

  /// The hardware has stopped at a command of a batch, or was not done with it in time.
  private mutating func endUnconfirmed() throws(Divergence) {
    guard case .stopped(let place)? = rest.first else {
      if case .gaveUp? = rest.first { rest.removeFirst() }
      return try fail(replaced: nil)
    }
    rest.removeFirst()
    try fail(replaced: place)
    while case .stopped(let place)? = rest.first {
      rest.removeFirst()
      guard let place else { continue }
      try take(comparison.world.losing(smmu: index, place), "a command is lost", found: "lost")
    }
    switch rest.first {
    case .confirmed?: try confirm()
    case .gaveUp?: rest.removeFirst()
    default: break
    }
  }

  private mutating func fail(replaced place: Int?) throws(Divergence) {
    guard mayFail else { throw differ("a batch", "its confirmation", "the SMMU is given up") }
    (read, words) = ([], [])
    try take(
      comparison.world.failing(smmu: index, replaced: place), "a batch is not confirmed",
      found: "")
  }

  // MARK: Entries

  /// What the hardware finds is what the specification says that it may go by; when it is told of an entry for the last time,
  /// the new one.
  private mutating func check(_ entries: [HeldEntry], isLast: Bool) throws(Divergence) {
    if entries.count > 64 { areAllTouched = true }
    // All abort by no table: nothing tells a host by which event, while its SMMU is off.
    let haveAborted = smmu.common == .aborts || smmu.older[nil]?.contains(.aborts) == true
    for held in entries {
      if !areAllTouched { touched.insert(held.stream) }
      let found = held.entry.effective
      if haveAborted, !found.isValid { continue }
      let permitted = isLast ? [smmu.rule(of: held.stream)] : smmu.mayUse(held.stream)
      guard permitted.contains(where: { smmu.word($0).effective == found }) else {
        throw differ(
          "stream \(held.stream.rawValue) in the hardware's table",
          permitted.map { smmu.word($0).words4 }.joined(separator: " or "), held.entry.words4)
      }
    }
  }

  private mutating func readStream() throws(Divergence) {
    guard let unread = host.unread else { return }
    let number = UInt64(unread.lowerBound)
    let shape = StreamTableShape(rawValue: host.word(.streamTableBaseConfiguration))
    let base = StreamTableBase(rawValue: host[.streamTableBase]).base
    var place = base & ~(StreamTableEntry.size << min(shape.log2, 40) &- 1)
    place &+= number * StreamTableEntry.size
    if shape.isTwoLevel == true {
      let split = UInt64(shape.split?.rawValue ?? 6)
      let count: UInt64 = shape.log2 > split ? 1 << min(shape.log2 - split, 40) : 1
      let first = base & ~(max(count * StreamTableDescriptor.size, 64) &- 1)
      let last = min(unread.lowerBound | UInt32(1 << split - 1), unread.upperBound)
      spent.entries += 1
      guard let word = try load(first &+ number >> split * StreamTableDescriptor.size) else {
        return try clear(last, .unreadable)
      }
      let descriptor = StreamTableDescriptor(rawValue: word)
      guard let log2 = descriptor.log2, log2 <= split else {
        return try clear(last, descriptor.span == 0 ? .noSpan : .badSpan)
      }
      let index = number & (1 << split - 1)
      guard index >> log2 == 0 else { return try clear(last, .noSpan) }
      place = descriptor.table & ~(StreamTableEntry.size << log2 &- 1)
      place &+= index * StreamTableEntry.size
    }
    spent.entries += 1
    let stream = StreamID(unread.lowerBound)
    guard let word0 = try load(place), let word1 = try load(place &+ 8) else {
      return try replace(unread.lowerBound, .unreadable, stream)
    }
    let hasMemory = !rest.contains { if case .ruled(stream, false) = $0 { true } else { false } }
    try replace(unread.lowerBound, .entry(word0, word1, hasMemory: hasMemory), stream)
  }

  /// The streams up to `last` have no entry; of those with a rule EL2 finds the first.
  private mutating func clear(_ last: UInt32, _ found: EntryRead) throws(Divergence) {
    guard host.rules == nil else { return try replace(last, found, nil) }
    let first = UInt64(host.unread?.lowerBound ?? 0)
    guard case .searched(first, UInt64(last) + 1, let next)? = rest.first else {
      throw differ("streams without an entry", "a search from \(first) to \(last)")
    }
    rest.removeFirst()
    let stream = next.map { StreamID(UInt32(truncatingIfNeeded: $0)) }
    try replace(stream?.rawValue ?? last, found, stream)
  }

  /// The streams up to `last` are read; `stream` is the one whose entry EL2 replaces.
  private mutating func replace(
    _ last: UInt32, _ found: EntryRead, _ stream: StreamID?
  ) throws(Divergence) {
    guard let first = host.unread?.lowerBound, first <= last else { return }
    try take(
      comparison.world.reading(smmu: index, first...last, found), "an entry",
      found: "\(first) to \(last)")
    if let stream {
      while case .published? = rest.first { try publish(replacing: stream) }
      guard case .ruled(stream, _)? = rest.first else {
        throw differ("an entry", "the rule of stream \(stream.rawValue)")
      }
      rest.removeFirst()
    }
    if host.unread == nil { try settle() }
  }

  /// A load from a page that is held for it; nil where it can't be held, or for an abort.
  private mutating func load(_ address: UInt64) throws(Divergence) -> UInt64? {
    while case .released(let page)? = rest.first { try close(page) }
    let number = PageFrameNumber(containing: PhysicalAddress(address))
    if case .held(let page, let isGranted)? = rest.first, page.contains(number) {
      guard isGranted == comparison.world.pages.mayBeRead(page) else {
        throw differ("a page of the stream table", isGranted ? "a refusal" : "it is held")
      }
      rest.removeFirst()
      guard isGranted else { return nil }
      open.append(page)
    }
    guard case .loaded(address, let value)? = rest.first,
      open.contains(where: { $0.contains(number) })
    else { throw differ("the stream table", "a load from \(hex(address)), which is held") }
    rest.removeFirst()
    return value
  }

  private mutating func close(_ page: PageRange) throws(Divergence) {
    guard let place = open.firstIndex(of: page) else {
      throw differ("a page is let go of", "one of the stream table")
    }
    open.remove(at: place)
    rest.removeFirst()
  }

  // MARK: Events

  private mutating func deliver(_ event: SMMUEvent) throws(Divergence) {
    let record = try smmu.record(of: event)
    rest.removeFirst()
    spent.events += 1
    guard let record, host.isEnabled(.eventQueue) else { return }
    let produced = host.pointer(.eventQueueProduced), log2 = host.log2(.eventQueueBase)
    let base = SMMUQueueBase(rawValue: host[.eventQueueBase]).base
    let start = base & ~(SMMUEvent.size << log2 &- 1)
    var place = start + UInt64(produced.index(log2: log2)) * SMMUEvent.size
    var left = [record.word0, record.word1, record.word2, record.word3][...]
    var isAborted = false
    while case .stored(let address, let word, let isDone)? = rest.first {
      guard address == place, word == left.first, !isAborted else {
        throw differ("an event", "\(left.first.map(hex) ?? "nothing") at \(hex(place))")
      }
      place += 8
      left.removeFirst()
      isAborted = !isDone
      rest.removeFirst()
    }
    try take(
      comparison.world.delivering(smmu: index, storeAborts: isAborted), "an event",
      found: "\(record.number)")
    let isMoved = host.pointer(.eventQueueProduced).position != produced.position
    guard isAborted || isMoved == left.isEmpty && (isMoved || left.count == 4) else {
      throw differ("an event", isMoved ? "a record" : "no record", "\(left.count) words left")
    }
  }
}

extension SMMU {
  /// What the host is told of an event of the hardware, as `VirtualSMMU.md` says; nil for nothing.
  fileprivate func record(of event: SMMUEvent) throws(Divergence) -> SMMUEvent? {
    let isOfStage1 = event.type.map { !$0.hasAccess || !event.isStage2 } ?? false
    guard identity.hasDevice(event.stream), isOfStage1, var type = event.type else {
      throw Divergence(
        "an event", expected: "one of the host's", found: hex(event.word0) + hex(event.word1))
    }
    switch type {
    case .badStream, .badEntry:
      let shape = StreamTableShape(rawValue: host.word(.streamTableBaseConfiguration))
      type = UInt64(event.stream.rawValue) >> shape.log2 == 0 ? .badEntry : .badStream
      let isRecorded = SMMUCR2(rawValue: host.word(.control2)).contains(.recordsUnknownStreams)
      guard host.isTranslating, type == .badEntry || isRecorded else { return nil }
    case .streamDisabled, .badSubstream, .contextFetch, .badContext, .walkAbort, .translation,
      .addressSize, .accessFlag, .permission:
      break
    default: throw Divergence("an event", expected: "one of the host's", found: "\(event.number)")
    }
    // SSV with SubstreamID; PnU, InD and RnW; CLASS.
    let access: UInt64 = type.hasAccess ? 0b111 << 33 | 0b11 << 40 : 0
    let substream = event.substream == nil ? 0 : event.word0 & 0xffff_f800
    return SMMUEvent(
      UInt64(type.rawValue) | substream | UInt64(event.stream.rawValue) << 32,
      event.word1 & access, type.hasInputAddress ? event.word2 : 0,
      type.hasFetchAddress ? event.word3 & 0xf_ffff_ffff_fff8 : 0)
  }
}

extension StreamTableEntry {
  /// What of it the hardware goes by (IHI 0070, 5.2).
  var effective: StreamTableEntry {
    guard isValid else { return StreamTableEntry() }
    guard let configuration, configuration != .abort else { return StreamTableEntry(1) }
    guard !configuration.hasStage1 else { return self }
    var result = self
    // V and Config; S1DSS, S1CIR, S1COR, S1CSH and S1STALLD say nothing without a stage 1.
    result.word0 &= 0xf
    result.word1 &= ~(0xff | 1 << 27)
    return result
  }

  /// Its first doublewords, in words.
  var words4: String { [word0, word1, word2, word3].map(hex).joined(separator: " ") }
}
