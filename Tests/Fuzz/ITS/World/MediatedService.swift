// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
@testable import ITS
import Ownership
@testable import SimulatedHardware
import Trace
import Traps

/// One ITS with its mediation, and what must hold of every access of either.
///
/// What is checked as it happens:
/// - The hardware reads its queue, walks its tables and uses ITTs in pages of the arena that were
///   handed out for that, and for nothing else; it reaches no target that is no Redistributor.
/// - A MAPD that it carries out names pages that are handed out, that no other device has, and that
///   are zero as the hardware sees them; the ledger and the hardware never disagree.
/// - EL2 loads from its arena and from what it has pinned, and no doubleword of a staged command
///   twice in a trap; it stores to its arena, and to no table that the hardware uses.
/// - What EL2 frees is out of the hardware's reach at that moment, by a walk of everything.
package final class MediatedService {
  /// What a page of the arena is.
  enum PageUse: UInt8 {
    /// Free, or an ITT.
    case dynamic
    /// EL2's own records.
    case record
    case queue
    case firstLevel
    case secondLevel
    case devices
    case collections
    case vpes
  }

  /// The state at one time.
  struct State {
    let its: [UInt8]
    fileprivate let uses: [PageUse]
    fileprivate let tableOwners: [Int64]
    fileprivate let mapped: [UInt32: Range<Int>]
    fileprivate let named: [UInt32: MappedDevice]
    fileprivate let pinned: [Range<UInt64>]
    fileprivate let held: [Range<UInt64>]
    fileprivate let freeCount: UInt64
    fileprivate let failures: UInt64
  }

  unowned(unsafe) let world: World
  /// Its place in the world.
  package let index: Int
  /// The hardware.
  package let simulated: SimulatedITS
  unowned(unsafe) let memory: PhysicalMemory
  let its: UnsafeMutablePointer<MediatedITS>
  let arena: UInt64
  let arenaPages: UInt64
  /// How the hardware sees what has no attributes of its own.
  private let observer: PhysicalMemory.Observer
  private var isSetUp = false
  /// What EL2 has done since the trap began.
  private var observations: [Observation] = []
  /// What was in EL2's queue when the hardware was told of it, since the trap began; nil where the hardware has another.
  private var told: [ITSCommand]? = []
  /// Whether EL2 has begun its queue anew since then.
  private var isRestarted = false
  /// GITS_CBASER as EL2 has set it up.
  private var ownQueue: UInt64 = 0
  private let isPlain: Bool
  private(set) var uses: [PageUse]
  /// The device whose ITT a page is for the hardware; -1 for none.
  private(set) var tableOwners: [Int64]
  private(set) var mapped: [UInt32: Range<Int>] = [:]
  /// What the last MAPD of each device has come to, as long as nobody has given a table up.
  private(set) var named: [UInt32: MappedDevice] = [:]
  /// Where the ledger is.
  private var ledger: DeviceLedger?
  /// The addresses that EL2 has pinned: the queue, and while it looks into a table a page of that.
  private(set) var pinned: [Range<UInt64>] = []
  /// The addresses of the tables of vPEs that EL2 holds.
  private(set) var held: [Range<UInt64>] = []
  /// Whether EL2 has released one in this trap.
  private var hasReleased = false
  private var freeCount: UInt64 = 0
  private var failures: UInt64 = 0
  /// Whether what the hardware does now is a late write to a table that was unmapped.
  private var isLate = false

  /// Which doublewords of the last staged command EL2 has read.
  private var wordsRead: UInt64 = 0
  private var slot: UInt64 = .max
  /// What a doubleword of the staging queue becomes right after EL2 has loaded it; nil leaves it.
  package var race: ((UInt64) -> UInt64?)?
  /// Accesses to registers until one is answered with an abort.
  package var accessesToAbort: Int?
  /// Every so many stores of EL2 the hardware makes a step; zero for never.
  package var storesPerStep = 0
  private var stores = 0

  init(_ world: World, _ simulated: SimulatedITS) throws {
    self.world = world
    self.simulated = simulated
    index = simulated.index
    memory = world.gic.memory
    arena = BoardLayout.arena(index)
    arenaPages = world.setup.arenaPages
    isPlain = !world.setup.hasCache && !world.setup.hasStoreBuffer
    observer = simulated.configuration.isCoherent ? .coherentDevice : .nonCoherentDevice
    uses = Array(repeating: .dynamic, count: Int(arenaPages))
    tableOwners = Array(repeating: -1, count: Int(arenaPages))
    its = .allocate(capacity: 1)
    guard let pages = PageRange(first: PageFrameNumber(arena >> 12), count: arenaPages) else {
      fatalError("bad arena")
    }
    let machine = EL2Machine(service: self, cpu: 0)
    its.initialize(
      to: try MediatedITS.setUp(
        ITSSetup(
          frame: VirtualAddress(simulated.base), arena: pages, addressLimit: 1 << 48,
          isNonCoherent: world.setup.isNonCoherent, policy: world.setup.policy,
          cpus: UInt64(world.setup.processors)), machine: machine
      ) { targets, typer in
        world.gic.redistributors.allSatisfy {
          targets.add(
            PhysicalAddress($0.base), $0.typer, byAddress: typer.targetsAreAddresses,
            memory: machine.memory)
        }
      })
    ledger = its.pointee.devices
    classify()
    freeCount = its.pointee.arena.freeCount
    simulated.onCommand = { [unowned(unsafe) self] in check($0) }
    ownQueue = simulated.queueBase.rawValue
    isSetUp = true
  }

  deinit { its.deallocate() }

  private func classify() {
    for page in 0..<Int(arenaPages) where isTaken(page) { uses[page] = .record }
    func classify(_ base: UInt64, _ size: UInt64, _ use: PageUse) {
      for page in 0..<Int(size >> 12) { uses[Int((base - arena) >> 12) + page] = use }
    }
    classify(simulated.queueBase.base, simulated.queueBase.size, .queue)
    for number in 0..<8 {
      let table = simulated.tableBase(number)
      guard table.isValid else { continue }
      let use: PageUse =
        switch table.kind {
        case .devices: table.isIndirect ? .firstLevel : .devices
        case .vpes: .vpes
        default: .collections
        }
      classify(table.base, table.size, use)
    }
  }

  // MARK: The host

  /// A store of the host to the control frame, once.
  package func write(
    _ offset: UInt64, _ width: AccessWidth, _ value: UInt64, cpu: UInt64
  ) -> WriteEffect {
    // What dispatch sees to.
    guard width.bytes >= 4, offset & (width.bytes - 1) == 0 else { return .refused(.misaligned) }
    forgetReads()
    (observations, told, isRestarted) = ([], [], false)
    let tables = its.pointee.tableBases
    let effect = its.pointee.write(
      Access(offset: offset, address: VirtualAddress(simulated.base + offset), width: width),
      value & width.mask, machine: EL2Machine(service: self, cpu: cpu))
    if (0..<8).contains(where: { tables[$0] != its.pointee.tableBases[$0] }) { named = [:] }
    if offset == 0 { checkKept() }
    endTrap()
    compare(.store(offset: offset, width, value & width.mask), cpu, Effect(effect))
    return effect
  }

  /// EL2 has the ITS come to rest, before the system is suspended.
  package func pause() {
    forgetReads()
    (observations, told, isRestarted) = ([], [], false)
    its.pointee.pause(machine: EL2Machine(service: self, cpu: 0))
    endTrap()
    compare { (comparison) throws(Divergence) in
      try comparison?.paused(its: index, observations, its.pointee, memory, told: told)
    }
  }

  /// EL2 has the ITS go on, or looks what firmware has left of it.
  package func wake() {
    forgetReads()
    (observations, told, isRestarted) = ([], [], false)
    its.pointee.wake(machine: EL2Machine(service: self, cpu: 0))
    checkKept()
    endTrap()
    compare { (comparison) throws(Divergence) in
      try comparison?.woke(its: index, observations, its.pointee, memory, told: told)
    }
  }

  /// Whether what was done since the trap began is what the specification permits.
  private func compare(_ entrance: Entrance, _ cpu: UInt64, _ effect: Effect) {
    compare { (comparison) throws(Divergence) in
      try comparison?.finish(
        its: index, entrance, by: Int(cpu), effect, observations, its.pointee, memory, told: told)
    }
  }

  private func compare(_ body: (inout BoardComparison?) throws(Divergence) -> Void) {
    guard world.comparison != nil else { return }
    do throws(Divergence) {
      try body(&world.comparison)
    } catch {
      world.reportDivergence("ITS \(index): \(error)")
    }
    if let violation = world.comparison?.violation {
      world.reportDivergence("ITS \(index): \(violation)")
    }
  }

  /// A host that goes on with its tables as they were finds its devices.
  private func checkKept() {
    guard !isBroken else { return }
    for device in named.keys where ledger?.find(device, memory: EL2Memory(service: self)) == nil {
      report("device \(device) is forgotten, and its table is as it was")
    }
  }

  /// A load of the host from the control frame.
  package func read(_ offset: UInt64, _ width: AccessWidth, cpu: UInt64) -> ReadEffect {
    guard width.bytes >= 4, offset & (width.bytes - 1) == 0 else { return .refused(.misaligned) }
    forgetReads()
    (observations, told, isRestarted) = ([], [], false)
    let effect = its.pointee.read(
      Access(offset: offset, address: VirtualAddress(simulated.base + offset), width: width),
      machine: EL2Machine(service: self, cpu: cpu))
    endTrap()
    compare(.load(offset: offset, width), cpu, Effect(effect))
    return effect
  }

  /// How many commands the mediation has taken since the queue was given.
  package var taken: UInt64 { its.pointee.staging.taken }

  /// Whether the mediation has given the hardware up.
  package var isBroken: Bool { its.pointee.isBroken }

  /// At the start of a trap, and when EL2 has looked into a table: two of them may be in one place.
  @inline(__always)
  private func forgetReads() {
    slot = .max
    wordsRead = 0
  }

  private func endTrap() {
    if its.pointee.arena.freeCount > freeCount || hasReleased { walk() }
    hasReleased = false
    freeCount = its.pointee.arena.freeCount
    let staging = its.pointee.staging.register.size
    if its.pointee.staging.askedOffset >= staging { report("GITS_CWRITER past the end") }
    if its.pointee.staging.asked &- its.pointee.staging.taken >= staging / ITSCommand.size {
      report("more commands asked for than the queue holds")
    }
    checkFailures()
  }

  /// Takes note of the verdict on a command.
  func count(_ command: TracedCommand) {
    let number = UInt8(truncatingIfNeeded: command.word0)
    switch command.verdict {
    case .accepted:
      world.tally.accept(number)
      if number == ITSOpcode.mapd.rawValue {
        check(
          mapping: ITSCommand(command.word0, command.word1, command.word2, command.word3))
      }
    case .later: break
    case .refused(let reason):
      guard let reason = CommandRefusalReason(rawValue: reason) else {
        return report("a command refused for no reason")
      }
      world.tally.refuse(number, reason)
    }
  }

  /// A device that is mapped as it was keeps its table, and any other has what the command says.
  private func check(mapping command: ITSCommand) {
    guard command.isValid else { return named[command.deviceID] = nil }
    let now = ledger?.find(command.deviceID, memory: EL2Memory(service: self))
    guard let now, now.name == command.translationTable,
      now.eventIDBits == command.eventIDBitsMinusOne + 1
    else { return report("MAPD of device \(command.deviceID) is not in the ledger") }
    if let old = named[command.deviceID], old.name == now.name,
      old.eventIDBits == now.eventIDBits, old.table != now.table
    {
      report("device \(command.deviceID) has lost what was in its table")
    }
    named[command.deviceID] = now
  }

  /// EL2 has looked into a table of the host's: one that is empty takes with it what was mapped.
  func look(_ look: TracedLook) {
    if look.value == 0 { named = [:] }
    forgetReads()
  }

  // MARK: EL2

  /// What EL2 does in a trap, where it is compared.
  private func observe(_ observation: Observation) {
    if world.comparison != nil { observations.append(observation) }
  }

  func shareAndPin(_ pages: PageRange) throws(OwnershipError) -> Pin<1> {
    do throws(OwnershipError) {
      let pin = try world.pages.shareAndPin(pages)
      pinned.append(Self.addresses(pages))
      observe(.pinned(pages, isGranted: true))
      return pin
    } catch {
      observe(.pinned(pages, isGranted: false))
      throw error
    }
  }

  func unpinAndUnshare(_ pin: consuming Pin<1>) {
    observe(.unpinned(pin[0].pages))
    let range = Self.addresses(pin[0].pages)
    if let index = pinned.lastIndex(of: range) { pinned.remove(at: index) }
    if !world.pages.unpinAndUnshare(pin),
      !world.services.contains(where: { ($0.pinned + $0.held).contains { $0.overlaps(range) } })
    {
      report("a page that was pinned can't be unshared")
    }
  }

  private static func addresses(_ pages: PageRange) -> Range<UInt64> {
    pages.first.address.rawValue..<pages.first.address.rawValue + pages.count << 12
  }

  func hold(_ pages: PageRange, in table: inout PinTable) throws(OwnershipError) -> UInt64 {
    if !world.setup.offersVPEs { report("a table of a vPE") }
    let slot = try world.pages.hold(pages, in: &table)
    held.append(Self.addresses(pages))
    return slot
  }

  func release(_ slot: UInt64, of table: inout PinTable) {
    guard let pages = world.pages.release(slot, of: &table).map(Self.addresses),
      let index = held.lastIndex(of: pages)
    else { return report("a table of a vPE is released that is not held") }
    held.remove(at: index)
    hasReleased = true
  }

  @inline(__always)
  func load(_ address: UInt64) -> UInt64 {
    if (address &- arena) >> 12 < arenaPages { return memory.load(.double, at: address) }
    if !memory.answers(address) { report("EL2 ends: no answer from \(hex(address))") }
    return loadStaged(address)
  }

  @inline(__always)
  func tryLoad(_ address: UInt64) -> UInt64? {
    let value = memory.answers(address) ? loadStaged(address) : nil
    observe(.loaded(address, value: value))
    return value
  }

  private func loadStaged(_ address: UInt64) -> UInt64 {
    guard pinned.contains(where: { $0.contains(address) }), address & 7 == 0 else {
      report("EL2 loads from \(hex(address))")
      return 0
    }
    if address & ~31 != slot {
      slot = address & ~31
      wordsRead = 0
    }
    let number = address >> 3 & 3
    if wordsRead >> number & 1 != 0 { report("EL2 loads \(hex(address)) twice") }
    if !MemoryAttributes.isCoherent(its.pointee.staging.register.rawValue), memory.isStale(address)
    {
      report("EL2 sees at \(hex(address)) what was there before")
    }
    let value = memory.load(.double, at: address)
    wordsRead |= 1 << number
    if let race, let changed = race(value) { memory.store(.double, changed, at: address) }
    return value
  }

  @inline(__always)
  func store(_ value: UInt64, at address: UInt64) {
    let page = (address &- arena) >> 12
    guard page < arenaPages, address & 7 == 0 else { return storeMark(value, at: address) }
    if isSetUp { check(value, storedIn: Int(page), address) }
    // Without a cache and a buffer there is no difference, and a table is no queue to look after.
    let isTable = isPlain && uses[Int(page)] == .dynamic
    if isTable, memory.load(.double, at: address) == value { return }
    if world.journal != nil { world.keep(address, 8) }
    memory.store(.double, value, at: address, by: isTable ? .nonCoherentDevice : .processor)
  }

  /// A store to the host's memory, which is a mark in a table that was empty when EL2 looked.
  private func storeMark(_ value: UInt64, at address: UInt64) {
    guard value == 1, pinned.last?.lowerBound == address else {
      return report("EL2 stores to \(hex(address))")
    }
    if world.journal != nil { world.keep(address, 8) }
    memory.store(.double, value, at: address)
  }

  private func check(_ value: UInt64, storedIn page: Int, _ address: UInt64) {
    switch uses[page] {
    case .record, .queue: break
    case .firstLevel:
      let target = TableFirstLevelEntry(rawValue: value)
      let size = tableSize
      if target.isValid {
        for offset in stride(from: 0, to: size, by: 4096) {
          takeSecondLevel(target.page + offset)
        }
      }
    case .dynamic:
      if tableOwners[page] >= 0 { report("EL2 changes the live ITT at \(hex(address))") }
    case .secondLevel, .devices, .collections, .vpes:
      report("EL2 changes the live table at \(hex(address))")
    }
    if storesPerStep > 0 {
      stores += 1
      if stores % storesPerStep == 0 { simulated.step() }
    }
  }

  /// The bytes of a second-level page.
  private var tableSize: UInt64 {
    for number in 0..<8 {
      let table = simulated.tableBase(number)
      if table.isValid, table.kind == .devices { return table.pageSize.bytes }
    }
    return 4096
  }

  private func takeSecondLevel(_ address: UInt64) {
    let page = (address &- arena) >> 12
    guard page < arenaPages, uses[Int(page)] == .dynamic, tableOwners[Int(page)] < 0,
      isTaken(Int(page))
    else { return report("a second level at \(hex(address))") }
    for offset in stride(from: 0, to: 4096, by: 8) as StrideTo<UInt64>
    where memory.load(.double, at: address + offset, by: observer) != 0 {
      return report("a second level at \(hex(address)) that isn't zero")
    }
    uses[Int(page)] = .secondLevel
  }

  func read(_ width: AccessWidth, _ address: UInt64) -> UInt64? {
    let value = mayAccess(width, address) ? world.gic.read(width, at: address) : nil
    observe(.read(offset: address &- simulated.base, value: value))
    return value
  }

  func write(_ width: AccessWidth, _ value: UInt64, _ address: UInt64) -> Bool {
    switch address &- simulated.base {
    case ITSRegister.commandBase.offset: isRestarted = true
    case ITSRegister.commandWrite.offset: tell(upTo: value)
    default: break
    }
    let isDone = mayAccess(width, address) && world.gic.write(width, value, at: address)
    observe(.wrote(offset: address &- simulated.base, value: value, isDone: isDone))
    return isDone
  }

  /// The hardware is about to be told of slots, or that the queue begins.
  private func tell(upTo value: UInt64) {
    let end = GITSQueuePointer(rawValue: value).offset
    // With Retry it is told nothing new.
    guard world.comparison != nil, !isRestarted || end != 0, value & 1 == 0 else { return }
    let queue = simulated.queueBase
    var place = simulated.writePointer.offset
    guard queue.rawValue == ownQueue, end < queue.size else {
      told = nil
      return
    }
    while place != end {
      let address = queue.base + place
      func word(_ index: UInt64) -> UInt64 {
        memory.load(.double, at: address + index * 8, by: observer)
      }
      let command = ITSCommand(word(0), word(1), word(2), word(3))
      told?.append(command)
      if command.opcode == .mapd, command.isValid { checkZero(command) }
      place = (place + ITSCommand.size) % queue.size
    }
  }

  /// The table that a MAPD names is zero when the hardware is told.
  private func checkZero(_ command: ITSCommand) {
    let bytes = simulated.configuration.translationEntrySize << (command.eventIDBitsMinusOne + 1)
    memory.forEachNonzero(in: command.translationTable, size: bytes, by: observer) { address, _ in
      world.reportDivergence("ITS \(index): \(hex(address)), which MAPD names, is not zero")
    }
  }

  private func mayAccess(_ width: AccessWidth, _ address: UInt64) -> Bool {
    if address & (width.bytes - 1) != 0 { report("EL2 accesses \(hex(address)) misaligned") }
    guard let left = accessesToAbort else { return true }
    accessesToAbort = left - 1
    return left > 0
  }

  // MARK: The hardware

  /// Whether a page is handed out: the arena's bitmap is in its first page.
  @inline(__always)
  private func isTaken(_ page: Int) -> Bool {
    memory.load(.double, at: arena + UInt64(page / 64 * 8)) >> UInt64(page % 64) & 1 != 0
  }

  /// Whether something was unmapped that the hardware may still write.
  package var hasLate: Bool { !simulated.state.lingering.isEmpty }

  /// Late writes to everything that was unmapped and not synchronised.
  package func writeLate() {
    isLate = true
    simulated.writeLingering()
    isLate = false
  }

  /// What the hardware is about to do to memory.
  @inline(__always)
  func check(_ range: MemoryReach) {
    if range.use == .virtualPendingTable {
      if !isHeld(range) { report("the hardware touches \(range)") }
      return
    }
    let page = (range.base &- arena) >> 12
    let last = (range.base &+ range.size &- 1 &- arena) >> 12
    guard range.size > 0, page < arenaPages, last < arenaPages,
      permits(range.use, Int(page)), page == last || permits(range.use, Int(last))
    else { return report("the hardware touches \(range)") }
  }

  /// Whether a reach lies in a table of a vPE that is held.
  private func isHeld(_ range: MemoryReach) -> Bool {
    held.contains { $0.lowerBound <= range.base && range.base + range.size <= $0.upperBound }
  }

  @inline(__always)
  private func permits(_ use: MemoryUse, _ page: Int) -> Bool {
    switch use {
    case .queue: uses[page] == .queue
    case .firstLevel(.devices): uses[page] == .firstLevel
    case .table(.devices): uses[page] == .devices || uses[page] == .secondLevel
    case .table(.collections): uses[page] == .collections
    case .table(.vpes): uses[page] == .vpes
    case .translationTable:
      uses[page] == .dynamic && (tableOwners[page] >= 0 || isLate) && isTaken(page)
    default: false
    }
  }

  /// What the hardware is about to carry out.
  private func check(_ command: ITSCommand) {
    guard command.opcode == .mapd else { return }
    let id = command.deviceID
    if let old = mapped.removeValue(forKey: id) {
      for page in old { tableOwners[page] = -1 }
    }
    guard command.isValid else { return }
    guard world.setup.policy.devices.permits(id) else {
      return report("MAPD of a device that is not permitted")
    }
    let size =
      simulated.configuration.translationEntrySize << (command.eventIDBitsMinusOne + 1)
    let base = command.translationTable
    let first = (base &- arena) >> 12
    let last = (base &+ size &- 1 &- arena) >> 12
    guard first <= last, last < arenaPages else { return report("MAPD of \(hex(base))") }
    for page in Int(first)...Int(last) {
      guard uses[page] == .dynamic, isTaken(page), tableOwners[page] < 0 else {
        return report("MAPD of \(hex(base)) with a page that is used otherwise")
      }
      tableOwners[page] = Int64(id)
    }
    mapped[id] = Int(first)..<Int(last) + 1
    for address in stride(from: base, to: base + size, by: 8)
    where memory.load(.double, at: address, by: observer) != 0 {
      return report("MAPD of \(hex(base)), which isn't zero")
    }
    for lingering in simulated.state.lingering
    where base < lingering.range.base + lingering.range.size && lingering.range.base < base + size {
      return report("MAPD of \(hex(base)), which the hardware may still write")
    }
  }

  /// The ledgers are right: what passed a rule about devices, collections, targets or INTIDs does not
  /// fail for one of them.
  @inline(__always)
  func checkFailures() {
    guard simulated.failedCommands != failures else { return }
    failures = simulated.failedCommands
    switch simulated.lastError {
    case .unmappedInterrupt, .unmappedCollection, .injected, nil: break
    // Nobody keeps which events are of a vPE, or how many vINTIDs an ITS has room for.
    case .unmappedVPE, .virtualTableSizeOutOfRange: break
    case .some(let error): report("the hardware fails with \(error)")
    }
  }

  /// Walks everything that the hardware can reach.
  package func walk() {
    // What the hardware has changed and keeps to itself is not what memory says.
    simulated.writeBackEntries()
    var seen = Set<MemoryReach>()
    var owners = [Int32](repeating: -1, count: Int(arenaPages))
    for (number, range) in simulated.reachable.enumerated() {
      if range.use == .queue {
        if range.base < arena || range.base + range.size > arena + arenaPages << 12 {
          report("the queue is at \(hex(range.base))")
        }
        continue
      }
      if range.use == .virtualPendingTable {
        guard isHeld(range) else { return report("the hardware reaches \(range)") }
        continue
      }
      // The same table may be known from memory and from what the hardware keeps.
      guard seen.insert(range).inserted else { continue }
      let first = (range.base &- arena) >> 12
      let last = (range.base &+ range.size &- 1 &- arena) >> 12
      guard range.use != .strayTarget, range.size > 0, first <= last, last < arenaPages else {
        return report("the hardware reaches \(range)")
      }
      for page in Int(first)...Int(last) {
        let isRight: Bool =
          switch range.use {
          case .translationTable: uses[page] == .dynamic
          case .firstLevel(.devices): uses[page] == .firstLevel
          case .table(.devices): uses[page] == .devices || uses[page] == .secondLevel
          case .table(.collections): uses[page] == .collections
          case .table(.vpes): uses[page] == .vpes
          default: false
          }
        guard isRight, isTaken(page) else { return report("the hardware reaches \(range)") }
        guard owners[page] < 0 else { return report("two tables overlap at \(range)") }
        owners[page] = Int32(number)
      }
    }
  }

  private func report(_ text: @autoclosure () -> String) {
    world.report("ITS \(index): \(text())")
  }

  /// The state; assigning a kept one goes back to it.
  var state: State {
    get {
      State(
        its: bytes(of: its, 1), uses: uses, tableOwners: tableOwners, mapped: mapped,
        named: named,
        pinned: pinned, held: held, freeCount: freeCount, failures: failures)
    }
    set {
      setBytes(of: its, newValue.its)
      uses = newValue.uses
      tableOwners = newValue.tableOwners
      mapped = newValue.mapped
      named = newValue.named
      pinned = newValue.pinned
      held = newValue.held
      freeCount = newValue.freeCount
      failures = newValue.failures
      simulated.failedCommands = newValue.failures
      accessesToAbort = nil
      race = nil
      storesPerStep = 0
    }
  }
}

extension Effect {
  init(_ effect: WriteEffect) {
    switch effect {
    case .done: self = .done
    case .again: self = .again
    case .refused: self = .aborted
    }
  }

  init(_ effect: ReadEffect) {
    switch effect {
    case .value(let value): self = .value(value)
    case .refused: self = .aborted
    }
  }
}
