// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import PSCIWalk
import SoakOptions

/// Runs walks of PSCI calls beside the specification, one number after the other, and tells which rules were reached.
///
///     soak-psci [--steps N] [--seconds N] [--seed S] [--world N]
@main
struct Soak {
  static func main() {
    let options = SoakOptions(
      usage: "soak-psci [--steps N] [--seconds N] [--seed S] [--world N]")
    var number = options.first
    var reached: [String: Int] = [:]
    var done: UInt64 = 0
    while options.goesOn(after: done) {
      let walk = PSCIWalk(seed: number)
      walk.run()
      if let problem = walk.problems.first {
        print("world \(number): \(problem)")
        fflush(nil)
        exit(1)
      }
      reached.merge(walk.reached, uniquingKeysWith: +)
      done += PSCIWalk.steps
      number += 1
      if options.world != nil { break }
    }
    options.tell(reached)
    print("\(done) steps in \(options.elapsed): nothing found")
  }
}
