// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import FuzzWorld
import Glibc
import SMMUDriver
import SMMUFuzzWorld
import Simulation
import VirtualSMMU

/// Runs hostile hosts of a virtual SMMU in one world after the other, from a seed, and tells what came of it.
///
///     soak-smmu [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--check 1] [--own 0]
///
/// With `--check` each trap is compared with the specification, and it is told how often each rule was reached. With
/// `--own 0` what the soak checks by itself is not told.
@main
struct SMMUSoak {
  static func main() throws {
    var steps: UInt64 = 1_000_000
    var seed: UInt64 = 1
    var stepsPerWorld: UInt64 = 5_000
    var single: UInt64?
    var isCompared = false
    var hasOwnChecks = true
    var seconds: Double?
    var reached: [String: Int] = [:]
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let name = arguments.next() {
      guard let text = arguments.next(), let value = UInt64(text) else { usage() }
      switch name {
      case "--steps": steps = value
      case "--seed": seed = value
      case "--steps-per-world": stepsPerWorld = value
      case "--world": single = value
      case "--check": isCompared = value != 0
      case "--own": hasOwnChecks = value != 0
      case "--seconds": seconds = Double(value)
      default: usage()
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    var number = single ?? seed << 32
    var tally = SMMUTally()
    while seconds.map({ clock.now - start < .seconds($0) }) ?? (tally.steps < steps) {
      let world = try makeNestedWorld(number)
      let comparison = isCompared ? NestedComparison(world) : nil
      var host = HostileSMMUHost(world, RandomChoices(seed: number ^ 0x5eed))
      while host.steps < stepsPerWorld {
        host.step()
        let walks = host.steps % 1024 == 0
        if let violation = violation(host, walks: walks, comparison, hasOwnChecks: hasOwnChecks) {
          print("world \(number), step \(host.steps): \(violation)")
          fflush(nil)
          exit(1)
        }
      }
      tally.add(host)
      if let comparison { reached.merge(comparison.reached, uniquingKeysWith: +) }
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
    for (rule, count) in reached.sorted(by: { $0.key < $1.key }) { print("rule \(rule)  \(count)") }
    print("\(tally.steps) steps in \(clock.now - start), seed \(seed): nothing found")
  }

  private static func usage() -> Never {
    print(
      "usage: soak-smmu [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--check 1] [--own 0]"
    )
    fflush(nil)
    exit(2)
  }
}
