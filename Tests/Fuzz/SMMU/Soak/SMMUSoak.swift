// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld
import Glibc
import SMMUDriver
import SMMUFuzzWorld
import Simulation
import VirtualSMMU

/// Runs hostile hosts of a virtual SMMU in one world after the other, from a seed, and tells what came of it.
///
///     soak-smmu [--steps N] [--seed S] [--steps-per-world N] [--world N]
@main
struct SMMUSoak {
  static func main() throws {
    var steps: UInt64 = 1_000_000
    var seed: UInt64 = 1
    var stepsPerWorld: UInt64 = 5_000
    var single: UInt64?
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let name = arguments.next() {
      guard let text = arguments.next(), let value = UInt64(text) else { usage() }
      switch name {
      case "--steps": steps = value
      case "--seed": seed = value
      case "--steps-per-world": stepsPerWorld = value
      case "--world": single = value
      default: usage()
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    var number = single ?? seed << 32
    var tally = SMMUTally()
    while tally.steps < steps {
      let world = try makeNestedWorld(number)
      var host = HostileSMMUHost(world, RandomChoices(seed: number ^ 0x5eed))
      while host.steps < stepsPerWorld {
        host.step()
        if let violation = violation(host, walks: host.steps % 1024 == 0) {
          print("world \(number), step \(host.steps): \(violation)")
          fflush(nil)
          exit(1)
        }
      }
      tally.add(host)
      number += 1
      if single != nil { break }
    }
    print(tally.lines.joined(separator: "\n"))
    // So many that everything has its turn; what is never reached is not tested.
    if tally.steps >= 1_000_000, !tally.missing.isEmpty {
      print("never: " + tally.missing.joined(separator: "; "))
      fflush(nil)
      exit(1)
    }
    print("\(tally.steps) steps in \(clock.now - start), seed \(seed): nothing found")
  }

  private static func usage() -> Never {
    print("usage: soak-smmu [--steps N] [--seed S] [--steps-per-world N] [--world N]")
    fflush(nil)
    exit(2)
  }
}
