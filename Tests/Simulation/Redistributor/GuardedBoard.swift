// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Ownership
import Redistributor
import SimulatedHardware
import Traps

/// Offsets from the RD frame.
package enum FrameOffset {
  package static let control: UInt64 = 0x0
  package static let type: UInt64 = 0x8
  package static let waker: UInt64 = 0x14
  package static let setLPI: UInt64 = 0x40
  package static let clearLPI: UInt64 = 0x48
  package static let configuration: UInt64 = 0x70
  package static let pending: UInt64 = 0x78
  package static let invalidateLPI: UInt64 = 0xa0
  package static let invalidateAll: UInt64 = 0xb0
  package static let virtualConfiguration: UInt64 = 0x2_0070
  package static let virtualPending: UInt64 = 0x2_0078
}

/// What a `GuardedBoard` is made of.
package struct GuardedBoardOptions {
  package var processors = 2
  package var hasVirtualLPIs = false
  package var offersVirtualLPIs = false
  package var interruptIDBits: UInt64 = 16
  package var isCoherent = true
  package var affinities: [UInt32] = []
  /// More bits of GICR_TYPER, DirectLPI among them.
  package var features: UInt64 = 1 << 3
  /// Without, the host's accesses go to the hardware: the control of an attack.
  package var isMediated = true
  package var keepsLive = false
  /// One more than the largest address of the GIC.
  package var addressLimit: UInt64 = 1 << 52
  /// How far the host's addresses of memory lie above the physical ones.
  package var distance: UInt64 = 0

  /// Two Redistributors without virtual LPIs.
  package init() {}
  /// The same of a GIC with addresses below a limit.
  package init(addressLimit: UInt64) { self.addressLimit = addressLimit }
}

/// Looks at what EL2 does on a board, and at what it answers.
package protocol BoardWitness: AnyObject {
  /// A trap begins, to the Redistributor with this number.
  func willTrap(_ number: Int)
  /// Firmware has started or woken a CPU, and EL2 looks at its Redistributor.
  func willWake(_ cpu: Int)
  /// EL2 has read a register, or was answered with an abort.
  func hasRead(_ address: UInt64, _ value: UInt64?)
  /// EL2 has written one.
  func hasWritten(_ address: UInt64, _ value: UInt64, isDone: Bool)
  /// The host was told this of its load.
  func hasLoaded(_ number: Int, _ access: Access, _ effect: ReadEffect, by cpu: Int)
  /// The host was told this of its store.
  func hasStored(
    _ number: Int, _ access: Access, _ value: UInt64, _ effect: WriteEffect, by cpu: Int)
  /// A CPU may run the host, or not.
  func hasWoken(_ cpu: Int, mayRun: Bool)
  /// EL2 has taken pages of the host, or was refused them.
  func hasClaimed(_ pages: PageRange, isGranted: Bool)
}

/// Redistributors, the memory that they reach with its owners, and their mediation.
///
/// Memory is as in an `ITSWorld`. What a Redistributor touches is checked: pages that are the host's and that
/// a pin holds.
package final class GuardedBoard {
  package let options: GuardedBoardOptions
  package let gic: SimulatedGIC
  package var ownership: ITSWorld.HostOwnership
  package var guarding: MediatedRedistributors
  /// Looks on, once the host runs.
  package weak var witness: (any BoardWitness)?
  /// What hardware has touched that it must not, in words.
  package private(set) var violations: [String] = []
  /// Whether hardware has touched memory of EL2.
  package private(set) var touchesHypervisor = false
  private let slots = SlotMemory()
  private var taken: [PageRange] = []
  private var isWaking = false
  /// The writes of EL2 to hardware while nobody looks on, as offsets from the board's first RD frame.
  package private(set) var writes: [(offset: UInt64, value: UInt64)] = []
  /// Called for each access of EL2 to a register with the offset; true answers with an abort.
  package var aborts: ((UInt64, Bool) -> Bool)?

  private static let pins: UInt64 = 0x5f00_0000

  /// Makes a board; `prepare` runs before EL2 looks at the Redistributors.
  package init(
    _ options: GuardedBoardOptions = GuardedBoardOptions(),
    prepare: (GuardedBoard) -> Void = { _ in }
  ) throws {
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

  package func base(_ number: Int) -> UInt64 { gic.redistributors[number].base }

  // MARK: The host, on the Redistributor's own CPU unless another is told

  @discardableResult
  package func write(
    _ number: Int, _ offset: UInt64, _ value: UInt64, _ width: AccessWidth = .double,
    from cpu: Int? = nil
  ) -> WriteEffect {
    let address = base(number) + offset
    guard options.isMediated else {
      return gic.write(width, value & width.mask, at: address) ? .done : .refused(.externalAbort)
    }
    let access = Access(offset: offset, address: VirtualAddress(address), width: width)
    let cpu = cpu ?? number
    witness?.willTrap(number)
    let effect = guarding.write(number, access, value & width.mask, machine: machine(cpu))
    witness?.hasStored(number, access, value & width.mask, effect, by: cpu)
    return effect
  }

  package func read(
    _ number: Int, _ offset: UInt64, _ width: AccessWidth = .double, from cpu: Int? = nil
  ) -> ReadEffect {
    let address = base(number) + offset
    guard options.isMediated else {
      return gic.read(width, at: address).map(ReadEffect.value) ?? .refused(.externalAbort)
    }
    let access = Access(offset: offset, address: VirtualAddress(address), width: width)
    let cpu = cpu ?? number
    witness?.willTrap(number)
    let effect = guarding.read(number, access, machine: machine(cpu))
    witness?.hasLoaded(number, access, effect, by: cpu)
    return effect
  }

  /// Firmware has started or woken a CPU; false where the host must not run on it.
  package func wake(_ cpu: Int) -> Bool {
    witness?.willWake(cpu)
    isWaking = true
    let mayRun = guarding.wake(machine: machine(cpu))
    isWaking = false
    witness?.hasWoken(cpu, mayRun: mayRun)
    return mayRun
  }

  /// EL2 on a CPU, by the number of its Redistributor.
  package func machine(_ cpu: Int) -> BoardMachine {
    BoardMachine(board: self, affinity: gic.redistributors[cpu].typer.affinity)
  }

  package func value(
    _ number: Int, _ offset: UInt64, _ width: AccessWidth = .double, from cpu: Int? = nil
  ) -> UInt64? {
    if case .value(let value) = read(number, offset, width, from: cpu) { return value }
    return nil
  }

  /// A configuration table of the host.
  package static func configuration(_ index: UInt64 = 0) -> UInt64 {
    0x4100_0000 + index * 0x100_0000
  }
  /// A pending table of the host.
  package static func pending(_ index: UInt64 = 0) -> UInt64 { 0x4800_0000 + index * 0x20_0000 }
  /// Inner Shareable and write-back, where the registers have it.
  package static let attributes: UInt64 = 1 << 10 | 7 << 7

  /// Names tables, and enables LPIs; whether they are.
  @discardableResult
  package func enable(
    _ number: Int = 0, configuration: UInt64 = configuration(), pending: UInt64? = nil,
    bits: UInt64 = 16
  ) -> Bool {
    write(number, FrameOffset.configuration, configuration | Self.attributes | (bits - 1))
    write(
      number, FrameOffset.pending, (pending ?? Self.pending(UInt64(number))) | Self.attributes)
    return setEnabled(number, true)
  }

  /// Writes EnableLPIs; what it is then.
  @discardableResult
  package func setEnabled(_ number: Int = 0, _ enables: Bool) -> Bool {
    write(number, FrameOffset.control, enables ? 1 : 0, .word)
    return (value(number, FrameOffset.control, .word) ?? 0) & 1 != 0
  }

  /// An interrupt arrives, past all registers.
  package func pend(_ interrupt: UInt32, on number: Int = 0) {
    _ = gic.write(.double, UInt64(interrupt), at: base(number) + FrameOffset.setLPI)
  }

  /// EL2 takes a page from the host; false where it is refused.
  package func takePage(_ address: UInt64) -> Bool {
    let range = pages(at: address & ~0xfff, size: 0x1000)
    do throws(OwnershipError) {
      _ = try ownership.donate([range])
      taken.append(range)
      witness?.hasClaimed(range, isGranted: true)
      return true
    } catch {
      witness?.hasClaimed(range, isGranted: false)
      return false
    }
  }

  // MARK: What holds

  /// The pages that hardware may touch now.
  package var reachable: [PageRange] {
    gic.redistributors.flatMap(\.reachable).map { reach in
      let first = reach.base >> 12
      return pages(first, (reach.base + reach.size - 1) >> 12 - first + 1)
    }
  }

  package func isHeld(_ page: UInt64) -> Bool {
    let record = ownership.pageRecord(of: PageFrameNumber(page))
    return record.state == .sharedOwned && record.pins > 0
  }

  private func check(_ range: MemoryReach) {
    // What firmware has enabled until EL2 has looked is firmware's.
    guard !isWaking else { return }
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

  func note(_ address: UInt64, _ value: UInt64) {
    if witness == nil { writes.append((address - base(0), value)) }
  }

  /// What is violated, in words: everything that hardware may touch is held, nothing else was touched, and
  /// software has done nothing that it must not.
  package func violation() -> String? {
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
package struct BoardMachine: RedistributorMachine {
  fileprivate let board: GuardedBoard
  package let affinity: UInt32
  package var registers: BoardRegisters { BoardRegisters(board: board) }

  package func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    let first = pages.first.address.rawValue &- board.options.distance
    guard
      let found = PageRange(
        first: PageFrameNumber(containing: PhysicalAddress(first)), count: pages.count)
    else { throw .outOfRange(pages.first) }
    return try board.ownership.hold(found, in: &table)
  }
  package func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    PhysicalAddress(address.rawValue &- board.options.distance)
  }
  package func release(_ slot: UInt64, of table: inout PinTable) {
    board.ownership.release(slot, of: &table)
  }
}

/// The registers at their physical addresses.
package struct BoardRegisters: DeviceMemory {
  fileprivate let board: GuardedBoard

  package func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    if board.aborts?(address.rawValue - board.base(0), false) == true { return nil }
    let value = board.gic.read(width, at: address.rawValue)
    board.witness?.hasRead(address.rawValue, value)
    return value
  }
  package func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    board.note(address.rawValue, value)
    if board.aborts?(address.rawValue - board.base(0), true) == true { return false }
    let isDone = board.gic.write(width, value, at: address.rawValue)
    board.witness?.hasWritten(address.rawValue, value, isDone: isDone)
    return isDone
  }
  package func orderAccesses() {}
}
