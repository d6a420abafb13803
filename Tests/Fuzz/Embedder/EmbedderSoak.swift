// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Glibc
import SoakOptions

/// Runs embedders that move pages of a hostile host, through the C interface, beside the specification, and tells how
/// often each rule was reached.
///
///     soak-embedder [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--own 0]
@main
struct EmbedderSoak {
  static func main() {
    let options = SoakOptions(
      stepsPerWorld: 2000,
      usage: """
        soak-embedder [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--own 0]
        """)
    var done: UInt64 = 0
    var reached: [String: Int] = [:]
    var number = options.first
    while options.goesOn(after: done) {
      let walk = EmbedderWalk(number: number, hasOwnChecks: options.hasOwnChecks)
      for step in 1...options.stepsPerWorld {
        if let problem = walk.step() {
          print("world \(number), step \(step): \(problem)")
          fflush(nil)
          exit(1)
        }
      }
      done += options.stepsPerWorld
      reached.merge(walk.comparison.reached, uniquingKeysWith: +)
      number += 1
      if options.world != nil { break }
    }
    options.tell(reached)
    print("\(done) steps in \(options.elapsed), seed \(options.seed): nothing found")
  }
}
