// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld
import GIC
import Glibc
import ITS
import SimulatedITS

/// Tries all interleavings of a host's and the hardware's steps in small worlds: two devices of one
/// page each, two collections, two CPUs, two pages for queues of four commands.
///
///     exhaustive [STATES]    at least so many states in each world
@main
struct Exhaustive {
  static let commands: [ITSCommand] = [
    .mapd(0, table: 0, eventIDBits: 2), .mapd(1, table: 0, eventIDBits: 2), .unmapd(0),
    .mapc(0, target: 0), .mapc(1, target: 1),
    .mapti(0, 0, interrupt: 8193, collectionID: 0), .event(.int, 0, 0),
  ]

  static func small(_ change: (inout WorldSetup) -> Void) throws -> Explorer {
    var setup = WorldSetup()
    setup.processors = 2
    setup.arenaPages = 72
    setup.services[0].deviceIDBits = 1
    setup.services[0].eventIDBits = 12
    setup.services[0].translationEntrySize = 8
    setup.services[0].collectionIDBits = 1
    setup.policy.commandsPerTrap = 2
    setup.policy.bytesPerTrap = 2048
    change(&setup)
    let world = try World(setup)
    let explorer = Explorer(world, commands, hasRunAll: setup.policy.commandsPerTrap == 16)
    world.gic.services[0].pace = .manual
    explorer.start()
    return explorer
  }

  static func main() throws {
    let limit = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 400_000
    let clock = ContinuousClock()
    var total = 0
    for (name, make) in worlds {
      let start = clock.now
      let explorer = try make()
      if let violation = explorer.explore(depth: 64, states: limit) {
        print("\(name): \(violation)")
        fflush(nil)
        exit(1)
      }
      total += explorer.states
      print(
        "\(name): \(explorer.states) states, \(explorer.transitions) transitions, depth",
        "\(explorer.depth), \(clock.now - start)")
      fflush(nil)
    }
    print("\(total) states, nothing found")
  }

  static var worlds: [(String, () throws -> Explorer)] {
    [
      (
        "a queue about to wrap",
        {
          let explorer = try small { _ in }
          explorer.fill(2045, runs: true)
          return explorer
        }
      ),
      (
        "a full queue",
        {
          let explorer = try small { $0.policy.commandsPerTrap = 16 }
          explorer.fill(100, runs: true)
          explorer.fill(2040, runs: false)
          return explorer
        }
      ),
      (
        "an ITS that stalls, and a host that is told",
        {
          let explorer = try small { $0.policy.refused = .stalls }
          explorer.fill(120, runs: true)
          return explorer
        }
      ),
    ]
  }
}
