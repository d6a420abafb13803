// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import SimulatedHardware

/// Steps of a host on any CPU, of hardware, of firmware and of the rest of EL2, in any order.
///
/// Firmware saves the Redistributor of a CPU that goes to sleep, switches it off, and restores it before the
/// CPU runs again; meanwhile other CPUs write its registers.
package struct RedistributorWalk {
  /// What hardware it is on.
  package struct Kind: Hashable, Sendable {
    package var isPromised = true
    package var staysEnabled = false
    package var stopsSlowly = false
    package var hasVirtualLPIs = false
    package var field: UInt64 = 0
    /// Whether GICR_PROPBASER is one register behind all.
    package var isShared = false
    /// Whether LPIs are enabled already, with tables of the host.
    package var isLive = false
    package var keepsLive = false
    package var isCoherent = true
    package var interruptIDBits: UInt64 = 16
    /// Whether the host leaves the LPIs of the last Redistributor enabled.
    package var leavesOne = false
    /// Whether GICR_PROPBASER is read only.
    package var isReadOnly = false

    /// What promises to be done, and is at once.
    package init() {}

    /// The plain ones, in all combinations.
    package static let plain: [Kind] = (0..<32).map { bits in
      var kind = Kind()
      kind.isPromised = bits & 1 != 0
      kind.staysEnabled = bits & 2 != 0
      kind.stopsSlowly = bits & 4 != 0
      kind.hasVirtualLPIs = bits & 8 != 0
      kind.field = bits & 16 != 0 ? 3 : 0
      return kind
    }

    /// The one of a number.
    package init(number: UInt64) {
      var choices = SeededGenerator(seed: number)
      self = Self.plain[Int(choices.below(32))]
      // Most hardware can be disabled.
      if choices.below(4) != 0 { (isPromised, staysEnabled) = (true, false) }
      field = choices.below(4)
      isShared = choices.oneIn(3)
      isLive = choices.oneIn(4)
      keepsLive = choices.oneIn(2)
      isCoherent = choices.below(4) != 0
      interruptIDBits = [14, 15, 16, 16, 20, 25][Int(choices.below(6))]
      leavesOne = isPromised && !staysEnabled && choices.oneIn(3)
      isReadOnly = choices.oneIn(16)
    }
  }

  /// The board.
  package let board: GuardedBoard
  /// What hardware is on it.
  package let kind: Kind
  /// The Redistributors that have no power, as firmware will restore them.
  package private(set) var asleep: [Int: SimulatedRedistributor.State] = [:]
  /// Whether a CPU must not run the host any more.
  package private(set) var isOver = false
  /// The number of Redistributors.
  package static let count = 3
  private var choices: SeededGenerator

  /// Makes the board; `prepare` runs behind what a boot loader has left, before EL2 looks at it.
  package init(_ kind: Kind, seed: UInt64, prepare: (GuardedBoard) -> Void = { _ in }) throws {
    self.kind = kind
    choices = SeededGenerator(seed: seed)
    var options = GuardedBoardOptions()
    options.processors = Self.count
    options.affinities = [0x000, 0x001, 0x100]
    options.features = 1 << 3 | kind.field << 24
    options.hasVirtualLPIs = kind.hasVirtualLPIs
    options.offersVirtualLPIs = kind.hasVirtualLPIs
    options.isCoherent = kind.isCoherent
    options.interruptIDBits = kind.interruptIDBits
    options.keepsLive = kind.keepsLive
    board = try GuardedBoard(options) { board in
      for redistributor in board.gic.redistributors {
        redistributor.promisesDisabling = kind.isPromised
        redistributor.staysEnabled = kind.staysEnabled
        redistributor.stopsSlowly = kind.stopsSlowly && !kind.isLive
        if kind.isReadOnly, !kind.isLive { redistributor.fixedConfigurationBase = 0x5fff_0000 }
      }
      board.gic.hasOneConfigurationBase = kind.isShared
      if kind.isLive { Self.leaveLive(board) }
      prepare(board)
    }
    for redistributor in board.gic.redistributors { redistributor.stopsSlowly = kind.stopsSlowly }
  }

  /// A boot loader has enabled LPIs on the first Redistributors.
  private static func leaveLive(_ board: GuardedBoard) {
    for number in 0..<count - 1 {
      let base = board.base(number)
      let configuration = GuardedBoard.configuration() | GuardedBoard.attributes | 13
      let pending = GuardedBoard.pending(UInt64(number)) | GuardedBoard.attributes
      _ = board.gic.write(.double, configuration, at: base + FrameOffset.configuration)
      _ = board.gic.write(.double, pending, at: base + FrameOffset.pending)
      _ = board.gic.write(.word, 1, at: base + FrameOffset.control)
    }
  }

  /// The host, the hardware or firmware does something.
  package mutating func step() {
    let number = Int(choices.below(UInt64(Self.count)))
    var cpu = choices.oneIn(2) ? number : Int(choices.below(UInt64(Self.count)))
    while asleep[cpu] != nil { cpu = (cpu + 1) % Self.count }
    let groups = choices.oneIn(4) ? choices.below(8) << 24 : 0
    switch choices.below(22) {
    case 0, 1, 2: board.write(number, FrameOffset.control, 1 | groups, .word, from: cpu)
    case 3, 4:
      if kind.leavesOne, number == Self.count - 1 { break }
      board.write(number, FrameOffset.control, groups, .word, from: cpu)
    case 5:
      let zeroed = choices.oneIn(2) ? 1 << 62 as UInt64 : 0
      board.write(number, FrameOffset.pending, place() | zeroed | attributes(), from: cpu)
    case 6:
      board.write(number, FrameOffset.configuration, place() | bits() | attributes(), from: cpu)
    case 7:
      let half = 4 * choices.below(2)
      let value = half != 0 && choices.oneIn(2) ? attributes() >> 32 : place()
      let register = choices.oneIn(3) ? FrameOffset.configuration : FrameOffset.pending
      board.write(number, register + half, value, .word, from: cpu)
    case 8: board.gic.redistributors[number].finishStopping()
    case 9: board.pend(UInt32(8192 + choices.below(0xe000)), on: number)
    case 10 where choices.oneIn(8): losePower(number)
    case 11 where choices.oneIn(64): _ = board.takePage(place())
    case 12:
      let value = place() | attributes() | choices.below(2) << 63
      board.write(number, FrameOffset.virtualPending, value, from: cpu)
    case 13:
      let value = place() | bits() | attributes()
      board.write(number, FrameOffset.virtualConfiguration, value, from: cpu)
    case 14: board.write(number, FrameOffset.invalidateAll, 0, from: cpu)
    case 15: sleep(number)
    case 16: wake(number)
    case 17: sendDirectly(number, from: cpu)
    case 18: accessAnything(number, from: cpu)
    case 19:
      let value = choices.below(8)
      board.write(number, FrameOffset.waker, value, .word, from: cpu)
    case 20: _ = board.value(number, FrameOffset.virtualPending, from: cpu)
    default: _ = board.value(number, FrameOffset.control, .word, from: cpu)
    }
  }

  // MARK: The host

  /// GICR_SETLPIR and its like.
  private mutating func sendDirectly(_ number: Int, from cpu: Int) {
    let registers = [FrameOffset.setLPI, FrameOffset.clearLPI, FrameOffset.invalidateLPI]
    let register = registers[Int(choices.below(3))]
    let limits: [UInt64] = [8191, 8192, 1 << 14, 1 << 15, 1 << 16, 1 << 20]
    var value = limits[Int(choices.below(6))] &- choices.below(3)
    if choices.oneIn(4) { value |= 1 << (32 + choices.below(32)) }
    let isWord = register != FrameOffset.invalidateLPI && choices.oneIn(2)
    board.write(number, register, value, isWord ? .word : .double, from: cpu)
  }

  /// Any register, or what is none, by any width that is aligned.
  private mutating func accessAnything(_ number: Int, from cpu: Int) {
    let starts: [UInt64] = [0, 0x8, 0x10, 0x18, 0x40, 0x70, 0xa0, 0xc0, 0xffd0, 0x2_0070, 0x100]
    let width = [AccessWidth.word, .word, .double, .double, .half, .byte][
      Int(choices.below(6))]
    let offset = starts[Int(choices.below(11))] + choices.below(0x20) & ~(width.bytes - 1)
    // What may enable, or name a table, other steps do.
    if choices.oneIn(2) || offset < 4 {
      _ = board.read(number, offset, width, from: cpu)
    } else {
      let value = choices.oneIn(2) ? place() | choices.below(1 << 16) : choices.next()
      board.write(number, offset, value, width, from: cpu)
    }
  }

  /// A few places of the host, and now and then one that is not.
  private mutating func place() -> UInt64 {
    switch choices.below(14) {
    case 0: 0x5fff_0000
    case 1: 0x5dff_0000
    case 2: 0x808_0000
    case 3, 4: GuardedBoard.pending(choices.below(3))
    case 5, 6: GuardedBoard.configuration(2) + choices.below(32) << 16
    default: GuardedBoard.configuration(choices.below(2))
    }
  }

  /// GICR_PROPBASER.IDbits: mostly one number.
  private mutating func bits() -> UInt64 {
    switch choices.below(8) {
    case 0: 12 + choices.below(5)
    case 1: choices.below(32)
    case 2 where kind.interruptIDBits > 24: 24 + choices.below(8)
    default: 13
    }
  }

  private mutating func attributes() -> UInt64 {
    choices.oneIn(2)
      ? GuardedBoard.attributes : choices.next() & (0b111 << 56 | 0b11 << 10 | 0b111 << 7)
  }

  // MARK: Firmware

  /// The power is lost, and with it the registers, but not what all share.
  private func losePower(_ number: Int) {
    let redistributor = board.gic.redistributors[number]
    let shared = redistributor.state.configurationBase
    redistributor.losePower()
    if kind.isShared { redistributor.state.configurationBase = shared }
  }

  private mutating func sleep(_ number: Int) {
    let state = board.gic.redistributors[number].state
    guard asleep[number] == nil, asleep.count < Self.count - 1, !state.isStopping else { return }
    asleep[number] = state
    losePower(number)
  }

  /// What other CPUs have made of it meanwhile is overwritten.
  private mutating func wake(_ number: Int) {
    guard var state = asleep.removeValue(forKey: number) else { return }
    let redistributors = board.gic.redistributors
    let shared = redistributors[number].state.configurationBase
    // Where it can't be disabled again the walk ends with that.
    if choices.oneIn(kind.isPromised && !kind.staysEnabled ? 16 : 256) {
      // It is not what was saved.
      if kind.isShared, !state.isEnabled { state.configurationBase = shared }
      state.isEnabled = true
      state.pendingBase = place() & ~0xffff
      let isResident = state.virtualPendingBase >> 63 != 0
      if kind.hasVirtualLPIs, !isResident { state.virtualPendingBase = place() & ~0xffff | 1 << 63 }
    }
    // More bits than were saved: the tables are longer.
    if !kind.isShared, choices.oneIn(64) {
      state.configurationBase |= 0x1f
      state.virtualConfigurationBase |= 0x1f
    }
    redistributors[number].state = state
    if kind.isShared {
      let base = state.isEnabled ? state.configurationBase : shared
      for redistributor in redistributors { redistributor.state.configurationBase = base }
    }
    // The hardware is done while EL2 waits for it.
    redistributors[number].stopsSlowly = false
    if !board.wake(number) { isOver = true }
    redistributors[number].stopsSlowly = kind.stopsSlowly
  }
}
