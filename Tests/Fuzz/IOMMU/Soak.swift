// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Simulation

/// Runs random lives of one board after the other, from a seed, and holds what devices reach against what
/// the host reaches after each step.
///
///     soak-iommu [--steps N] [--seed S] [--steps-per-world N] [--world N] [--defect N]
///
/// With a defect put into the mirror or the driver something must be found, and the end is the reverse.
@main
struct Soak {
  static func main() throws {
    var steps: UInt64 = 1_000_000
    var seed: UInt64 = 1
    var stepsPerWorld: UInt64 = 20_000
    var single: UInt64?
    var defect: WorkloadDefect?
    var arguments = CommandLine.arguments.dropFirst().makeIterator()
    while let name = arguments.next() {
      guard let text = arguments.next(), let value = UInt64(text) else { usage() }
      switch name {
      case "--steps": steps = value
      case "--seed": seed = value
      case "--steps-per-world": stepsPerWorld = value
      case "--world": single = value
      case "--defect":
        guard value < UInt64(WorkloadDefect.allCases.count) else { usage() }
        defect = WorkloadDefect.allCases[Int(value)]
      default: usage()
      }
    }

    let clock = ContinuousClock()
    let start = clock.now
    var tally = WorkloadTally()
    var told: UInt64 = 0
    var number = single ?? seed << 32
    while tally.steps < steps {
      var workload = try Workload(number: number, defect: defect)
      while workload.tally.steps < stepsPerWorld {
        if let wrong = workload.step() {
          print("world \(number), step \(workload.tally.steps): \(wrong)")
          if let defect { print("found: \(defect.name)") }
          end(defect == nil ? 1 : 0)
        }
      }
      if let wrong = workload.finish() {
        print("world \(number), at its end: \(wrong)")
        end(1)
      }
      tally.add(workload.tally)
      number += 1
      if single != nil { break }
      if tally.steps / 1_000_000 > told {
        told = tally.steps / 1_000_000
        print("\(tally.steps) steps, \(clock.now - start)")
        fflush(nil)
      }
    }
    if let defect {
      print("\(tally.steps) steps: \(defect.name) was not found")
      end(1)
    }
    print(tally.lines.joined(separator: "\n"))
    print("\(tally.steps) steps in \(clock.now - start), seed \(seed): nothing found")
  }

  private static func usage() -> Never {
    print(
      "usage: soak-iommu [--steps N] [--seed S] [--steps-per-world N] [--world N] [--defect N]")
    for (index, defect) in WorkloadDefect.allCases.enumerated() {
      print("  defect \(index): \(defect.name)")
    }
    end(2)
  }

  private static func end(_ status: Int32) -> Never {
    fflush(nil)
    exit(status)
  }
}
