// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import FuzzWorld
import Glibc
import SoakOptions

/// Runs hostile hosts in one world after the other, from a seed, and tells what the commands came to.
///
///     soak [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--trace 1] [--check 1]
///          [--own 0]
///
/// With `--check` each trap is compared with the specification, and it is told how often each rule was reached. With
/// `--own 0` what the soak checks by itself is not told.
@main
struct Soak {
  static func main() throws {
    let options = SoakOptions(
      stepsPerWorld: 20_000,
      usage: """
        soak [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--trace 1] \
        [--check 1] [--own 0]
        """)
    var reached: [String: Int] = [:]
    var done: UInt64 = 0
    var tally = CommandTally()
    var told: UInt64 = 0
    var number = options.first
    while options.goesOn(after: done) {
      var setup = WorldSetup(number: number)
      setup.isCompared = options.isCompared
      setup.hasOwnChecks = options.hasOwnChecks
      let world = try World(setup)
      var host = HostileHost(world, RandomChoices(seed: number ^ 0x5eed))
      host.traces = options.traces
      var checks: UInt64 = 0
      while host.steps < options.stepsPerWorld {
        host.step()
        // Every access is checked as it happens; this is the walk over everything.
        let walks = host.steps / 256 != checks
        checks = host.steps / 256
        if let violation = world.check(walks: walks) {
          print("world \(number), step \(host.steps): \(violation)")
          fflush(nil)
          exit(1)
        }
      }
      done += host.steps
      tally.add(world.tally)
      if let comparison = world.comparison {
        reached.merge(comparison.reached, uniquingKeysWith: +)
      }
      number += 1
      if options.world != nil { break }
      if done / 5_000_000 > told {
        told = done / 5_000_000
        print("\(done) steps, \(options.elapsed)")
        fflush(nil)
      }
    }
    print(tally.lines.joined(separator: "\n"))
    options.tell(reached)
    print("\(done) steps in \(options.elapsed), seed \(options.seed): nothing found")
  }
}
