// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
@testable import Specification

/// Where the implementation does what the specification does not permit, in the specification's words.
package struct Divergence: Error, CustomStringConvertible {
  /// The access, or the step within it.
  let entrance: String
  /// What the specification permits.
  let expected: String
  /// What was found.
  let found: String

  init(_ entrance: String, expected: Any, found: Any) {
    self.entrance = entrance
    self.expected = "\(expected)"
    self.found = "\(found)"
  }

  /// What EL2 did in the trap, and the state before it.
  var context: [String] = []

  package var description: String {
    (["\(entrance): expected \(expected), found \(found)"] + context).joined(separator: "\n  ")
  }

  /// The same with what came before it.
  func after(_ observations: [Observation], _ before: ITSState) -> Divergence {
    var result = self
    result.context = observations.map { "\($0)" } + ["before: \(before.summary)"]
    return result
  }
}

extension ITSState {
  /// What decides most, in a line.
  var summary: String {
    """
    \(phase), hardware enabled \(hardware.isEnabled) quiescent \(hardware.isQuiescent) stalled \(hardware.isStalled) \
    at \(hardware.read), host enabled \(host.isEnabled) stalled \(host.isStalled) GITS_CWRITER \(host.write) of \
    \(host.commandBase.size), next \(staging.next), kept \(staging.unfinished.map { "\($0)" } ?? "none"), queue \
    \(commit.passed) \(commit.published) \(commit.appended), doomed \(doomed), doorbells \(doorbells.map { "\($0.key.cpu):\($0.key.offset)@\($0.value)" }), \
    waiting tables \(waitingTables), targets \(targets.count), waited \(waited)
    """
  }
}
