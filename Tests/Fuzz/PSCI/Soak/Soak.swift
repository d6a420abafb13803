// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import PSCIWalk

/// Runs walks of PSCI calls beside the specification, one number after the other, and tells which rules were reached.
///
///     soak-psci [--steps N] [--seconds N] [--seed S] [--world N]
@main
struct Soak {
  static func main() {
    var steps: UInt64 = 1_000_000
    var seconds: Double?
    var number: UInt64 = 1 << 32
    var isSingle = false
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let name = arguments.next() {
      guard let text = arguments.next(), let value = UInt64(text) else { usage() }
      switch name {
      case "--steps": steps = value
      case "--seconds": seconds = Double(value)
      case "--seed": number = value << 32
      case "--world": (number, isSingle) = (value, true)
      default: usage()
      }
    }
    let clock = ContinuousClock()
    let start = clock.now
    var reached: [String: Int] = [:]
    var done: UInt64 = 0
    while seconds.map({ clock.now - start < .seconds($0) }) ?? (done < steps) {
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
      if isSingle { break }
    }
    for (rule, count) in reached.sorted(by: { $0.key < $1.key }) { print("rule \(rule)  \(count)") }
    print("\(done) steps in \(clock.now - start): nothing found")
  }

  private static func usage() -> Never {
    print("usage: soak-psci [--steps N] [--seconds N] [--seed S] [--world N]")
    fflush(nil)
    exit(2)
  }
}
