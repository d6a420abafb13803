// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Glibc
import SoakOptions

/// Runs hostile hosts on boards of Redistributors, one after the other, from a seed.
///
///     soak-redistributor [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--check 1] [--own 0]
///
/// With `--check` each trap is compared with the specification, and it is told how often each rule was reached. With
/// `--own 0` what the soak checks by itself is not told.
@main
struct RedistributorSoak {
  static func main() throws {
    let options = SoakOptions(
      stepsPerWorld: 4000,
      usage: """
        soak-redistributor [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] \
        [--check 1] [--own 0]
        """)
    var done: UInt64 = 0
    var reached: [String: Int] = [:]
    var number = options.first
    while options.goesOn(after: done) {
      let walk = try ComparedWalk(
        number: number, isCompared: options.isCompared,
        hasOwnChecks: options.hasOwnChecks)
      var step: UInt64 = 0
      while step < options.stepsPerWorld, !walk.isOver {
        step += 1
        if let problem = walk.step() {
          print("world \(number), step \(step): \(problem)\n  \(walk.kind)")
          fflush(nil)
          exit(1)
        }
      }
      done += step
      if let comparison = walk.comparison {
        reached.merge(comparison.reached, uniquingKeysWith: +)
      }
      number += 1
      if options.world != nil { break }
    }
    options.tell(reached)
    print("\(done) steps in \(options.elapsed), seed \(options.seed): nothing found")
  }
}
