// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC

/// The queue that the hardware reads: in EL2's memory, filled with validated commands alone.
///
///       completed          published        written
///           │                  │               │
///     ──────▼──────────────────▼───────────────▼──────
///      free │ hardware may read │ not published │ free
///
/// The three are counts of commands since the queue was installed and never wrap; the slot of a count
/// is its remainder by the size. A slot is written only while it is free: `written - completed` stays
/// below the size. Beside the slots lies a word for each: the place in the host's queue that the host
/// is shown while the hardware is at this slot.
struct CommitQueue: Sendable {
  let base: PhysicalAddress
  let origins: PhysicalAddress
  /// A power of two.
  let slots: UInt64
  /// What the hardware sees without cleaning.
  var isCoherent = true
  private(set) var written: UInt64 = 0
  private(set) var published: UInt64 = 0
  private(set) var completed: UInt64 = 0
  /// What `published` was when the hardware got the queue from EL2.
  private var installed: UInt64 = 0

  /// The bytes that the words beside `slots` slots take.
  static func originsSize(slots: UInt64) -> UInt64 { slots * 8 }

  /// Makes a new queue.
  init(_ base: PhysicalAddress, origins: PhysicalAddress, slots: UInt64) {
    self.base = base
    self.origins = origins
    self.slots = slots
  }

  /// Makes a queue that the hardware has used and emptied; it is at `slot` now.
  init(_ base: PhysicalAddress, origins: PhysicalAddress, slots: UInt64, at slot: UInt64) {
    self.init(base, origins: origins, slots: slots)
    // A round is behind it, so that it counts as used.
    written = slots &+ slot
    published = written
    completed = written
  }

  /// How many commands may be appended; one slot stays empty.
  var freeCount: UInt64 { slots &- 1 &- (written &- completed) }
  /// Whether the hardware has passed every command.
  var isIdle: Bool { completed == written }
  /// Whether the hardware has had no command from this queue since it got it.
  var isUnused: Bool { published == installed }
  /// GITS_CREADR's offset, as far as the hardware is known to be.
  var completedOffset: UInt64 { offset(completed) }
  /// GITS_CWRITER's offset.
  var publishedOffset: UInt64 { offset(published) }

  private func offset(_ count: UInt64) -> UInt64 { (count & (slots &- 1)) &* ITSCommand.size }

  @inline(__always)
  private func place(_ count: UInt64) -> PhysicalAddress {
    PhysicalAddress(base.rawValue &+ (count & (slots &- 1)) &* ITSCommand.size)
  }

  @inline(__always)
  private func origin(_ count: UInt64) -> PhysicalAddress {
    PhysicalAddress(origins.rawValue &+ (count & (slots &- 1)) &* 8)
  }

  /// Appends a command that belongs to the host's place `offset`.
  ///
  /// - Precondition: a slot is free.
  @inline(__always)
  mutating func append<Memory: BusMemory & ~Copyable>(
    _ command: ITSCommand, for offset: UInt64, memory: borrowing Memory
  ) {
    precondition(freeCount > 0, "a slot that the hardware may read")
    memory.store4(
      command.word0.littleEndian, command.word1.littleEndian, command.word2.littleEndian,
      command.word3.littleEndian, at: place(written))
    memory.store(offset, at: origin(written))
    written &+= 1
  }

  /// Makes what was appended visible to the hardware and returns the offset for GITS_CWRITER; nil
  /// where nothing was appended.
  mutating func publish<Memory: BusMemory & ~Copyable>(memory: borrowing Memory) -> UInt64? {
    guard written != published else { return nil }
    if isCoherent {
      memory.publishToDevices()
    } else {
      let first = published & (slots &- 1)
      let count = written &- published
      let beforeEnd = min(count, slots &- first)
      memory.clean(place(published), size: beforeEnd &* ITSCommand.size)
      if count > beforeEnd { memory.clean(base, size: (count &- beforeEnd) &* ITSCommand.size) }
    }
    published = written
    return publishedOffset
  }

  /// Takes note of GITS_CREADR's offset; false where it is a place that the hardware cannot be at.
  @inline(__always)
  mutating func observe(readOffset: UInt64) -> Bool {
    let slot = readOffset / ITSCommand.size
    guard slot < slots else { return false }
    let progress = (slot &- completed) & (slots &- 1)
    guard progress <= published &- completed else { return false }
    completed &+= progress
    return true
  }

  /// Begins at slot zero again, when the hardware has forgotten where it was.
  ///
  /// - Precondition: every command was completed.
  mutating func restart() {
    precondition(isIdle, "commands would be lost")
    // The counts never go back: what waits for one of them has been waited for.
    written = (written &+ slots &- 1) & ~(slots &- 1)
    published = written
    completed = written
    installed = written
  }

  /// The host's place of the command that was appended last.
  ///
  /// - Precondition: one was.
  func lastOrigin<Memory: BusMemory & ~Copyable>(memory: borrowing Memory) -> UInt64 {
    memory.load(origin(written &- 1))
  }

  /// The host's place of the command that the hardware is at; nil where it is idle.
  func currentOrigin<Memory: BusMemory & ~Copyable>(memory: borrowing Memory) -> UInt64? {
    isIdle ? nil : memory.load(origin(completed))
  }
}
