// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Simulation
import Ownership
import Redistributor
import SimulatedHardware
import Traps

/// Offsets from the RD frame.
enum Offset {
  static let control: UInt64 = 0x0
  static let type: UInt64 = 0x8
  static let waker: UInt64 = 0x14
  static let setLPI: UInt64 = 0x40
  static let clearLPI: UInt64 = 0x48
  static let configuration: UInt64 = 0x70
  static let pending: UInt64 = 0x78
  static let invalidateLPI: UInt64 = 0xa0
  static let invalidateAll: UInt64 = 0xb0
  static let virtualConfiguration: UInt64 = 0x2_0070
  static let virtualPending: UInt64 = 0x2_0078
}

/// What a `GuardedBoard` is made of.
struct BoardOptions {
  var processors = 2
  var hasVirtualLPIs = false
  var offersVirtualLPIs = false
  var interruptIDBits: UInt64 = 16
  var isCoherent = true
  var affinities: [UInt32] = []
  /// More bits of GICR_TYPER, DirectLPI among them.
  var features: UInt64 = 1 << 3
  /// Without, the host's accesses go to the hardware: the control of an attack.
  var isMediated = true
  var keepsLive = false
  /// One more than the largest address of the GIC.
  var addressLimit: UInt64 = 1 << 52
  /// How far the host's addresses of memory lie above the physical ones.
  var distance: UInt64 = 0
}

/// Redistributors, the memory that they reach with its owners, and their mediation.
///
/// Memory is as in an `ITSWorld`. What a Redistributor touches is checked: pages that are the host's and that
/// a pin holds.
final class GuardedBoard {
  let options: BoardOptions
  let gic: SimulatedGIC
  var ownership: ITSWorld.HostOwnership
  var guarding: MediatedRedistributors
  /// What hardware has touched that it must not, in words.
  private(set) var violations: [String] = []
  /// Whether hardware has touched memory of EL2.
  private(set) var touchesHypervisor = false
  private let slots = SlotMemory()
  private var taken: [PageRange] = []
  /// The writes of EL2 to hardware, as offsets from the board's first RD frame.
  private(set) var writes: [(offset: UInt64, value: UInt64)] = []
  /// Called for each access of EL2 to a register with the offset; true answers with an abort.
  var aborts: ((UInt64, Bool) -> Bool)?

  private static let pins: UInt64 = 0x5f00_0000

  /// Makes a board; `prepare` runs before EL2 looks at the Redistributors.
  init(_ options: BoardOptions = BoardOptions(), prepare: (GuardedBoard) -> Void = { _ in }) throws
  {
    self.options = options
    gic = SimulatedGIC(
      memory: PhysicalMemory(hasCache: false), processors: options.processors,
      redistributorBase: 0x810_0000, hasVirtualLPIs: options.hasVirtualLPIs,
      interruptIDBits: options.interruptIDBits, isCoherent: options.isCoherent,
      affinities: options.affinities, features: options.features)
    ownership = try ITSWorld.makeOwnership(gic.memory)
    guarding = MediatedRedistributors(
      interruptLimit: 1 << options.interruptIDBits, pins: PhysicalAddress(Self.pins),
      slots: slots.slots,
      offersVirtualLPIs: options.offersVirtualLPIs, addressLimit: options.addressLimit)
    prepare(self)
    if options.isMediated {
      for redistributor in gic.redistributors {
        try guarding.add(
          VirtualAddress(redistributor.base), keepsLive: options.keepsLive,
          machine: machine(0))
      }
      try guarding.finish(machine: machine(0))
    }
    writes = []
    gic.onAccess = { [unowned self] access in check(access.range) }
  }

  func base(_ number: Int) -> UInt64 { gic.redistributors[number].base }

  // MARK: The host, on the Redistributor's own CPU unless another is told

  @discardableResult
  func write(
    _ number: Int, _ offset: UInt64, _ value: UInt64, _ width: AccessWidth = .double,
    from cpu: Int? = nil
  ) -> WriteEffect {
    let address = base(number) + offset
    guard options.isMediated else {
      return gic.write(width, value & width.mask, at: address) ? .done : .refused(.externalAbort)
    }
    return guarding.write(
      number, Access(offset: offset, address: VirtualAddress(address), width: width),
      value & width.mask, machine: machine(cpu ?? number))
  }

  func read(
    _ number: Int, _ offset: UInt64, _ width: AccessWidth = .double, from cpu: Int? = nil
  ) -> ReadEffect {
    let address = base(number) + offset
    guard options.isMediated else {
      return gic.read(width, at: address).map(ReadEffect.value) ?? .refused(.externalAbort)
    }
    return guarding.read(
      number, Access(offset: offset, address: VirtualAddress(address), width: width),
      machine: machine(cpu ?? number))
  }

  /// EL2 on a CPU, by the number of its Redistributor.
  func machine(_ cpu: Int) -> BoardMachine {
    BoardMachine(board: self, affinity: gic.redistributors[cpu].typer.affinity)
  }

  func value(
    _ number: Int, _ offset: UInt64, _ width: AccessWidth = .double, from cpu: Int? = nil
  ) -> UInt64? {
    if case .value(let value) = read(number, offset, width, from: cpu) { return value }
    return nil
  }

  /// A configuration table of the host.
  static func configuration(_ index: UInt64 = 0) -> UInt64 { 0x4100_0000 + index * 0x100_0000 }
  /// A pending table of the host.
  static func pending(_ index: UInt64 = 0) -> UInt64 { 0x4800_0000 + index * 0x20_0000 }
  /// Inner Shareable and write-back, where the registers have it.
  static let attributes: UInt64 = 1 << 10 | 7 << 7

  /// Names tables, and enables LPIs; whether they are.
  @discardableResult
  func enable(
    _ number: Int = 0, configuration: UInt64 = configuration(), pending: UInt64? = nil,
    bits: UInt64 = 16
  ) -> Bool {
    write(number, Offset.configuration, configuration | Self.attributes | (bits - 1))
    write(
      number, Offset.pending, (pending ?? Self.pending(UInt64(number))) | Self.attributes)
    return setEnabled(number, true)
  }

  /// Writes EnableLPIs; what it is then.
  @discardableResult
  func setEnabled(_ number: Int = 0, _ enables: Bool) -> Bool {
    write(number, Offset.control, enables ? 1 : 0, .word)
    return (value(number, Offset.control, .word) ?? 0) & 1 != 0
  }

  /// An interrupt arrives, past all registers.
  func pend(_ interrupt: UInt32, on number: Int = 0) {
    _ = gic.write(.double, UInt64(interrupt), at: base(number) + Offset.setLPI)
  }

  /// EL2 takes a page from the host; false where it is refused.
  func takePage(_ address: UInt64) -> Bool {
    let range = pages(at: address & ~0xfff, size: 0x1000)
    do throws(OwnershipError) {
      _ = try ownership.donate([range])
      taken.append(range)
      return true
    } catch {
      return false
    }
  }

  // MARK: What holds

  /// The pages that hardware may touch now.
  var reachable: [PageRange] {
    gic.redistributors.flatMap(\.reachable).map { reach in
      let first = reach.base >> 12
      return pages(first, (reach.base + reach.size - 1) >> 12 - first + 1)
    }
  }

  func isHeld(_ page: UInt64) -> Bool {
    let record = ownership.pageRecord(of: PageFrameNumber(page))
    return record.state == .sharedOwned && record.pins > 0
  }

  private func check(_ range: MemoryReach) {
    for pages in [ITSWorld.hypervisor] + taken {
      let first = pages.first.address.rawValue
      if range.base < first + pages.count << 12, first < range.base + range.size {
        touchesHypervisor = true
      }
    }
    guard options.isMediated else { return }
    for page in range.base >> 12...(range.base + (range.size - 1)) >> 12 where !isHeld(page) {
      violations.append("\(range.text): page \(hex(page)) is not held")
    }
  }

  func note(_ address: UInt64, _ value: UInt64) { writes.append((address - base(0), value)) }

  /// What is violated, in words: everything that hardware may touch is held, nothing else was touched, and
  /// software has done nothing that it must not.
  func violation() -> String? {
    if let first = violations.first { return first }
    for range in reachable {
      for page in range.first.rawValue...range.last.rawValue where !isHeld(page) {
        return "page \(hex(page)) can be reached and is not held"
      }
    }
    if let fault = gic.faults.first { return "software fault: \(fault)" }
    return nil
  }
}

/// EL2 in one trap.
struct BoardMachine: RedistributorMachine {
  let board: GuardedBoard
  let affinity: UInt32
  var registers: BoardRegisters { BoardRegisters(board: board) }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    let first = pages.first.address.rawValue &- board.options.distance
    guard
      let found = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(first)), count: pages.count)
    else { throw .outOfRange(pages.first) }
    return try board.ownership.hold(found, in: &table)
  }
  func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    PhysicalAddress(address.rawValue &- board.options.distance)
  }
  func release(_ slot: UInt64, of table: inout PinTable) {
    board.ownership.release(slot, of: &table)
  }
}

/// The registers at their physical addresses.
struct BoardRegisters: DeviceMemory {
  let board: GuardedBoard

  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    if board.aborts?(address.rawValue - board.base(0), false) == true { return nil }
    return board.gic.read(width, at: address.rawValue)
  }
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    board.note(address.rawValue, value)
    if board.aborts?(address.rawValue - board.base(0), true) == true { return false }
    return board.gic.write(width, value, at: address.rawValue)
  }
  func orderAccesses() {}
}
