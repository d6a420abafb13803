// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

// The text of a record, one line of words: Tests/TableLog/TableLog.md has the grammar.

extension TableRecord {
  /// The line.
  package var text: String { "\(sequence) \(cpu) \(event.words.joined(separator: " "))" }

  /// Reads a line; nil where it is none.
  package init?(_ text: some StringProtocol) {
    var words = WordReader(text)
    guard let sequence = words.number(), let cpu = words.number(),
      let event = TableEvent(&words), words.isAtEnd
    else { return nil }
    self.init(sequence, cpu: cpu, event)
  }
}

/// Takes one word of a line after the other.
struct WordReader {
  private var rest: ArraySlice<Substring>

  init(_ text: some StringProtocol) { rest = String(text).split(separator: " ")[...] }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func word() -> Substring? { rest.popFirst() }

  /// A number, decimal or behind `0x`.
  mutating func number() -> UInt64? {
    guard let word = rest.popFirst() else { return nil }
    return word.hasPrefix("0x") ? UInt64(word.dropFirst(2), radix: 16) : UInt64(word)
  }

  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    number().flatMap(Number.init(exactly:))
  }

  mutating func flag() -> Bool? {
    switch number() {
    case 0: false
    case 1: true
    default: nil
    }
  }

  mutating func table() -> LoggedTable? {
    word().flatMap { LoggedTable(rawValue: String($0)) }
  }

  mutating func rank() -> LockRank? {
    guard let name = word() else { return nil }
    return (0...UInt8.max).lazy.compactMap(LockRank.init(rawValue:)).first { "\($0)" == name }
  }
}

extension TableEvent {
  var words: [String] {
    switch self {
    case .root(let root):
      [
        "root", root.kind.rawValue, hex(root.base), hex(root.size), "\(root.level)",
        hex(root.unit), "\(root.vmid)",
      ]
    case .store(let store): store.words
    case .barrier: ["barrier"]
    case .clean(let address, let size): ["clean", hex(address), hex(size)]
    case .invalidateStage2(nil): ["tlbi-s2-all"]
    case .invalidateStage2(let pages?):
      ["tlbi-s2", hex(pages.first.address.rawValue), "\(pages.count)"]
    case .invalidateHypervisor(let address, let count): ["tlbi-el2", hex(address), "\(count)"]
    case .smmu(let unit, let action): ["smmu", hex(unit)] + action.words
    case .its(let unit, let action): ["its", hex(unit)] + action.words
    case .take(let rank): ["take", "\(rank)"]
    case .release(let rank): ["release", "\(rank)"]
    case .enter: ["enter"]
    case .leave: ["leave"]
    case .run: ["run"]
    case .uncached: ["uncached"]
    }
  }

  init?(_ words: inout WordReader) {
    switch words.word() {
    case "root":
      guard let kind = words.table(), let base = words.number(), let size = words.number(),
        let level = words.number(), let unit = words.number(), let vmid = words.number(UInt16.self)
      else { return nil }
      self = .root(TableRoot(kind, base: base, size: size, level: level, unit: unit, vmid: vmid))
    case "store":
      guard let store = LoggedStore(&words) else { return nil }
      self = .store(store)
    case "clean":
      guard let address = words.number(), let size = words.number() else { return nil }
      self = .clean(address: address, size: size)
    case "tlbi-s2":
      guard let address = words.number(), let count = words.number(),
        let pages = PageRange(first: PageFrameNumber(address >> 12), count: count)
      else { return nil }
      self = .invalidateStage2(pages)
    case "tlbi-el2":
      guard let address = words.number(), let count = words.number() else { return nil }
      self = .invalidateHypervisor(address: address, count: count)
    case "smmu":
      guard let unit = words.number(), let action = SMMUAction(&words) else { return nil }
      self = .smmu(unit, action)
    case "its":
      guard let unit = words.number(), let action = ITSAction(&words) else { return nil }
      self = .its(unit, action)
    case "take":
      guard let rank = words.rank() else { return nil }
      self = .take(rank)
    case "release":
      guard let rank = words.rank() else { return nil }
      self = .release(rank)
    case "barrier": self = .barrier
    case "tlbi-s2-all": self = .invalidateStage2(nil)
    case "enter": self = .enter
    case "leave": self = .leave
    case "run": self = .run
    case "uncached": self = .uncached
    default: return nil
    }
  }
}

extension LoggedStore {
  fileprivate var words: [String] {
    let change = [hex(address), hex(old), hex(new)]
    guard let entry else { return ["store", "memory"] + change }
    return [
      "store", entry.kind.rawValue, "\(entry.level)", hex(entry.input), hex(entry.unit),
      entry.isUsed ? "1" : "0",
    ] + change
  }

  fileprivate init?(_ words: inout WordReader) {
    guard let name = words.word() else { return nil }
    var entry: LoggedEntry?
    if name != "memory" {
      guard let kind = LoggedTable(rawValue: String(name)), let level = words.number(),
        !kind.isTranslation || level < 4, let input = words.number(), let unit = words.number(),
        let isUsed = words.flag()
      else { return nil }
      entry = LoggedEntry(kind, level: level, input: input, unit: unit, isUsed: isUsed)
    }
    guard let address = words.number(), let old = words.number(), let new = words.number() else {
      return nil
    }
    self.init(entry, at: address, old, new)
  }
}

extension SMMUAction {
  fileprivate var words: [String] {
    switch self {
    case .enable(let level): ["enable", "\(level)"]
    case .disable: ["disable"]
    case .combine: ["combine"]
    case .tell: ["tell"]
    case .sync: ["sync"]
    case .invalidateStage2(let vmid, let first, let last):
      ["tlbi-s2", "\(vmid)", hex(first), hex(last)]
    case .invalidateBothStages(let vmid): ["tlbi-s12", "\(vmid)"]
    case .invalidateCombined(let vmid): ["tlbi-s1", "\(vmid)"]
    case .invalidateAll: ["tlbi-all"]
    case .configure(let first, let last, let isLeaf):
      ["cfgi", hex(first), hex(last), isLeaf ? "1" : "0"]
    case .other(let number): ["other", hex(UInt64(number))]
    }
  }

  fileprivate init?(_ words: inout WordReader) {
    switch words.word() {
    case "enable":
      guard let level = words.number() else { return nil }
      self = .enable(breakBeforeMake: level)
    case "tlbi-s2":
      guard let vmid = words.number(UInt16.self), let first = words.number(),
        let last = words.number(), first <= last
      else { return nil }
      self = .invalidateStage2(vmid: vmid, first: first, last: last)
    case "tlbi-s12":
      guard let vmid = words.number(UInt16.self) else { return nil }
      self = .invalidateBothStages(vmid: vmid)
    case "tlbi-s1":
      guard let vmid = words.number(UInt16.self) else { return nil }
      self = .invalidateCombined(vmid: vmid)
    case "cfgi":
      guard let first = words.number(), let last = words.number(), first <= last,
        let isLeaf = words.flag()
      else { return nil }
      self = .configure(first: first, last: last, isLeaf: isLeaf)
    case "other":
      guard let number = words.number(UInt8.self) else { return nil }
      self = .other(number)
    case "disable": self = .disable
    case "combine": self = .combine
    case "tell": self = .tell
    case "sync": self = .sync
    case "tlbi-all": self = .invalidateAll
    default: return nil
    }
  }
}

extension ITSAction {
  fileprivate var words: [String] {
    switch self {
    case .enable: ["enable"]
    case .quiescent: ["quiescent"]
    case .tell: ["tell"]
    case .map(let device, let base, let size): ["mapd", "\(device)", hex(base), hex(size)]
    case .unmap(let device): ["unmapd", "\(device)"]
    case .collection(let target): ["mapc", hex(target)]
    case .sync(let target): ["sync", hex(target)]
    }
  }

  fileprivate init?(_ words: inout WordReader) {
    switch words.word() {
    case "mapd":
      guard let device = words.number(UInt32.self), let base = words.number(),
        let size = words.number()
      else { return nil }
      self = .map(device: device, base: base, size: size)
    case "unmapd":
      guard let device = words.number(UInt32.self) else { return nil }
      self = .unmap(device: device)
    case "mapc":
      guard let target = words.number() else { return nil }
      self = .collection(target: target)
    case "sync":
      guard let target = words.number() else { return nil }
      self = .sync(target: target)
    case "enable": self = .enable
    case "quiescent": self = .quiescent
    case "tell": self = .tell
    default: return nil
    }
  }
}
