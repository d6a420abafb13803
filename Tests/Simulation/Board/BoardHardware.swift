// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Hypervisor
import Ownership
import SMMU
import SimulatedHardware

/// A whole board: memory, CPUs with their translations, GIC, SMMU, console and firmware; and the image of EL2 in it.
///
///     0x0800_0000  Distributor
///     0x0808_0000  ITS 0, and ITS n at 0x2000_0000 + n << 20
///     0x080a_0000  Redistributors
///     0x0900_0000  console
///     0x0905_0000  SMMU
///     0x4000_0000  memory, 512 MiB; at its start the device tree
///     0x4020_0000  the image
///
/// EL2 reaches what its own stage 1 maps, the host what its stage 2 maps. Both are walked here, in memory, by code that
/// shares nothing with the code that writes the tables, and are kept until they are invalidated.
package final class BoardHardware: @unchecked Sendable {
  /// What the board is made of.
  package let options: BoardOptions
  /// All memory.
  package let memory = PhysicalMemory(hasCache: false)
  /// The interrupt controller.
  package let gic: SimulatedGIC
  /// The SMMU, where there is one.
  package let smmu: SimulatedSMMU?

  /// What EL2 has written to the console.
  package private(set) var console = ""
  /// What EL2 has left for firmware to print.
  package internal(set) var firmwareText = ""
  /// What a measurement was given to spare; nil where nothing was measured.
  package enum Spare: Equatable {
    case nothing
    case memory(PageRange)
  }
  package internal(set) var spare: Spare?
  /// What AFFINITY_INFO answers for CPUs that are not off, by MPIDR_EL1.
  package var affinityInfo: [UInt64: UInt64] = [0: 0]
  /// What firmware was asked.
  package internal(set) var calls: [SMCCC.Call] = []
  /// Whether the board is switched off.
  package internal(set) var isOff = false
  /// What EL2 did that ends it on hardware, and what broke a rule for tables.
  package var faults: [String] { accessFaults + tableLog.faults.map(\.description) }
  var accessFaults: [String] = []
  /// What happens to the tables.
  package let tableLog = TableLog()
  /// Whether the program stops at the end of a trap, or of the start-up, where a rule for tables was broken.
  package var stopsAtTableFault = true
  /// Which lock was taken with which held: pairs of ranks, the outer first.
  package private(set) var nestedLocks: Set<[LockRank]> = []
  private var heldLocks: [UInt64: HeldLocks] = [:]
  /// How many accesses to registers EL2 has made.
  package private(set) var registerAccesses = 0
  /// Which of them, counted from zero, is answered with an abort.
  package var abortedAccess: Int?
  /// Gets what EL2 does with pages of the host for an ITS.
  package var onPages: ((PageEvent) -> Void)?
  /// Looks on from the start-up on.
  package var watch: (any BoardWatch)?
  /// The clock.
  package internal(set) var ticks: UInt64 = 0
  /// The host's registers.
  package let host = HostRegisters()
  /// VTTBR_EL2 and VTCR_EL2; nil before they are loaded.
  package private(set) var translation: HostTranslationRegisters?

  private var el2Root: UInt64 = 0
  private var el2Cache: [UInt64: UInt64] = [:]
  private var hostCache: [UInt64: UInt64] = [:]
  private var buffers: [UnsafeMutableBufferPointer<UInt8>] = []
  private var open: [UInt64: UnsafeMutableBufferPointer<UInt8>] = [:]
  let places = Places()

  /// Where the tree lies.
  package static let treeBase: UInt64 = 0x4000_0000
  /// The image.
  package static let image = range(0x4020_0000, 0xa0_0000)
  private static let pool = image.base.rawValue + 0x20_0000
  /// All memory.
  package static let ram = range(0x4000_0000, 0x2000_0000)

  /// Where the parts of the image are.
  static let layout = ImageLayout(
    image: image, canary: range(image.base.rawValue + 0x1_0000, 0x1000),
    redistributorPins: PhysicalAddress(
      image.base.rawValue + 0x4_0000 + RedistributorPlace.pinsOffset),
    smmuArena: range(image.base.rawValue + 0x60_0000, 0x40_0000),
    virtualSMMUs: PhysicalAddress(image.base.rawValue + 0x7_0000),
    trace: range(image.base.rawValue + 0x10_0000, 0x10_0000),
    secondaryEntry: image.base.rawValue + 0x100)

  static func range(_ base: UInt64, _ size: UInt64) -> AddressRange {
    guard let range = AddressRange(base: PhysicalAddress(base), size: size) else {
      fatalError("bad range")
    }
    return range
  }

  /// Where the control frame of an ITS is.
  package static func its(_ index: Int) -> UInt64 {
    index == 0 ? 0x808_0000 : 0x2000_0000 + UInt64(index) << 20
  }

  /// Makes a board on which firmware has just entered the image.
  ///
  /// - Parameter onRecord: gets each record of the log of tables.
  package init(
    _ options: BoardOptions = BoardOptions(), onRecord: ((TableRecord) -> Void)? = nil
  ) throws {
    self.options = options
    tableLog.onRecord = onRecord
    memory.tableLog = tableLog
    gic = SimulatedGIC(
      memory: memory, processors: options.processors, redistributorBase: 0x80a_0000)
    for index in 0..<options.services { gic.addService(at: Self.its(index)) }
    smmu = options.hasSMMU ? SimulatedSMMU(memory: memory) : nil
    for (index, byte) in try options.compiled().enumerated() {
      memory.store(.byte, UInt64(byte), at: Self.treeBase + UInt64(index))
    }
    try begin()
  }

  deinit { for buffer in buffers { unsafe buffer.deallocate() } }

  /// Stops where a rule for tables was broken.
  func checkTables() {
    guard stopsAtTableFault, let fault = tableLog.faults.first else { return }
    preconditionFailure(fault.description)
  }

  /// This board, as a CPU sees it.
  package func platform(_ cpu: Int = 0) -> SimulatedPlatform {
    SimulatedPlatform(hardware: self, cpu: UInt64(cpu))
  }

  /// The monitor on a CPU.
  package func monitor(_ cpu: Int = 0) -> Monitor<SimulatedPlatform> { Monitor(platform(cpu)) }

  /// What the code before the MMU does.
  private func begin() throws {
    let platform = platform()
    guard
      let pages = PageRange(
        first: PageFrameNumber(Self.pool >> 12), count: options.poolPages),
      let image = PageRange(covering: Self.image), let space = VirtualLayout.space
    else { fatalError("bad range") }
    var pool = PagePool(pages: pages, memory: platform.tables(imageBase: Self.image.base))
    var stage1 = try EL2Stage1Table(space, pool: &pool, cache: platform.cache)
    el2Root = stage1.root.rawValue
    memory.publishAsHypervisor()
    tableLog.walk(.hypervisor, from: el2Root, level: 0, bits: 48)
    try stage1.map(
      image, at: VirtualLayout.linear(image.first.address), .data, pool: &pool)
    platform.state.begin(EarlyState<SimulatedPlatform>(pool: pool, stage1: stage1))
  }

  /// Starts up; nil where the board was switched off.
  package func start() -> HostStart? {
    defer { checkTables() }
    guard case .host(let start) = monitor().start(by: .loader(tree: PhysicalAddress(Self.treeBase)))
    else { return nil }
    tableLog.append(.run)
    return start
  }

  /// The host's stage 2 is loaded on a CPU.
  func load(_ new: HostTranslationRegisters) {
    translation = new
    tableLog.walk(
      .stage2, from: new.base & 0xffff_ffff_f000, level: new.control >> 6 & 3 == 0b10 ? 0 : 1,
      bits: 64 - new.control & 0x3f)
  }

  // MARK: Translation

  /// Where EL2's stage 1 leads; nil for a translation fault.
  package func el2(_ address: VirtualAddress) -> UInt64? {
    let page = address.rawValue >> 12
    if let kept = el2Cache[page] { return kept | address.rawValue & 0xfff }
    guard let (output, _) = walk(el2Root, page, level: 0, concatenated: 1) else { return nil }
    el2Cache[page] = output
    return output | address.rawValue & 0xfff
  }

  /// Where the host's stage 2 leads; nil for a translation fault.
  package func hostAddress(_ address: UInt64) -> UInt64? {
    if let kept = hostCache[address >> 12] { return kept | address & 0xfff }
    guard translation != nil else { return address }
    guard let (output, _) = walkStage2(address) else { return nil }
    hostCache[address >> 12] = output
    return output | address & 0xfff
  }

  /// Whether the host's stage 2 lets it execute what is there: XN is clear.
  package func hostMayExecute(_ address: UInt64) -> Bool {
    walkStage2(address).map { $0.leaf >> 53 & 0b11 == 0 } ?? false
  }

  private func walkStage2(_ address: UInt64) -> (output: UInt64, leaf: UInt64)? {
    guard let translation else { return nil }
    let bits = 64 - translation.control & 0x3f
    guard address >> bits == 0 else { return nil }
    let level: UInt64 = translation.control >> 6 & 3 == 0b10 ? 0 : 1
    let tables = level == 1 && bits > 39 ? UInt64(1) << (bits - 39) : 1
    return walk(
      translation.base & 0xffff_ffff_f000, address >> 12, level: level, concatenated: tables)
  }

  /// Walks a table of either stage with pages of 4 KiB to the page and its leaf (Arm ARM DDI 0487, D8.2 and D8.3).
  private func walk(
    _ root: UInt64, _ page: UInt64, level: UInt64, concatenated: UInt64
  ) -> (output: UInt64, leaf: UInt64)? {
    var table = root
    for level in level...3 {
      let shift = (3 - level) * 9
      let limit = table == root ? 512 * concatenated : 512
      let entry = memory.load(.double, at: table + (page >> shift) % limit * 8)
      guard entry & 1 == 1 else { return nil }
      let output = entry & 0xffff_ffff_f000
      if level == 3 { return entry & 2 == 2 ? (output, entry) : nil }
      if entry & 2 == 0 { return (output + (page % (1 << shift)) << 12, entry) }
      table = output
    }
    return nil
  }

  func forgetEL2(_ address: VirtualAddress, _ count: UInt64) {
    tableLog.append(.invalidateHypervisor(address: address.rawValue, count: count))
    for page in address.rawValue >> 12..<address.rawValue >> 12 + count { el2Cache[page] = nil }
  }

  func forgetHost(_ pages: PageRange?) {
    tableLog.append(.invalidateStage2(pages))
    guard let pages else { return hostCache = [:] }
    for offset in 0..<pages.count { hostCache[pages.first.rawValue + offset] = nil }
  }

  // MARK: Locks

  /// A CPU is about to wait for a lock, which must come behind all that it holds.
  func willTake(_ rank: LockRank, on cpu: UInt64) {
    tableLog.cpu = cpu
    tableLog.append(.take(rank))
    let held = heldLocks[cpu, default: HeldLocks()]
    let outer = (0...UInt8.max).compactMap(LockRank.init(rawValue:)).filter(held.contains)
    precondition(
      heldLocks[cpu, default: HeldLocks()].take(rank), "\(rank) is taken with \(outer) held")
    nestedLocks.formUnion(outer.map { [$0, rank] })
  }

  /// A CPU is about to release the last lock that it has taken.
  func willRelease(_ rank: LockRank, on cpu: UInt64) {
    tableLog.cpu = cpu
    tableLog.append(.release(rank))
    precondition(
      heldLocks[cpu, default: HeldLocks()].release(rank), "\(rank) is not the last taken")
  }

  // MARK: The bus

  /// EL2 reads a register by virtual address.
  func read(_ width: AccessWidth, at address: VirtualAddress) -> UInt64? {
    guard let physical = el2(address) else {
      accessFaults.append("EL2 reads \(hex(address.rawValue)), which is not mapped")
      return nil
    }
    guard countAccess() else { return nil }
    return readDevice(width, at: physical)
  }

  /// EL2 writes one.
  func write(_ width: AccessWidth, _ value: UInt64, at address: VirtualAddress) -> Bool {
    guard let physical = el2(address) else {
      accessFaults.append("EL2 writes \(hex(address.rawValue)), which is not mapped")
      return false
    }
    // The console is no part of what a start-up depends on.
    if physical == 0x900_0000 {
      console.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: value)))
      return true
    }
    return countAccess() && writeDevice(width, value, at: physical)
  }

  private func countAccess() -> Bool {
    defer { registerAccesses += 1 }
    return registerAccesses != abortedAccess
  }

  /// A CPU reads a register by physical address.
  package func readDevice(_ width: AccessWidth, at address: UInt64) -> UInt64? {
    switch address {
    case 0x800_0004: return 15 << 19
    case 0x800_0000..<0x801_0000, 0x900_0000..<0x900_1000: return 0
    default: break
    }
    if let smmu, smmu.base..<smmu.base + 0x2_0000 ~= address {
      return smmu.read(width, at: address - smmu.base)
    }
    return gic.read(width, at: address)
  }

  /// A CPU writes one.
  package func writeDevice(_ width: AccessWidth, _ value: UInt64, at address: UInt64) -> Bool {
    if 0x800_0000..<0x801_0000 ~= address { return true }
    if let smmu, smmu.base..<smmu.base + 0x2_0000 ~= address {
      return smmu.write(width, value, at: address - smmu.base)
    }
    return gic.write(width, value, at: address)
  }

  // MARK: Bytes

  func bytes(of range: AddressRange, isOpen: Bool) -> UnsafeMutableBufferPointer<UInt8> {
    let buffer = unsafe UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Int(range.size))
    for index in unsafe buffer.indices {
      let place = PhysicalAddress(range.base.rawValue + UInt64(index))
      if el2(VirtualLayout.linear(place)) != place.rawValue {
        accessFaults.append("EL2 reads bytes at \(place.rawValue), which is not mapped")
      }
      unsafe buffer.initializeElement(
        at: index, to: UInt8(memory.load(.byte, at: place.rawValue)))
    }
    unsafe buffers.append(buffer)
    if isOpen { unsafe open[range.base.rawValue] = buffer }
    return unsafe buffer
  }

  func publish(_ range: AddressRange) {
    guard let buffer = unsafe open.removeValue(forKey: range.base.rawValue) else { return }
    for index in unsafe buffer.indices {
      memory.store(.byte, UInt64(unsafe buffer[index]), at: range.base.rawValue + UInt64(index))
    }
  }
}
