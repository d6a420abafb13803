// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld
import GIC
import Glibc
import ITS
import SimulatedHardware

/// Tries all interleavings of a host's and the hardware's steps in small worlds: two devices of one
/// page each, two collections, two CPUs, two pages for queues of four commands.
///
///     exhaustive [--deeper N] [--check 1]
///
/// Each trap is compared with the specification. Each world has a depth of its own, and is searched so many steps
/// deeper, or less deep. With `--check` states that the search takes for one are compared with each other instead.
@main
struct Exhaustive {
  /// A world, and how deep it is searched.
  struct SmallWorld {
    let name: String
    let depth: Int
    var commands: [ITSCommand] = [
      .mapd(0, table: 0, eventIDBits: 2), .unmapd(0), .mapc(0, target: 0),
      .mapti(0, 0, interrupt: 8193, collectionID: 0),
    ]
    var actions: [Explorer.Action] = [
      .step, .ring(cpu: 0), .runAgain(cpu: 0), .readPointer, .change, .writeLate,
    ]
    /// Commands that the hardware has carried out before, and such that it has not.
    var done = 0
    var waiting = 0
    var change: (inout WorldSetup) -> Void = { _ in }

    func explorer() throws -> Explorer {
      var setup = WorldSetup()
      setup.processors = 2
      setup.arenaPages = 72
      setup.services[0].deviceIDBits = 1
      setup.services[0].eventIDBits = 12
      setup.services[0].translationEntrySize = 8
      setup.services[0].collectionIDBits = 1
      // A table of one page takes two traps.
      setup.policy.commandsPerTrap = 2
      setup.policy.bytesPerTrap = 2048
      setup.isCompared = true
      change(&setup)
      let world = try World(setup)
      // It takes steps where it is told to, and never by itself.
      for service in world.gic.services { service.pace = .manual }
      let explorer = Explorer(world, commands, actions)
      explorer.start()
      explorer.fill(done, runs: true)
      explorer.fill(waiting, runs: false)
      return explorer
    }
  }

  static var worlds: [SmallWorld] {
    [
      SmallWorld(name: "one device, a queue about to wrap", depth: 10, done: 2045),
      SmallWorld(
        name: "two devices, two collections, two CPUs", depth: 7,
        commands: [
          .mapd(0, table: 0, eventIDBits: 2), .mapd(1, table: 0, eventIDBits: 2), .unmapd(0),
          .mapc(0, target: 0), .mapc(1, target: 1),
          .mapti(0, 0, interrupt: 8193, collectionID: 0), .event(.int, 0, 0),
        ],
        actions: [
          .step, .ring(cpu: 0), .ring(cpu: 1), .runAgain(cpu: 0), .runAgain(cpu: 1),
          .readPointer, .writeLate,
        ], done: 120, change: { $0.services[0].tables[0].permitsTwoLevels = false }),
      SmallWorld(
        name: "one device, two tables by their names", depth: 9,
        commands: [
          .mapd(0, table: 0, eventIDBits: 2), .mapd(0, table: 0x100, eventIDBits: 2),
          .mapti(0, 0, interrupt: 8193, collectionID: 0),
        ], done: 120),
      SmallWorld(
        name: "queues and pages change hands, refused commands stall", depth: 7,
        actions: [
          .step, .ring(cpu: 0), .runAgain(cpu: 0), .change, .readPointer, .toggle, .otherQueue,
          .changeOwner,
        ], done: 126, change: { $0.policy.refused = .stalls }),
      SmallWorld(
        name: "the hardware's queue full", depth: 5,
        actions: [
          .step, .ring(cpu: 0), .ring(cpu: 1), .runAgain(cpu: 0), .runAgain(cpu: 1), .readPointer,
        ], done: 100, waiting: 2038, change: { $0.policy.commandsPerTrap = 16 }),
    ]
  }

  /// Worlds in which a form that merges too much is found out.
  private static var betrayers: [(world: SmallWorld, form: Explorer.Form)] {
    [
      (
        SmallWorld(
          name: "a batch that ends at the first slot", depth: 8, commands: [.mapc(0, target: 0)],
          actions: [.step, .ring(cpu: 0), .readPointer], done: 2045), .hasNoEnd
      ),
      (
        SmallWorld(
          name: "a store under way, and another queue", depth: 7,
          commands: [.unmapd(0), .mapd(0, table: 0, eventIDBits: 2)],
          actions: [.step, .ring(cpu: 0), .runAgain(cpu: 0), .toggle, .otherQueue], done: 120),
        .turnsAlways
      ),
    ]
  }

  static func main() throws {
    var deeper = 0
    var checks = false
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let name = arguments.next() {
      guard let value = arguments.next().flatMap({ Int($0) }) else { usage() }
      switch name {
      case "--deeper": deeper = value
      case "--check": checks = value != 0
      default: usage()
      }
    }
    if checks {
      for world in worlds { try check(world, depth: world.depth + deeper) }
      for (world, form) in betrayers { try betray(world, form) }
    } else {
      try search(deeper: deeper)
    }
  }

  private static func usage() -> Never {
    print("usage: exhaustive [--deeper N] [--check 1]")
    fflush(nil)
    exit(2)
  }

  private static func search(deeper: Int) throws {
    let clock = ContinuousClock()
    let start = clock.now
    let threads = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))
    var states = 0
    var merged = 0
    for world in worlds {
      let search = Search(world.name, try (0..<threads).map { _ in try world.explorer() })
      if let violation = search.run(depth: world.depth + deeper) {
        end("\(world.name): \(violation)")
      }
      states += search.states
      merged += search.merged
      print(search.summary)
      fflush(nil)
    }
    let seconds = (clock.now - start) / .seconds(1)
    print(
      "\(states) states, \(merged) steps to one that was met before, in \(Int(seconds)) s,",
      "\(Int(Double(states) / seconds)) states a second: nothing found")
  }

  /// States that have one canonical form are alike.
  private static func check(_ world: SmallWorld, depth: Int) throws {
    var check = MergeCheck()
    if let difference = check.run(try world.explorer(), depth: depth, .canonical) {
      end("\(world.name): \(difference)")
    }
    print(
      "\(world.name): \(check.states) states, \(check.canonicalStates) in canonical form, depth",
      depth)
    fflush(nil)
  }

  /// A form that merges too much is found out, and the canonical form stands the same test.
  private static func betray(_ world: SmallWorld, _ form: Explorer.Form) throws {
    try check(world, depth: world.depth)
    var check = MergeCheck()
    guard let difference = check.run(try world.explorer(), depth: world.depth, form) else {
      end("\(world.name): a form that merges too much is not found out")
    }
    print("\(world.name), by a form that merges too much: \(difference)")
  }

  private static func end(_ violation: String) -> Never {
    print(violation)
    fflush(nil)
    exit(1)
  }
}
