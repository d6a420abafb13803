// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

@Suite("Random lives of boards with SMMUs")
struct WorkloadTests {
  @Test(
    "After each step both tables say the same; `make soak-iommu` makes ten million",
    arguments: 1...4)
  func equal(number: UInt64) throws {
    var workload = try Workload(number: number, stepsPerWalk: 100)
    for _ in 0..<600 {
      let wrong = workload.step()
      try #require(wrong == nil, "world \(number), step \(workload.tally.steps): \(wrong ?? "")")
    }
    let wrong = workload.finish()
    #expect(wrong == nil)
    let tally = workload.tally
    #expect(tally.changes > 100 && tally.unconfirmed > 0 && tally.syncs > 100 && tally.walks >= 6)
  }

  @Test("What is wrong with the mirror or the driver is found", arguments: WorkloadDefect.allCases)
  func defects(defect: WorkloadDefect) throws {
    var workload = try Workload(number: 1, stepsPerWalk: 100, defect: defect)
    var found: String?
    var steps = 0
    while found == nil, steps < 600 {
      found = workload.step()
      steps += 1
    }
    #expect(found != nil, "\(defect.name)")
  }
}
