// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import GIC
import Hypervisor
import Simulation
@testable import SimulatedHardware
@testable import Specification

/// A host that is trusted at first, or not, on a board of up to three ITSes, beside the specification.
///
/// It sets ITSes up, hands them over well and badly, and ends the trust; each call is compared.
final class HandoverWalk {
  /// How many steps a walk has, if the board is on so long, and how many behind the end of the trust.
  private static let steps: (all: UInt64, behind: UInt64) = (60, 8)

  let board: BoardHardware
  var dice: SeededGenerator
  private var world: Specification.World
  private(set) var reach: [Rule: Int] = [:]
  private(set) var hosts: [HandoverHost] = []
  /// How many steps were made.
  private(set) var made: UInt64 = 0
  /// How many are left where the host is not trusted.
  private var left = HandoverWalk.steps.behind
  /// What is wrong; empty for nothing.
  private(set) var problems: [String] = []
  /// The ITS for which EL2 claims pages.
  private var claiming: Int?
  /// What EL2 has pinned in this call.
  private var pinned: [PageRange] = []

  /// Makes the board of a number and starts it; `tree` gives the device tree of options.
  init(number: UInt64, tree: (BoardOptions) throws -> [UInt8]) throws {
    dice = SeededGenerator(seed: number)
    let count = dice.below(16) == 0 ? 0 : 1 + Int(dice.below(3))
    let isTrusted = dice.below(8) != 0
    var options = BoardOptions()
    options.services = count
    if isTrusted { options.bootArguments = "portcullis.handover" }
    options.tree = try tree(options)
    board = try BoardHardware(options)
    // The rules for tables have their own tests.
    board.stopsAtTableFault = false
    var memory = [
      Self.pages(BoardHardware.image.base.rawValue, BoardHardware.image.size): Owner.el2
    ]
    for index in 0..<count {
      memory[Self.pages(HandoverHost.base(index), HandoverHost.size)] = .host
    }
    world = Specification.World(
      board: Specification.Board(interruptIDBits: 16, commandsPerTrap: 1, bytesPerTrap: 1),
      pages: Pages(initial: memory), itses: [], redistributors: [])
    world.handover.isTrusted = isTrusted
    guard board.start() != nil else {
      problems.append("the board does not start: \(board.console)")
      return
    }
    for index in 0..<count {
      hosts.append(HandoverHost(board, index))
      world.itses.append(Self.state(index, board.gic.services[index].typer))
      world.handover.phases[index] = isTrusted ? .forwarded : .mediated
    }
    board.onPages = { [unowned(unsafe) self] in follow($0) }
    compare()
  }

  static func pages(_ base: UInt64, _ size: UInt64) -> PageRange {
    guard let range = PageRange(first: PageFrameNumber(base >> 12), count: size >> 12) else {
      fatalError("bad range")
    }
    return range
  }

  /// An ITS of which nothing counts here but its hardware's Enabled, and its queue in the host's memory.
  private static func state(_ index: Int, _ type: GITSTyper) -> ITSState {
    let none = GITSCommandBase(rawValue: 0)
    let tables = [GITSTableBase](repeating: GITSTableBase(rawValue: 0), count: 8)
    let identity = ITSIdentity(
      type: type, devicePlaces: 0, collectionPlaces: 0, arena: [], commandBase: none, tables: tables
    )
    // In EL2's memory, and nobody else's.
    let queue = pages(BoardHardware.image.base.rawValue + UInt64(index) << 12, 0x1000)
    return ITSState(
      identity: identity, hardware: ITSHardware(commandBase: none, tables: tables),
      host: HostRegisters(tables: tables), commit: CommitQueue(pages: queue))
  }

  /// How often each rule has permitted an outcome, by its name.
  ///
  /// Without those of devices, of which no board here has one.
  var reached: [String: Int] {
    let others: Set<Rule> = [
      .prepareMayRefuse, .notedAsAwayFirst, .revokeIsConfirmed, .gainMaps, .commitIsLast,
    ]
    return Dictionary(
      uniqueKeysWithValues: reach.filter { !others.contains($0.key) }.map {
        ($0.key.rawValue, $0.value)
      })
  }

  /// Whether there is nothing more to do.
  var isOver: Bool {
    made >= Self.steps.all || left == 0 || board.isOff || !problems.isEmpty
  }

  /// Whether a page is the host's and nothing holds it.
  func isFree(_ page: UInt64) -> Bool {
    let page = PageFrameNumber(page)
    return world.pages.owner(of: page) == .host && world.pages.pins(of: page) == 0
  }

  /// Whether a page is the host's.
  func isHosts(_ page: UInt64) -> Bool { world.pages.owner(of: PageFrameNumber(page)) == .host }

  /// Whether an ITS may be handed over.
  func isOffered(_ index: Int) -> Bool {
    world.handover.isTrusted && world.handover.phases[index] == .forwarded
  }

  // MARK: Steps

  /// Makes one.
  func step() {
    made += 1
    if !world.handover.isTrusted { left -= 1 }
    // Now and then one that is not there.
    let isBeyond = hosts.isEmpty || dice.below(16) == 0
    let index = Int(dice.below(UInt64(hosts.count) + (isBeyond ? 1 : 0)))
    switch dice.below(12) {
    // What was handed over stays as it is.
    case 0..<3 where index < hosts.count && world.handover.phases[index] != .handedOver:
      hosts[index].setUp(&dice)
    case 3 where index < hosts.count: hosts[index].disable()
    case 4 where index < hosts.count: hosts[index].command(&dice, mayWait: isForwarded(index))
    case 5..<11: handOver(index)
    case 11 where dice.below(2) == 0 || !world.handover.isTrusted: finalise()
    default: break
    }
    if problems.isEmpty { compare() }
  }

  private func isForwarded(_ index: Int) -> Bool { world.handover.phases[index] == .forwarded }

  private func handOver(_ index: Int) {
    guard !hosts.isEmpty else { return finalise() }
    let host = hosts[min(index, hosts.count - 1)]
    var descriptor = host.describe()
    let flaw = Flaw.any(&dice)
    descriptor.spoil(flaw, host, &dice)
    host.write(descriptor)
    let expected = index < hosts.count ? expectedAnswer(descriptor, host) : -3
    (claiming, pinned) = (index, [])
    let found = Int64(
      bitPattern: board.call(.own(HypervisorService.handOver, UInt64(index), descriptor.place)).x0)
    claiming = nil
    guard problems.isEmpty else { return }
    if found != expected {
      return problems.append(
        "a handover of ITS \(index), \(flaw): expected \(expected), found \(found)")
    }
    let succeeds = found == 0
    if succeeds { hold(host) }
    let outcomes = world.handingOver(
      its: index, succeeds: succeeds, uses: succeeds ? host.uses(descriptor) : [])
    guard let answer = take(outcomes), (answer == .done) == succeeds else {
      return problems.append(
        "a handover of ITS \(index), \(flaw): answers \(found), which is not permitted")
    }
    if !succeeds, !pinned.isEmpty { problems.append("a handover that failed holds \(pinned)") }
    if succeeds { host.goOn(in: descriptor) }
  }

  /// The staging queue stays the host's, and is held.
  private func hold(_ host: HandoverHost) {
    guard pinned.count == 1,
      let next = world.holding(pinned[0], for: .stagingQueue(its: host.index))
    else { return problems.append("the handover of ITS \(host.index) holds \(pinned)") }
    world = next
    world[host.index].host.commandBase = GITSCommandBase(
      base: pinned[0].first.address.rawValue, pages: pinned[0].count, attributes: 0)
  }

  private func finalise() {
    for host in hosts { world[host.index].hardware.isEnabled = host.isLive }
    var outcomes = world.finalising()
    // It names both rules; one of them is what happens.
    for index in outcomes.indices {
      let isOff = outcomes[index].world.handover.isOff
      outcomes[index].rules.removeAll {
        $0 == (isOff ? .finaliseMediatesTheDisabled : .liveITSSwitchesOff)
      }
    }
    let answer = take(outcomes)
    let found = board.call(.own(HypervisorService.finalise)).x0
    if world.handover.isOff { return }
    if answer != .value(found) {
      problems.append(
        "finalise: expected \(String(describing: answer)), found \(found), \(board.console.suffix(100))"
      )
    }
  }

  // MARK: The specification

  private func take(_ outcomes: [Outcome]) -> Answer? {
    guard let outcome = outcomes.first else { return nil }
    world = outcome.world
    for rule in outcome.rules { reach[rule, default: 0] += 1 }
    return outcome.answer
  }

  /// EL2 has done something with pages.
  private func follow(_ event: PageEvent) {
    switch event {
    case .claimed(let range, isGranted: true): change(.claim, range)
    case .claimed(let range, isGranted: false):
      let answer = take(
        world.preparing(OwnerChange(kind: .claim, range: range, handover: claiming)))
      if answer == .done || answer == nil { problems.append("a claim of \(range) is refused") }
    case .gaveBack:
      guard let claiming else { return problems.append("pages are given back without a handover") }
      for range in world.handover.pages[claiming, default: []].reversed() {
        change(.giveBack, range)
      }
    case .pinned(let range): if claiming != nil { pinned.append(range) }
    case .unpinned(let range):
      guard claiming != nil else { return }
      guard let place = pinned.lastIndex(of: range) else {
        return problems.append("\(range) is let go of, and was not held")
      }
      pinned.remove(at: place)
    }
  }

  /// Pages change hands for a handover, step by step.
  private func change(_ kind: OwnerChange.Kind, _ range: PageRange) {
    let isDone =
      claiming != nil
      && take(world.preparing(OwnerChange(kind: kind, range: range, handover: claiming))) == .done
      && take(world.proceeding()) == .done && take(world.proceeding()) == .done
    if !isDone { problems.append("\(kind) of \(range) is not permitted") }
  }

  /// The board against the specification.
  private func compare() {
    if board.isOff != world.handover.isOff {
      return problems.append("off: expected \(world.handover.isOff), found \(board.isOff)")
    }
    if let fault = board.faults.first { problems.append(fault) }
    if let violation = world.violations().first {
      problems.append("the invariant, \(violation.rule.rawValue): \(violation.what)")
    }
    // Nobody goes on there.
    if board.isOff { return }
    for host in hosts {
      for page in Self.pages(host.base, HandoverHost.size).pages {
        let address = page.address
        let isHosts = board.hostAddress(address.rawValue) == address.rawValue
        let isEL2s = !isHosts && board.el2(VirtualLayout.linear(address)) == address.rawValue
        let owner = world.pages.owner(of: page)
        if isHosts != (owner == .host) || isEL2s != (owner == .el2) {
          problems.append(
            "page \(page): expected \(String(describing: owner)), the host reaches it \(isHosts), EL2 has it \(isEL2s)"
          )
        }
      }
      if host.seesHardware != isForwarded(host.index) {
        problems.append(
          "ITS \(host.index) is \(String(describing: world.handover.phases[host.index])), its hardware seen \(host.seesHardware)"
        )
      }
    }
  }
}

extension SMCCC.Call {
  /// A call of Portcullis' own.
  fileprivate static func own(_ request: UInt64, _ argument: UInt64 = 0, _ second: UInt64 = 0)
    -> Self
  {
    SMCCC.Call(HypervisorService.function, request, argument, second)
  }
}
