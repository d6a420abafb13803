// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import FuzzWorld
import GIC
import ITS
import SimulatedHardware
import Traps

/// A small world in which everything is tried, breadth first, until a depth or a count of states.
///
/// A state is told from another by two hashes of all that decides what happens next. It is not kept
/// itself: the world goes back to a common ancestor by a journal of its memory, and forth again.
final class Explorer {
  /// What the host remembers.
  struct Host: Hashable {
    /// Where the next command goes, in commands since the queue was given.
    var staged: UInt64 = 0
    /// Commands that it has asked for.
    var asked: UInt64 = 0
    /// Which of its two pages is the queue.
    var page = 0
    /// A doorbell that runs again on each CPU, as the offset.
    var unfinished: [UInt64?] = [nil, nil]
    var isEnabled = true
    /// The last thing in the queue is something else by now.
    var isChanged = false
  }

  enum Action: Hashable {
    case stage(Int)
    case change
    case ring(cpu: Int)
    case runAgain(cpu: Int)
    case readPointer
    case step
    case runAll
    case writeLate
    case toggle
    case otherQueue
    case changeOwner
  }

  private struct Node {
    let parent: UInt32
    let action: UInt8
  }

  private struct Frame {
    let node: UInt32
    let mark: World.Mark
    let host: Host
  }

  let world: World
  let actions: [Action]
  let commands: [ITSCommand]
  private var host = Host()
  private var memory = Fingerprint()
  private var nodes: [Node] = []
  private var visited: Set<Fingerprint> = []
  private var stack: [Frame] = []
  /// How many steps led to them.
  private(set) var transitions: UInt64 = 0
  /// The depth to which everything was tried.
  private(set) var depth = 0
  /// How many states there are.
  var states: Int { visited.count }

  /// The most commands in the staging queue.
  private static let queueLimit: UInt64 = 4

  /// Every one of `commands` may be staged, and each of `actions` done.
  init(_ world: World, _ commands: [ITSCommand], _ actions: [Action]) {
    self.world = world
    self.commands = commands
    self.actions = commands.indices.map { .stage($0) } + actions
  }

  private var service: MediatedService { world.services[0] }
  private var hardware: SimulatedITS { world.gic.services[0] }

  // MARK: Before it begins

  func write(_ offset: UInt64, _ value: UInt64, _ width: AccessWidth = .double) {
    _ = service.write(offset, width, value, cpu: 0)
  }

  /// The host disables the ITS, and gives it its queue and tables.
  func start() {
    write(0, 0, .word)
    hardware.run()
    giveQueue()
    for number in 0..<2 as Range<UInt64> {
      write(
        0x100 + number * 8,
        GITSTableBase(
          base: world.hostPage(16), pages: 1, pageSize: .kib4, isIndirect: false,
          attributes: MemoryAttributes.coherent
        ).rawValue)
    }
    write(0, 1, .word)
  }

  /// Lets `count` SYNCs through; the hardware has carried them out, or not.
  func fill(_ count: Int, runs: Bool) {
    for _ in 0..<count {
      put(.sync(target: world.gic.target(of: 0, byAddress: false)))
      host.asked = host.staged
      write(0x88, offset(host.asked))
      if runs { hardware.run() }
    }
  }

  private func giveQueue() {
    host.staged = 0
    host.asked = 0
    write(
      0x80,
      GITSCommandBase(
        base: world.hostPage(host.page), pages: 1, attributes: MemoryAttributes.coherent
      ).rawValue)
  }

  private func offset(_ count: UInt64) -> UInt64 { count % 128 * ITSCommand.size }

  private func put(_ command: ITSCommand) {
    for word in 0..<4 {
      world.store(
        command.words[word],
        at: world.hostPage(host.page) + offset(host.staged) + UInt64(word) * 8)
    }
    host.staged += 1
  }

  // MARK: A step

  /// Makes a step; false where there is nothing to do.
  private func perform(_ action: Action) -> Bool {
    switch action {
    case .stage(let number):
      guard host.staged - min(host.staged, service.taken) < Self.queueLimit else { return false }
      put(commands[number])
      host.isChanged = false
    case .change:
      // The last command becomes another one, whether EL2 has looked at it or not.
      guard host.staged > 0, !host.isChanged else { return false }
      host.isChanged = true
      host.staged -= 1
      put(.mapd(1, table: world.arena(0), eventIDBits: 12))
    case .ring(let cpu):
      guard host.unfinished[cpu] == nil, host.asked != host.staged || cpu == 0 else { return false }
      host.asked = host.staged
      ring(cpu, offset(host.staged))
    case .runAgain(let cpu):
      guard let offset = host.unfinished[cpu] else { return false }
      host.unfinished[cpu] = nil
      ring(cpu, offset)
    case .readPointer: _ = service.read(0x90, .word, cpu: 0)
    case .step:
      guard hardware.step() else { return false }
    case .runAll:
      guard hardware.run() > 0 else { return false }
    case .writeLate:
      guard service.hasLate else { return false }
      service.writeLate()
    case .toggle:
      write(0, host.isEnabled ? 0 : 1, .word)
      host.isEnabled.toggle()
    case .otherQueue:
      guard !host.isEnabled else { return false }
      host.page = 1 - host.page
      // A store that is under way names the queue of before.
      giveQueue()
    case .changeOwner: world.changeOwner(1)
    }
    return true
  }

  private func ring(_ cpu: Int, _ offset: UInt64) {
    if service.write(0x88, .double, offset, cpu: UInt64(cpu)) == .again {
      host.unfinished[cpu] = offset
    }
  }

  // MARK: The search

  private func identity() -> Fingerprint {
    world.identity(memory) { $0.combine(host) }
  }

  private func push(_ node: UInt32) {
    stack.append(Frame(node: node, mark: world.mark(memory), host: host))
  }

  private func pop() {
    guard let frame = stack.popLast() else { return }
    memory = world.goBack(to: frame.mark)
    host = frame.host
  }

  /// Goes to a state; the frames are those of the way to it, each with the state before the step.
  private func visit(_ node: UInt32) {
    var path: [UInt32] = []
    var current = node
    while current != 0 {
      path.append(current)
      current = nodes[Int(current)].parent
    }
    path.reverse()
    var common = 0
    while common < min(path.count, stack.count), stack[common].node == path[common] { common += 1 }
    while stack.count > common { pop() }
    for node in path[common...] {
      push(node)
      _ = perform(actions[Int(nodes[Int(node)].action)])
      if let frame = stack.last { memory = world.fingerprint(since: frame.mark) }
    }
  }

  /// The way to a state, for a report.
  private func describe(_ node: UInt32, _ last: Action) -> String {
    var steps = ["\(last)"]
    var current = node
    while current != 0 {
      steps.append("\(actions[Int(nodes[Int(current)].action)])")
      current = nodes[Int(current)].parent
    }
    return steps.reversed().joined(separator: ", ")
  }

  /// Tries everything to `limit` steps; what was violated, and how.
  func explore(depth limit: Int) -> String? {
    world.beginJournal()
    nodes = [Node(parent: 0, action: 0)]
    visited = [identity()]
    if let violation = world.check(walks: true) { return "before the first step: \(violation)" }
    var frontier: Range<Int> = 0..<1
    while depth < limit, !frontier.isEmpty {
      for node in frontier {
        visit(UInt32(node))
        for (number, action) in actions.enumerated() {
          push(.max)
          if perform(action), let frame = stack.last {
            transitions += 1
            memory = world.fingerprint(since: frame.mark)
            if visited.insert(identity()).inserted {
              if let violation = world.check(walks: true) {
                return "\(violation): \(describe(UInt32(node), action))"
              }
              nodes.append(Node(parent: UInt32(node), action: UInt8(number)))
            } else if let violation = world.check(walks: false) {
              return "\(violation): \(describe(UInt32(node), action))"
            }
          }
          pop()
        }
      }
      frontier = frontier.upperBound..<nodes.count
      depth += 1
    }
    return nil
  }
}
