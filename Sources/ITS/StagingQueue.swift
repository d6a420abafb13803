// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import GIC
internal import Ownership

/// The queue that the host writes: in its own memory, shared and pinned, and hostile.
///
///     taken ── commands that the host has asked for ──→ asked
///
/// Both are counts of commands since GITS_CBASER was written, with the offsets that go with them. A
/// command is read once, into a private copy.
struct StagingQueue: ~Copyable {
  /// GITS_CBASER as the host sees it.
  private(set) var register = GITSCommandBase(rawValue: 0)
  /// Whether the host writes it through the caches, by the attributes in the register.
  private var isCoherent = false
  /// Holds the pages; taken at the first use.
  var pin: Pin<1>?
  private(set) var taken: UInt64 = 0
  private(set) var asked: UInt64 = 0
  private(set) var takenOffset: UInt64 = 0
  private(set) var askedOffset: UInt64 = 0
  /// GITS_CREADR.Stalled, for a reason in this queue.
  var isStalled = false

  /// Whether commands wait.
  var isEmpty: Bool { taken == asked }
  /// How many commands the queue holds.
  var slots: UInt64 { register.size / ITSCommand.size }
  /// The pages of the queue; nil where the address can't be.
  var pages: PageRange? {
    PageRange(
      first: PageFrameNumber(containing: PhysicalAddress(register.base)),
      count: register.size >> PageFrameNumber.shift)
  }

  /// Takes a new GITS_CBASER; GITS_CREADR and GITS_CWRITER are zero after it.
  ///
  /// - Precondition: no pin is held.
  mutating func reset(_ value: GITSCommandBase) {
    register = value
    isCoherent = MemoryAttributes.isCoherent(value.rawValue)
    taken = 0
    asked = 0
    takenOffset = 0
    askedOffset = 0
    isStalled = false
  }

  /// Begins at `offset` instead of zero: the queue goes on where another one has ended.
  mutating func begin(at offset: UInt64) {
    takenOffset = offset
    askedOffset = offset
  }

  /// Takes GITS_CWRITER; false for an offset beyond the queue.
  mutating func ask(_ offset: UInt64) -> Bool {
    guard offset < register.size else { return false }
    let distance =
      offset >= takenOffset ? offset - takenOffset : offset + register.size - takenOffset
    asked = taken &+ distance / ITSCommand.size
    askedOffset = offset
    return true
  }

  /// Reads the next command, once; nil where memory answers with an abort.
  ///
  /// - Precondition: the pages are pinned, and the queue is not empty.
  @inline(__always)
  func read<Memory: HostMemory & ~Copyable>(memory: borrowing Memory) -> ITSCommand? {
    let place = memory.output(of: IntermediatePhysicalAddress(register.base &+ takenOffset))
    // Two commands share a line: with the one before, EL2 may have read what was there before this one.
    if !isCoherent { memory.clean(place, size: ITSCommand.size) }
    guard let words = memory.tryLoad4(place) else { return nil }
    return ITSCommand(
      UInt64(littleEndian: words.0), UInt64(littleEndian: words.1),
      UInt64(littleEndian: words.2), UInt64(littleEndian: words.3))
  }

  /// Goes on to the next command.
  @inline(__always)
  mutating func advance() {
    taken &+= 1
    takenOffset &+= ITSCommand.size
    if takenOffset == register.size { takenOffset = 0 }
  }
}
