// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc

/// What every soak takes: how long it runs, from which number on, and what it checks.
package struct SoakOptions {
  /// How many steps, where no time is given.
  package var steps: UInt64 = 1_000_000
  /// How long instead.
  package var seconds: Double?
  /// The first world is this times 2^32.
  package var seed: UInt64 = 1
  /// The one world that is run, if it is one.
  package var world: UInt64?
  /// How many steps a world has.
  package var stepsPerWorld: UInt64
  /// Whether each trap is compared with the specification.
  package var isCompared = false
  /// Whether what the soak checks by itself is told.
  package var hasOwnChecks = true
  /// Whether each store to a register is printed.
  package var traces = false
  private let start = ContinuousClock.now

  /// The options of the command line, of which the soak has those that `usage` names; ends where another is there.
  package init(stepsPerWorld: UInt64 = 0, usage: String) {
    self.stepsPerWorld = stepsPerWorld
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    func fail(_ problem: String) -> Never {
      print("\(problem)\nusage: \(usage)")
      fflush(nil)
      exit(2)
    }
    while let name = arguments.next() {
      guard usage.contains("[\(name) ") else { fail("there is no option \(name)") }
      guard let text = arguments.next() else { fail("\(name) has no number behind it") }
      guard let value = UInt64(text) else { fail("\(name) takes a number, not \(text)") }
      switch name {
      case "--steps": steps = value
      case "--seconds": seconds = Double(value)
      case "--seed": seed = value
      case "--world": world = value
      case "--steps-per-world":
        guard value > 0 else { fail("a world has at least one step") }
        self.stepsPerWorld = value
      case "--check": isCompared = value != 0
      case "--own": hasOwnChecks = value != 0
      case "--trace": traces = value != 0
      default: fatalError("\(name) is named and not there")
      }
    }
  }

  /// The number of the first world.
  package var first: UInt64 { world ?? seed << 32 }
  /// How long it has run.
  package var elapsed: Duration { ContinuousClock.now - start }

  /// Whether a soak that has made so many steps goes on.
  package func goesOn(after done: UInt64) -> Bool {
    seconds.map { elapsed < .seconds($0) } ?? (done < steps)
  }

  /// Says how often each rule of the specification was reached, by its name.
  package func tell(_ reached: [String: Int]) {
    for (rule, count) in reached.sorted(by: { $0.key < $1.key }) { print("rule \(rule)  \(count)") }
  }
}
