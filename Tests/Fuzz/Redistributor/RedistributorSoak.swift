// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Comparison
import Glibc

/// Runs hostile hosts on boards of Redistributors, one after the other, from a seed.
///
///     soak-redistributor [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--check 1] [--own 0]
///
/// With `--check` each trap is compared with the specification, and it is told how often each rule was reached. With
/// `--own 0` what the soak checks by itself is not told.
@main
struct RedistributorSoak {
  static func main() throws {
    var steps: UInt64 = 1_000_000
    var seed: UInt64 = 1
    var stepsPerWorld: UInt64 = 4000
    var single: UInt64?
    var isCompared = false
    var hasOwnChecks = true
    var seconds: Double?
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
    var done: UInt64 = 0
    var reached: [String: Int] = [:]
    var number = single ?? seed << 32
    while seconds.map({ clock.now - start < .seconds($0) }) ?? (done < steps) {
      let walk = try ComparedWalk(
        number: number, isCompared: isCompared, hasOwnChecks: hasOwnChecks)
      var step: UInt64 = 0
      while step < stepsPerWorld, !walk.isOver {
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
      if single != nil { break }
    }
    for (rule, count) in reached.sorted(by: { $0.key < $1.key }) { print("rule \(rule)  \(count)") }
    print("\(done) steps in \(clock.now - start), seed \(seed): nothing found")
  }

  private static func usage() -> Never {
    print(
      "usage: soak-redistributor [--steps N] [--seconds N] [--seed S] [--steps-per-world N] [--world N] [--check 1]",
      "[--own 0]")
    fflush(nil)
    exit(2)
  }
}
