// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Comparison
import FuzzWorld
import GIC
import ITS
import SimulatedHardware
import Traps

/// A small world that goes from any of its states to any other, and what may be done in it.
///
/// A state is not kept itself: the world goes back to a common ancestor by a journal of its memory, and forth again.
final class Explorer {
  /// What the host remembers.
  private struct Host {
    /// Where the next command goes, in commands since the queue was given.
    var staged: UInt64 = 0
    /// Commands that it has asked for.
    var asked: UInt64 = 0
    /// Commands that it has zeroed again, for EL2 has taken them.
    var zeroed: UInt64 = 0
    /// Which of its two pages is the queue.
    var page: UInt64 = 0
    /// A doorbell that runs again on each CPU, as the offset.
    var unfinished: [UInt64?] = [nil, nil]
    var isEnabled = true
    /// The last thing in the queue is something else by now.
    var isChanged = false

    func words(_ names: CanonicalNames) -> [UInt64] {
      [
        names.count(staged), names.count(asked), names.count(zeroed),
        page | (isEnabled ? 2 : 0) | (isChanged ? 4 : 0),
      ] + unfinished.map { $0.map(names.place) ?? .max }
    }
  }

  enum Action: Hashable {
    case stage(Int)
    case change
    case ring(cpu: Int)
    case runAgain(cpu: Int)
    case readPointer
    case step
    case writeLate
    case toggle
    case otherQueue
    case changeOwner
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
  private var memory = MemorySums()
  private var stack: [Frame] = []

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
      zeroTaken()
    }
    // EL2 sees what is done.
    if runs { _ = service.read(0x90, .word, cpu: 0) }
  }

  /// The host gives one of its pages as its queue, with nothing in it; so is the queue of before.
  private func giveQueue() {
    for offset in stride(from: 0, to: 2 * 4096, by: 8) as StrideTo<UInt64> {
      zero(world.hostPage(0) + offset)
    }
    host.staged = 0
    host.asked = 0
    host.zeroed = 0
    write(
      0x80,
      GITSCommandBase(
        base: world.hostPage(Int(host.page)), pages: 1, attributes: MemoryAttributes.coherent
      ).rawValue)
  }

  private func zero(_ address: UInt64) {
    if world.load(address) != 0 { world.store(0, at: address) }
  }

  /// The host zeroes what EL2 has taken: what is behind in its queue tells no state from another.
  private func zeroTaken() {
    while host.zeroed < min(host.staged, service.taken) {
      let slot = world.hostPage(Int(host.page)) + offset(host.zeroed)
      for word in 0..<4 as Range<UInt64> { zero(slot + word * 8) }
      host.zeroed += 1
    }
  }

  private func offset(_ count: UInt64) -> UInt64 { count % 128 * ITSCommand.size }

  private func put(_ command: ITSCommand) {
    for word in 0..<4 {
      world.store(
        command.words[word],
        at: world.hostPage(Int(host.page)) + offset(host.staged) + UInt64(word) * 8)
    }
    host.staged += 1
  }

  // MARK: A step

  /// Makes a step; what the host is answered, nil where there is nothing to do.
  private func perform(_ action: Action) -> UInt64? {
    var answer: UInt64 = 0
    switch action {
    case .stage(let number):
      guard host.staged - min(host.staged, service.taken) < Self.queueLimit else { return nil }
      put(commands[number])
      host.isChanged = false
    case .change:
      // The last command becomes another one, whether EL2 has looked at it or not.
      guard host.staged > 0, !host.isChanged else { return nil }
      host.isChanged = true
      host.staged -= 1
      put(.mapd(1, table: world.arena(0), eventIDBits: 12))
    case .ring(let cpu):
      guard host.unfinished[cpu] == nil, host.asked != host.staged || cpu == 0 else { return nil }
      host.asked = host.staged
      answer = ring(cpu, offset(host.staged))
    case .runAgain(let cpu):
      guard let offset = host.unfinished[cpu] else { return nil }
      host.unfinished[cpu] = nil
      answer = ring(cpu, offset)
    case .readPointer:
      if case .value(let value) = service.read(0x90, .word, cpu: 0) { answer = value }
    case .step:
      guard hardware.step() else { return nil }
    case .writeLate:
      guard service.hasLate else { return nil }
      service.writeLate()
    case .toggle:
      write(0, host.isEnabled ? 0 : 1, .word)
      host.isEnabled.toggle()
    case .otherQueue:
      guard !host.isEnabled else { return nil }
      host.page = 1 - host.page
      // A store that is under way names the queue of before.
      giveQueue()
    case .changeOwner: world.changeOwner(1)
    }
    zeroTaken()
    return answer
  }

  private func ring(_ cpu: Int, _ offset: UInt64) -> UInt64 {
    switch service.write(0x88, .double, offset, cpu: UInt64(cpu)) {
    case .done: return 1
    case .again:
      host.unfinished[cpu] = offset
      return 2
    case .refused: return 3
    }
  }

  // MARK: From state to state

  /// Begins to search, so many steps deep, in the state as it is.
  func begin(depth: Int) { world.beginJournal(traps: depth) }

  /// How states are told apart.
  enum Form {
    /// By everything.
    case exact
    case canonical
    /// As in the canonical form, and by a mistake: places of the host's queue never tell states apart.
    case turnsAlways
    /// The same for EL2's queue.
    case hasNoEnd
  }

  /// What the state is told by.
  func identity(_ form: Form) -> Fingerprint {
    let (isCanonical, names) = (form != .exact, names(form))
    return world.identity(memory, names, canonical: isCanonical, host: host.words(names))
  }

  /// A store that is under way when the host gives another queue names a place of that, which begins at zero: in such
  /// a world places of the host's queue are what they are.
  private func names(_ form: Form) -> CanonicalNames {
    world.names(
      canonical: form != .exact, mayTurn: form == .turnsAlways || !actions.contains(.otherQueue),
      hasEnd: form != .hasNoEnd)
  }

  private func push(_ node: UInt32) {
    stack.append(Frame(node: node, mark: world.mark(memory), host: host))
  }

  /// Goes back to before the last step.
  private func pop() {
    guard let frame = stack.popLast() else { return }
    memory = world.goBack(to: frame.mark)
    host = frame.host
  }

  /// Goes to a state; the frames are those of the way to it, each with the state before the step.
  func visit(_ node: UInt32, in tree: StateTree) {
    let path = tree.path(to: node)
    var common = 0
    while common < min(path.count, stack.count), stack[common].node == path[common] { common += 1 }
    while stack.count > common { pop() }
    for node in path[common...] {
      push(node)
      _ = perform(actions[tree.action(of: node)])
      if let frame = stack.last { memory = world.sums(since: frame.mark) }
    }
  }

  /// Makes a step, looks at what it has come to, and goes back; nothing where there is nothing to do.
  ///
  /// The answer is what the host gets, with the verdicts on commands.
  func attempt(_ number: Int, _ look: (_ answer: [UInt64]) -> Void) {
    push(.max)
    let before = service.verdicts
    let names = names(.canonical)
    if let answer = perform(actions[number]), let frame = stack.last {
      memory = world.sums(since: frame.mark)
      let place = actions[number] == .readPointer ? names.place(answer & ~1) | answer & 1 : answer
      look([place] + zip(service.verdicts, before).map { $0 &- $1 })
    }
    pop()
  }

  /// The way to a state, for a report.
  func describe(_ node: UInt32, in tree: StateTree, _ last: Int? = nil) -> String {
    (tree.path(to: node).map { tree.action(of: $0) } + (last.map { [$0] } ?? []))
      .map { "\(actions[$0])" }.joined(separator: ", ")
  }
}
