// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Simulation
import SoakOptions

/// Runs hosts that hand their ITSes over beside the specification, one board after the other, and tells which rules
/// were reached.
///
///     soak-handover [--steps N] [--seconds N] [--seed S] [--world N]
@main
struct HandoverSoak {
  static func main() throws {
    let options = SoakOptions(
      usage: "soak-handover [--steps N] [--seconds N] [--seed S] [--world N]")
    // To compile one takes as long as all else of a board.
    var trees: [String: [UInt8]] = [:]
    var number = options.first
    var reached: [String: Int] = [:]
    var (done, boards) = (0 as UInt64, 0)
    while options.goesOn(after: done) {
      let walk = try HandoverWalk(number: number) { board in
        let tree = try trees[board.source] ?? board.compiled()
        trees[board.source] = tree
        return tree
      }
      while !walk.isOver { walk.step() }
      if let problem = walk.problems.first {
        print("world \(number), step \(walk.made): \(problem)")
        fflush(nil)
        exit(1)
      }
      reached.merge(walk.reached, uniquingKeysWith: +)
      done += walk.made
      boards += 1
      number += 1
      if options.world != nil { break }
    }
    options.tell(reached)
    print("\(done) steps on \(boards) boards in \(options.elapsed): nothing found")
  }
}
