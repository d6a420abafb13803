// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld
import Glibc

/// Runs hostile hosts in one world after the other, from a seed, and tells what the commands came to.
///
///     soak [--steps N] [--seed S] [--steps-per-world N] [--world N] [--trace 1]
@main
struct Soak {
  static func main() throws {
    var steps: UInt64 = 1_000_000
    var seed: UInt64 = 1
    var stepsPerWorld: UInt64 = 20_000
    var single: UInt64?
    var traces = false
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
      default: usage()
      }
    }

    let clock = ContinuousClock()
    let start = clock.now
    var done: UInt64 = 0
    var tally = CommandTally()
    var told: UInt64 = 0
    var number = single ?? seed << 32
    while done < steps {
      let world = try World(WorldSetup(number: number))
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
      number += 1
      if single != nil { break }
      if done / 5_000_000 > told {
        told = done / 5_000_000
        print("\(done) steps, \(clock.now - start)")
        fflush(nil)
      }
    }
    print(tally.lines.joined(separator: "\n"))
    print("\(done) steps in \(clock.now - start), seed \(seed): nothing found")
  }

  private static func usage() -> Never {
    print("usage: soak [--steps N] [--seed S] [--steps-per-world N] [--world N] [--trace 1]")
    fflush(nil)
    exit(2)
  }
}
