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
///     exhaustive [LESS]    LESS steps less than usual
@main
struct Exhaustive {
  /// A world, and how deep it is searched.
  struct Search {
    let name: String
    let depth: Int
    var commands: [ITSCommand] = [
      .mapd(0, table: 0, eventIDBits: 2), .unmapd(0), .mapc(0, target: 0),
      .mapti(0, 0, interrupt: 8193, collectionID: 0),
    ]
    var actions: [Explorer.Action] = [
      .step, .ring(cpu: 0), .runAgain(cpu: 0), .change, .writeLate,
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

  static var searches: [Search] {
    [
      Search(name: "one device, a queue about to wrap", depth: 9, done: 2045),
      Search(
        name: "two devices, two collections, two CPUs", depth: 7,
        commands: [
          .mapd(0, table: 0, eventIDBits: 2), .mapd(1, table: 0, eventIDBits: 2), .unmapd(0),
          .mapc(0, target: 0), .mapc(1, target: 1),
          .mapti(0, 0, interrupt: 8193, collectionID: 0), .event(.int, 0, 0),
        ],
        actions: [
          .step, .ring(cpu: 0), .ring(cpu: 1), .runAgain(cpu: 0), .runAgain(cpu: 1), .writeLate,
        ], done: 120),
      Search(
        name: "one device, two tables by their names", depth: 7,
        commands: [
          .mapd(0, table: 0, eventIDBits: 2), .mapd(0, table: 0x100, eventIDBits: 2),
          .mapti(0, 0, interrupt: 8193, collectionID: 0),
        ], done: 120),
      Search(
        name: "queues and pages change hands, refused commands stall", depth: 8,
        actions: [
          .step, .ring(cpu: 0), .runAgain(cpu: 0), .change, .readPointer, .toggle, .otherQueue,
          .changeOwner,
        ], done: 126, change: { $0.policy.refused = .stalls }),
      Search(
        name: "the hardware's queue full", depth: 8,
        actions: [
          .step, .ring(cpu: 0), .ring(cpu: 1), .runAgain(cpu: 0), .runAgain(cpu: 1), .readPointer,
        ], done: 100, waiting: 2038, change: { $0.policy.commandsPerTrap = 16 }),
    ]
  }

  static func main() throws {
    let less = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 0
    let clock = ContinuousClock()
    var total = 0
    for search in searches {
      let start = clock.now
      let explorer = try search.explorer()
      if let violation = explorer.explore(depth: search.depth - less) {
        print("\(search.name): \(violation)")
        fflush(nil)
        exit(1)
      }
      total += explorer.states
      print(
        "\(search.name): \(explorer.states) states, \(explorer.transitions) steps, depth",
        "\(explorer.depth), \(clock.now - start)")
      fflush(nil)
    }
    print("\(total) states, nothing found")
  }
}
