// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import FuzzWorld
import Glibc

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
    var steps: UInt64 = 1_000_000
    var seed: UInt64 = 1
    var stepsPerWorld: UInt64 = 20_000
    var single: UInt64?
    var traces = false
    var isCompared = false
    var hasOwnChecks = true
    var seconds: Double?
    var reached: [String: Int] = [:]
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let name = arguments.next() {
      guard let text = arguments.next(), let value = UInt64(text) else {
        usage()
      }
      switch name {
      case "--steps": steps = value
      case "--seed": seed = value
      case "--steps-per-world": stepsPerWorld = value
      case "--world": single = value
      case "--trace": traces = value != 0
      case "--check": isCompared = value != 0
      case "--own": hasOwnChecks = value != 0
      case "--seconds": seconds = Double(value)
      default: usage()
      }
    }

    let clock = ContinuousClock()
    let start = clock.now
    var done: UInt64 = 0
    var tally = CommandTally()
    var told: UInt64 = 0
    var number = single ?? seed << 32
    while seconds.map({ clock.now - start < .seconds($0) }) ?? (done < steps) {
      var setup = WorldSetup(number: number)
      setup.isCompared = isCompared
      setup.hasOwnChecks = hasOwnChecks
      let world = try World(setup)
      var host = HostileHost(world, RandomChoices(seed: number ^ 0x5eed))
      host.traces = traces
      var checks: UInt64 = 0
      while host.steps < stepsPerWorld {
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
      if single != nil { break }
      if done / 5_000_000 > told {
        told = done / 5_000_000
        print("\(done) steps, \(clock.now - start)")
        fflush(nil)
      }
    }
    print(tally.lines.joined(separator: "\n"))
    for (rule, count) in reached.sorted(by: { $0.key < $1.key }) { print("rule \(rule)  \(count)") }
    print("\(done) steps in \(clock.now - start), seed \(seed): nothing found")
  }

  private static func usage() -> Never {
    print(
      "usage: soak [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--trace 1] [--check 1]",
      "[--own 0]")
    fflush(nil)
    exit(2)
  }
}
