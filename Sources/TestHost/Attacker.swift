// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot
import GIC

/// A hostile host: it makes the ITS write, and aims at the canary in EL2's memory.
struct Attacker {
  /// Where the canary begins, a multiple of 64 KiB, and its size, 128 KiB.
  let canary: UInt64
  let canarySize: UInt64
  /// Where EL2's memory begins; the pages below are the host's.
  let hypervisor: UInt64
  var its = ITSDriver()
  /// Whether the queue must have been read in the end.
  ///
  /// Only where the host has given it an address that is of no use, or a place outside it, it need not.
  var queueGoesOn = true

  /// Whether the attack could be made as it is meant.
  fileprivate var wasMade = true

  /// The device that attacks use, and one that lives beside it.
  let device: UInt32 = 1
  let neighbour: UInt32 = 2
  /// Any LPI.
  static let interrupt: UInt32 = 8192 + 900

  init?() {
    guard let canary = Hypercall.canary(), let information = Hypercall.information() else {
      return nil
    }
    self.canary = canary.base
    canarySize = canary.size
    hypervisor = information.memoryBase
  }

  /// Notes whether something that the attack needs is there.
  @discardableResult
  mutating func require(_ holds: Bool) -> Bool {
    wasMade = wasMade && holds
    return holds
  }

  // What a table of 64 KiB pages holds as GITS_BASER<n> has it.
  func baser(
    _ base: UInt64, pages: UInt64 = 1, pageSize: TablePageSize = .kib64, isIndirect: Bool = false
  ) -> UInt64 {
    ITSDriver.Table(base: base, pages: pages, pageSize: pageSize, isIndirect: isIndirect).value
  }

  static func register(_ kind: GITSTableBase.Kind) -> UInt64 {
    // Where the ITS hides its vPE table, the register that QEMU has for it.
    let index: UInt64 =
      switch kind {
      case .devices, .none: 0
      case .collections: 1
      case .vpes: 2
      }
    return ITSDriver.register(of: kind) ?? Board.itsControl + Register.gitsBASER0 + 8 * index
  }

  /// Changes tables with the ITS disabled, as the architecture wants it.
  func whileDisabled(_ change: () -> Void) {
    _ = ITSDriver.disable()
    change()
    ITSDriver.enable()
  }

  /// Moves a table.
  func move(_ kind: GITSTableBase.Kind, _ value: UInt64) {
    whileDisabled { store64(Self.register(kind), value) }
  }

  /// Sends a command as it is, and waits for it.
  mutating func send(_ command: ITSCommand) {
    its.append(command, isExact: true)
    _ = its.finish()
  }

  /// Maps a device to a table and an event of it to an LPI: an entry is written into the table.
  mutating func mapEvent(
    _ device: UInt32, table: UInt64, event: UInt32 = 0, eventIDBits: UInt64 = 4
  ) {
    its.append(.mapd(device, table: table, eventIDBits: eventIDBits))
    mapEvent(device, event)
  }

  /// Maps an event to an LPI.
  mutating func mapEvent(_ device: UInt32, _ event: UInt32 = 0) {
    send(.mapti(device, event, interrupt: Self.interrupt, collectionID: 0))
  }

  /// Maps the device honestly.
  mutating func mapHonestly(_ device: UInt32) {
    el1_zero(Arena.translations, 0x1_0000)
    mapEvent(device, table: Arena.translations + UInt64(device) * 0x1000)
  }

  /// MAPD with V clear that names a table all the same.
  func unmapd(_ device: UInt32, table: UInt64) -> ITSCommand {
    ITSCommand(0x08 | UInt64(device) << 32, 3, table)
  }

  /// A device table entry as QEMU lays it out: what a host forges must be what its ITS reads.
  func deviceEntry(table: UInt64, eventIDBits: UInt64 = 4) -> UInt64 {
    1 | (eventIDBits - 1) << 1 | (table >> 8) << 6
  }

  /// Writes a word of the host's own memory that the ITS may read.
  func forge(_ address: UInt64, _ value: UInt64) {
    el1_store64(address, value)
    el1_clean(address, 8)
    el1_barrier()
  }

  /// Empties a page of the host's own memory.
  func empty(_ address: UInt64) {
    el1_zero(address, Arena.page)
    el1_clean(address, Arena.page)
  }

  /// Has a two-level table, whose first level is empty.
  func useTwoLevels(_ kind: GITSTableBase.Kind) {
    empty(Arena.firstLevel)
    move(kind, baser(Arena.firstLevel, isIndirect: true))
  }

  /// The first event whose entry in `table` lies at `address` or behind it.
  func event(reaching address: UInt64, from table: UInt64) -> UInt32 {
    let size = ITSDriver.typer.translationEntrySize
    return UInt32(truncatingIfNeeded: (address &- table &+ size &- 1) / size)
  }
}

/// Tries one attack: EL2's canary must be intact, and the ITS must serve an honest driver afterwards.
@inline(never)
func attack(
  _ report: inout TestReport, _ name: StaticString, _ body: (inout Attacker) -> Void
) {
  report.test("attack", name) { test in
    guard var attacker = Attacker() else {
      test.fail("no hypervisor tells where its canary is")
      return
    }
    if !attacker.its.start() { test.fail("the ITS can't be started before the attack") }
    _ = Hypercall.overwrittenCanaryWords()
    body(&attacker)
    if !attacker.wasMade { test.fail("the attack couldn't be made") }
    if attacker.queueGoesOn, !attacker.its.finish() {
      test.fail("the queue doesn't go on after the attack")
    }
    test.expect(
      "words of EL2's memory that were overwritten", Hypercall.overwrittenCanaryWords(), equals: 0)
    var its = ITSDriver()
    if !its.start() { test.fail("the ITS can't be started after the attack") }
    el1_zero(Arena.translations, Arena.page)
    its.append(.mapd(attacker.neighbour, table: Arena.translations, eventIDBits: 4))
    its.append(.mapti(attacker.neighbour, 1, interrupt: 8192 + 901, collectionID: 0))
    test.expectInterrupt(&its, attacker.neighbour, 1, interrupt: 8192 + 901)
  }
}
