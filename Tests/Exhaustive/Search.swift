// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Dispatch
import FuzzWorld
import Glibc
import Synchronization

/// The way to each state: five bytes, its parent and the action that leads there.
struct StateTree {
  private var parents: [UInt32] = [0]
  private var actions: [UInt8] = [0]

  /// How many states there are; the first one is number zero.
  var count: Int { parents.count }
  /// The bytes of all of them.
  var bytes: Int { count * 5 }

  mutating func append(_ other: StateTree) {
    parents += other.parents.dropFirst()
    actions += other.actions.dropFirst()
  }

  mutating func append(parent: UInt32, action: Int) {
    parents.append(parent)
    actions.append(UInt8(action))
  }

  func action(of node: UInt32) -> Int { Int(actions[Int(node)]) }

  /// The states from the first one to `node`, without the first one.
  func path(to node: UInt32) -> [UInt32] {
    var path: [UInt32] = []
    var current = node
    while current != 0 {
      path.append(current)
      current = parents[Int(current)]
    }
    return path.reversed()
  }
}

/// A search, breadth first, by several threads with a world each.
///
/// Which of two equal states is kept is a matter of chance; how many there are is not.
final class Search {
  private let name: String
  private let explorers: [Explorer]
  private let table = StateTable()
  private var tree = StateTree()
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var told: ContinuousClock.Instant
  /// How many steps led to states.
  private(set) var steps = 0
  /// The depth to which everything was tried.
  private(set) var depth = 0
  /// How many states there are.
  var states: Int { tree.count }
  /// How many of the steps led to a state that was met before.
  var merged: Int { steps + 1 - states }
  /// The bytes of a state.
  var bytesPerState: Int { (table.bytes + tree.bytes) / max(1, states) }

  /// Searches with the worlds of `explorers`, which are in the same state.
  init(_ name: String, _ explorers: [Explorer]) {
    self.name = name
    self.explorers = explorers
    start = clock.now
    told = start
  }

  /// Tries everything to `limit` steps; what was violated, and how.
  func run(depth limit: Int) -> String? {
    for explorer in explorers { explorer.begin(depth: limit) }
    if let violation = explorers[0].world.check(walks: true) {
      return "before the first step: \(violation)"
    }
    _ = table.insert(explorers[0].identity(.canonical))
    var frontier = 0..<1
    while depth < limit, !frontier.isEmpty {
      if let violation = tryAll(frontier) { return violation }
      frontier = frontier.upperBound..<tree.count
      depth += 1
    }
    return nil
  }

  /// Tries everything in each state of the frontier.
  private func tryAll(_ frontier: Range<Int>) -> String? {
    let next = Atomic(frontier.lowerBound)
    let found = Mutex<(trees: [StateTree], steps: Int, violation: String?)>(([], 0, nil))
    // Each thread has an explorer, and the tree grows behind all of them.
    nonisolated(unsafe) let search = self
    DispatchQueue.concurrentPerform(iterations: explorers.count) { index in
      var tree = StateTree()
      var steps = 0
      var violation: String?
      while violation == nil {
        let first = next.add(Self.share, ordering: .relaxed).oldValue
        guard first < frontier.upperBound else { break }
        for node in first..<min(first + Self.share, frontier.upperBound) where violation == nil {
          violation = search.tryAll(UInt32(node), search.explorers[index], &tree, &steps)
        }
        if index == 0 { search.tell(first - frontier.lowerBound, of: frontier.count) }
      }
      // The others end, too.
      if violation != nil { next.store(frontier.upperBound, ordering: .relaxed) }
      found.withLock {
        $0.trees.append(tree)
        $0.steps += steps
        $0.violation = $0.violation ?? violation
      }
    }
    return found.withLock {
      for tree in $0.trees { self.tree.append(tree) }
      steps += $0.steps
      return $0.violation
    }
  }

  /// The states that a thread takes from the frontier at once: they have most of their way in common.
  private static var share: Int { 64 }

  /// Tries everything in one state; what was violated, and how.
  private func tryAll(
    _ node: UInt32, _ explorer: Explorer, _ found: inout StateTree, _ steps: inout Int
  ) -> String? {
    explorer.visit(node, in: tree)
    var violation: String?
    for action in explorer.actions.indices where violation == nil {
      explorer.attempt(action) { _ in
        steps += 1
        let isNew = table.insert(explorer.identity(.canonical))
        if isNew { found.append(parent: node, action: action) }
        violation = explorer.world.check(walks: isNew)
      }
      if let what = violation {
        violation = "\(what): \(explorer.describe(node, in: tree, action))"
      }
    }
    return violation
  }

  /// Says now and then how far it is.
  private func tell(_ done: Int, of all: Int) {
    guard clock.now - told > .seconds(30) else { return }
    told = clock.now
    let states = table.count
    print(
      "  \(name): depth \(depth + 1), \(done * 100 / all) %, \(states) states,",
      "\(rate(states)) a second, \((table.bytes + tree.bytes) >> 20) MiB")
    fflush(nil)
  }

  private func rate(_ states: Int) -> Int {
    Int(Double(states) / ((clock.now - start) / .seconds(1)))
  }

  /// A line about all of it.
  var summary: String {
    """
    \(name): \(states) states, \(steps) steps, \(merged) of them to a state that was met before, depth \
    \(depth), \(rate(states)) states a second, \(bytesPerState) bytes a state
    """
  }
}
