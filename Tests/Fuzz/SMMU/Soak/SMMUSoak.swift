// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import FuzzWorld
import Glibc
import SoakOptions
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
    let options = SoakOptions(
      stepsPerWorld: 5_000,
      usage: """
        soak-smmu [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--check 1] \
        [--own 0]
        """)
    var reached: [String: Int] = [:]
    var number = options.first
    var tally = SMMUTally()
    while options.goesOn(after: tally.steps) {
      let world = try makeNestedWorld(number)
      let comparison = options.isCompared ? NestedComparison(world) : nil
      var host = HostileSMMUHost(
        world, RandomChoices(seed: number ^ 0x5eed), mayFail: number % 3 != 0)
      // An SMMU that was given up has little left to show.
      var last = options.stepsPerWorld
      while host.steps < last {
        host.step()
        if world.mediated.isBroken { last = min(last, host.steps + 200) }
        let walks = host.steps % 1024 == 0
        if let violation = violation(
          host, walks: walks, comparison, hasOwnChecks: options.hasOwnChecks)
        {
          print("world \(number), step \(host.steps): \(violation)")
          fflush(nil)
          exit(1)
        }
      }
      tally.add(host)
      if let comparison { reached.merge(comparison.reached, uniquingKeysWith: +) }
      number += 1
      if options.world != nil { break }
    }
    print(tally.lines.joined(separator: "\n"))
    // So many that everything has its turn; what is never reached is not tested.
    if tally.steps >= 1_000_000, !tally.missing.isEmpty {
      print("never: " + tally.missing.joined(separator: "; "))
      fflush(nil)
      exit(1)
    }
    options.tell(reached)
    print("\(tally.steps) steps in \(options.elapsed), seed \(options.seed): nothing found")
  }
}
