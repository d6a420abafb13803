// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// A driver of one ITS, as small as it gets: tables, a queue, commands (IHI 0069, chapter 5).
struct ITSDriver {
  /// What a GITS_BASER<n> is to point to.
  struct Table {
    var base: UInt64
    var pages: UInt64 = 1
    var pageSize = TablePageSize.kib64
    var isIndirect = false

    var value: UInt64 {
      GITSTableBase(
        base: base, pages: pages, pageSize: pageSize, isIndirect: isIndirect,
        attributes: MemoryAttributes.coherent
      ).rawValue
    }
  }

  static let control = Board.itsControl
  static var typer: GITSTyper { GITSTyper(rawValue: load64(control + Register.gitsTYPER)) }

  var devices = Table(base: Arena.devices)
  var collections = Table(base: Arena.collections)
  var queue = Arena.queue
  /// Of 4 KiB.
  var queuePages: UInt64 = 16
  /// Where the next command goes, in bytes from the queue's start.
  var next: UInt64 = 0
  /// A place that the ITS has read up to; it may be further by now.
  private var read: UInt64 = 0
  /// Whether the ITS looks at memory alone.
  private var mustClean = false

  var queueSize: UInt64 { queuePages << 12 }

  /// The register of a table of this kind.
  static func register(of kind: GITSTableBase.Kind) -> UInt64? {
    for index in 0..<8 as Range<UInt64> {
      let register = control + Register.gitsBASER0 + 8 * index
      if GITSTableBase(rawValue: load64(register)).kind == kind { return register }
    }
    return nil
  }

  /// Clears GITS_CTLR.Enabled and waits until it's quiescent; false where that takes a second.
  static func disable() -> Bool {
    store32(control + Register.gitsCTLR, 0x5a3c_6800)
    return Patience.wait {
      GITSControl(rawValue: UInt32(truncatingIfNeeded: load32(control + Register.gitsCTLR)))
        .isQuiescent
    }
  }

  static func enable() { store32(control + Register.gitsCTLR, 0x5a3c_6801) }

  /// Programs the ITS with empty tables and an empty queue, but doesn't enable it.
  mutating func program() -> Bool {
    guard Self.disable(), let devicesRegister = Self.register(of: .devices) else { return false }
    empty(devices)
    empty(collections)
    store64(devicesRegister, devices.value)
    // An ITS may hold all collections itself.
    if let register = Self.register(of: .collections) { store64(register, collections.value) }
    mustClean = !MemoryAttributes.isCoherent(load64(devicesRegister))
    el1_zero(queue, queueSize)
    let base = GITSCommandBase(
      base: queue, pages: queuePages, attributes: MemoryAttributes.coherent)
    store64(Self.control + Register.gitsCBASER, base.rawValue)
    if !MemoryAttributes.isCoherent(load64(Self.control + Register.gitsCBASER)) { mustClean = true }
    next = 0
    read = 0
    store64(Self.control + Register.gitsCWRITER, 0)
    return true
  }

  /// Programs and enables the ITS, and maps collection n to the Redistributor of CPU n.
  mutating func start(cpus: UInt64 = 1) -> Bool {
    guard program() else { return false }
    Self.enable()
    for cpu in 0..<cpus {
      let target = Redistributors.target(of: cpu)
      append(.mapc(UInt16(truncatingIfNeeded: cpu), target: target))
      append(.sync(target: target))
    }
    return finish()
  }

  private func empty(_ table: Table) {
    el1_zero(table.base, table.pages * table.pageSize.bytes)
    el1_clean(table.base, table.pages * table.pageSize.bytes)
  }

  /// Writes one command into the queue; the ITS doesn't know of it yet.
  ///
  /// With `isExact` the bits that are no fields of it are its own too: what another kind of command would have there.
  mutating func append(_ command: ITSCommand, isExact: Bool = false) {
    if isFull {
      read = offsetRead
      if isFull, finish() { read = next }
    }
    place(command, at: next, isExact: isExact)
    next = (next + ITSCommand.size) % queueSize
  }

  /// Writes the fields of one command at an offset in the queue, over whatever is there.
  func place(_ command: ITSCommand, at offset: UInt64, isExact: Bool = false) {
    let words = command.words
    // A number that is no command has no fields either.
    let known = isExact ? nil : command.opcode.map { ITSCommand.fields(of: $0) }
    let fields = (known ?? ITSCommand(.max, .max, .max, .max)).words
    for index in words.indices {
      let slot = queue + offset + UInt64(index) * 8
      let rest = el1_load64(slot) | 0xa5c3_96f0_5a3c_69ff
      el1_store64(slot, words[index] | rest & ~fields[index])
    }
    if mustClean { el1_clean(queue + offset, ITSCommand.size) }
  }

  /// The doorbell: GITS_CWRITER, by a 32-bit store.
  func ring() {
    el1_barrier()
    store32(Self.control + Register.gitsCWRITER, next)
  }

  /// Whether the one slot is left that must stay empty.
  private var isFull: Bool { (next + ITSCommand.size) % queueSize == read }

  private var offsetRead: UInt64 {
    GITSQueuePointer(rawValue: load32(Self.control + Register.gitsCREADR)).offset
  }

  /// Waits until the ITS has read all commands; false where it stalls, or hasn't after a second.
  func wait() -> Bool {
    Patience.wait { load32(Self.control + Register.gitsCREADR) == next }
  }

  /// Rings and waits.
  func finish() -> Bool {
    ring()
    return wait()
  }

  /// Sends one command and waits for it.
  mutating func run(_ command: ITSCommand) -> Bool {
    append(command)
    return finish()
  }
}
