// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import GIC
@testable import ITS
import Observing
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
  let observer: PhysicalMemory.Observer
  var isSetUp = false
  /// What EL2 has done since the trap began.
  var observations: [Observation] = []
  /// What was in EL2's queue when the hardware was told of it, since the trap began; nil where the hardware has another.
  var told: [ITSCommand]? = []
  /// Whether EL2 has begun its queue anew since then.
  var isRestarted = false
  /// GITS_CBASER as EL2 has set it up.
  var ownQueue: UInt64 = 0
  let isPlain: Bool
  var uses: [PageUse]
  /// The device whose ITT a page is for the hardware; -1 for none.
  var tableOwners: [Int64]
  var mapped: [UInt32: Range<Int>] = [:]
  /// What the last MAPD of each device has come to, as long as nobody has given a table up.
  private(set) var named: [UInt32: MappedDevice] = [:]
  /// Where the ledger is.
  private var ledger: DeviceLedger?
  /// The addresses that EL2 has pinned: the queue, and while it looks into a table a page of that.
  var pinned: [Range<UInt64>] = []
  /// The addresses of the tables of vPEs that EL2 holds.
  var held: [Range<UInt64>] = []
  /// Whether EL2 has released one in this trap.
  var hasReleased = false
  private var freeCount: UInt64 = 0
  var failures: UInt64 = 0
  /// Whether what the hardware does now is a late write to a table that was unmapped.
  var isLate = false

  /// Which doublewords of the last staged command EL2 has read.
  var wordsRead: UInt64 = 0
  var slot: UInt64 = .max
  /// What a doubleword of the staging queue becomes right after EL2 has loaded it; nil leaves it.
  package var race: ((UInt64) -> UInt64?)?
  /// Accesses to registers until one is answered with an abort.
  package var accessesToAbort: Int?
  /// Every so many stores of EL2 the hardware makes a step; zero for never.
  package var storesPerStep = 0
  var stores = 0

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
      world.reportDivergence("\(error)")
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

  func report(_ text: @autoclosure () -> String) {
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
