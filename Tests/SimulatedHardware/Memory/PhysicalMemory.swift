// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// Sparse physical memory behind the data cache of the CPUs.
///
/// A CPU store makes its 64-byte line dirty in the cache, and memory keeps the old value until the
/// line is cleaned. CPUs and coherent devices see the newest value; a non-coherent device sees memory
/// and writes it, below a dirty line that may later overwrite what it wrote. A CPU's load may keep a line
/// as well, and goes on seeing it whatever is written below. A CPU that writes by a mapping that is not
/// cacheable is a non-coherent device to all others.
package final class PhysicalMemory {
  /// Who loads or stores.
  package enum Observer: Hashable, Sendable {
    /// A CPU.
    case processor
    /// A device that snoops the caches.
    case coherentDevice
    /// A device that doesn't.
    case nonCoherentDevice
  }

  /// One page of 4 KiB.
  struct Page: Hashable, Sendable {
    var memory = [UInt64](repeating: 0, count: 512)
    /// As `memory`, and empty while no line is kept.
    var cache: [UInt64] = []
    /// The lines that a CPU has stored to, one bit for each of the 64.
    var dirty: UInt64 = 0
    /// The lines that a CPU has loaded and keeps.
    var clean: UInt64 = 0

    func word(_ index: Int, _ observer: Observer) -> UInt64 {
      observer != .nonCoherentDevice && (dirty | clean) >> UInt64(index / 8) & 1 != 0
        ? cache[index] : memory[index]
    }

    /// A CPU keeps the line of a word that it loads.
    mutating func keep(_ index: Int) {
      let line = index / 8
      guard (dirty | clean) >> UInt64(line) & 1 == 0 else { return }
      fill(line)
      clean |= 1 << UInt64(line)
    }

    private mutating func fill(_ line: Int) {
      if cache.isEmpty { cache = memory }
      for word in line * 8..<line * 8 + 8 { cache[word] = memory[word] }
    }

    mutating func set(_ index: Int, _ value: UInt64, mask: UInt64, _ observer: Observer) {
      let line = index / 8
      let isDirty = dirty >> UInt64(line) & 1 != 0
      if observer == .nonCoherentDevice || (observer == .coherentDevice && !isDirty) {
        memory[index] = memory[index] & ~mask | value & mask
        if observer == .coherentDevice { clean &= ~(1 << UInt64(line)) }
        return
      }
      if !isDirty {
        // What is kept of the line, if anything, is what the store goes into.
        if clean >> UInt64(line) & 1 == 0 { fill(line) }
        clean &= ~(1 << UInt64(line))
        dirty |= 1 << UInt64(line)
      }
      cache[index] = cache[index] & ~mask | value & mask
    }

    mutating func drop(lines: UInt64, keeping: Bool) {
      let affected = dirty & lines
      guard (dirty | clean) & lines != 0 else { return }
      if keeping {
        for line in 0..<64 where affected >> UInt64(line) & 1 != 0 {
          for word in line * 8..<line * 8 + 8 { memory[word] = cache[word] }
        }
      }
      dirty &= ~affected
      clean &= ~lines
      if dirty | clean == 0 { cache = [] }
    }
  }

  /// All of memory and of the cache; equal states behave equally.
  package struct State: Hashable, Sendable {
    var pages: [UInt64: Page] = [:]
    /// CPU stores that no barrier has made visible to devices, by doubleword.
    var buffer: [UInt64: UInt64] = [:]
    /// Where memory answers a CPU with an external abort.
    var silent: [Range<UInt64>] = []
  }

  /// The contents; assigning a kept one goes back to it.
  package var state = State()
  /// Whether CPU stores stay in the cache; without, memory is always up to date, and faster.
  package let hasCache: Bool
  /// Whether CPU stores stay in a buffer, which no device sees, until `publish` or `clean`.
  package let hasStoreBuffer: Bool
  /// Whether a CPU keeps what it has loaded, until that is cleaned or invalidated.
  package let keepsLoads: Bool
  /// Called before each CPU store with its address and size in bytes.
  package var onStore: ((UInt64, UInt64) -> Void)?
  /// What notes the stores and barriers of EL2, and what hardware does with the tables that lie here.
  package var tableLog: TableLog?

  /// Makes memory that is zero everywhere.
  package init(hasCache: Bool = true, hasStoreBuffer: Bool = false, keepsLoads: Bool = false) {
    self.hasCache = hasCache
    self.keepsLoads = keepsLoads
    self.hasStoreBuffer = hasStoreBuffer
  }

  /// Loads `width` from `address`, which is naturally aligned.
  package func load(
    _ width: AccessWidth, at address: UInt64, by observer: Observer = .processor
  ) -> UInt64 {
    if observer == .processor, hasStoreBuffer, let word = state.buffer[address & ~7] {
      return word >> (address % 8 * 8) & width.mask
    }
    if keepsLoads, observer == .processor {
      state.pages[address >> 12, default: Page()].keep(Int(address >> 3 & 511))
    }
    guard let page = state.pages[address >> 12] else { return 0 }
    let word = page.word(Int(address >> 3 & 511), observer)
    return word >> (address % 8 * 8) & width.mask
  }

  /// Stores the low `width` of `value` at `address`, which is naturally aligned.
  package func store(
    _ width: AccessWidth, _ value: UInt64, at address: UInt64, by observer: Observer = .processor
  ) {
    if observer == .processor { onStore?(address, width.bytes) }
    let shift = address % 8 * 8
    if observer == .processor, hasStoreBuffer {
      let old = load(.double, at: address & ~7)
      state.buffer[address & ~7] =
        old & ~(width.mask << shift) | (value & width.mask) << shift
      return
    }
    state.pages[address >> 12, default: Page()].set(
      Int(address >> 3 & 511), value << shift, mask: width.mask << shift,
      observer == .processor && !hasCache ? .nonCoherentDevice : observer)
  }

  /// EL2 stores a doubleword; that is noted in the log of tables.
  package func storeAsHypervisor(_ value: UInt64, at address: UInt64) {
    tableLog?.store(value, over: peek(address), at: address)
    store(.double, value, at: address)
  }

  /// A barrier of EL2.
  package func publishAsHypervisor() {
    tableLog?.append(.barrier)
    publish()
  }

  /// EL2 cleans the lines of a range.
  package func cleanAsHypervisor(_ base: UInt64, size: UInt64) {
    tableLog?.append(.clean(address: base, size: size))
    clean(base, size: size)
  }

  /// What a CPU would load, without what a load leaves behind.
  private func peek(_ address: UInt64) -> UInt64 {
    if hasStoreBuffer, let word = state.buffer[address] { return word }
    return state.pages[address >> 12]?.word(Int(address >> 3 & 511), .processor) ?? 0
  }

  /// Calls `body` with the address and value of each doubleword that isn't zero; pages that were
  /// never stored to cost nothing.
  package func forEachNonzero(
    in base: UInt64, size: UInt64, by observer: Observer, _ body: (UInt64, UInt64) -> Void
  ) {
    guard size > 0 else { return }
    let last = base + (size - 1)
    for frame in base >> 12...last >> 12 {
      guard let page = state.pages[frame] else { continue }
      let first = frame == base >> 12 ? Int(base >> 3 & 511) : 0
      let end = frame == last >> 12 ? Int(last >> 3 & 511) : 511
      for index in first...end {
        let word = page.word(index, observer)
        if word != 0 { body(frame << 12 + UInt64(index) * 8, word) }
      }
    }
  }

  /// From now on an access of EL2 to these bytes is an external abort.
  ///
  /// Nothing is there, it is poisoned, or firmware has fenced it off. The content stays for when it answers again.
  package func silence(_ base: UInt64, size: UInt64) { state.silent.append(base..<base + size) }

  /// All of memory answers again.
  package func answerAgain() { state.silent = [] }

  /// Whether an access to the word at `address` is answered.
  package func answers(_ address: UInt64) -> Bool {
    state.silent.isEmpty || !state.silent.contains { $0.contains(address) }
  }

  /// Stores zeroes as a CPU; both arguments are multiples of eight.
  package func zero(_ base: UInt64, size: UInt64) {
    for address in stride(from: base, to: base + size, by: 8) { store(.double, 0, at: address) }
  }

  /// Cleans the lines of a range to the point that every device sees, and drops them.
  package func clean(_ base: UInt64, size: UInt64) { writeBack(base, size, keeping: true) }

  /// Drops the lines of a range with what was stored and not cleaned.
  package func invalidate(_ base: UInt64, size: UInt64) { writeBack(base, size, keeping: false) }

  /// Cleans everything, as hardware may do with any line at any time.
  package func cleanAll() {
    publish()
    for frame in state.pages.keys {
      state.pages[frame]?.drop(lines: .max, keeping: true)
    }
  }

  /// Whether a CPU store to the line of `address` has not reached memory.
  package func isDirty(_ address: UInt64) -> Bool {
    (state.pages[address >> 12]?.dirty ?? 0) >> (address >> 6 & 63) & 1 != 0
  }

  /// Whether a CPU that loads from `address` sees something else than memory has, though nobody has stored
  /// to the line through the caches.
  package func isStale(_ address: UInt64) -> Bool {
    guard let page = state.pages[address >> 12], page.clean >> (address >> 6 & 63) & 1 != 0 else {
      return false
    }
    let index = Int(address >> 3 & 511)
    return page.cache[index] != page.memory[index]
  }

  /// A barrier: devices see every earlier CPU store, in the cache if not in memory.
  package func publish() {
    for (address, word) in state.buffer {
      state.pages[address >> 12, default: Page()].set(
        Int(address >> 3 & 511), word, mask: .max, hasCache ? .processor : .nonCoherentDevice)
    }
    state.buffer = [:]
  }

  private func writeBack(_ base: UInt64, _ size: UInt64, keeping: Bool) {
    publish()
    guard size > 0 else { return }
    let last = base + (size - 1)
    for frame in base >> 12...last >> 12 {
      guard state.pages[frame] != nil else { continue }
      let first = frame == base >> 12 ? base >> 6 & 63 : 0
      let end = frame == last >> 12 ? last >> 6 & 63 : 63
      let lines = (UInt64.max >> (63 - end)) & (.max << first)
      state.pages[frame]?.drop(lines: lines, keeping: keeping)
    }
  }
}

/// A number as it is written in a register map.
package func hex(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }
