// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import FuzzWorld

/// Whether the canonical form merges states that are not alike.
///
/// All states are told apart as they are. Those with one canonical form must have the same actions, each with the same
/// answer and the same verdicts, and lead to states that have one canonical form again: else they are no one state.
struct MergeCheck {
  private struct Step: Hashable {
    let state: Fingerprint
    let action: Int
  }

  private struct End: Equatable {
    let answer: [UInt64]
    let state: Fingerprint
  }

  /// How many states there are as they are.
  private(set) var states = 0
  /// How many there are in the canonical form.
  private(set) var canonicalStates = 0

  /// Tries everything to `depth` steps; what is not alike, or violated.
  ///
  /// `form` is what is taken for the canonical form.
  mutating func run(
    _ explorer: Explorer, depth: Int, _ form: Explorer.Form
  ) -> String? {
    explorer.begin(depth: depth)
    var tree = StateTree()
    var met: Set = [explorer.identity(.exact)]
    var canonical: Set = [explorer.identity(form)]
    var ends: [Step: End?] = [:]
    var frontier = 0..<1
    for _ in 0..<depth {
      for node in frontier {
        explorer.visit(UInt32(node), in: tree)
        let state = explorer.identity(form)
        for action in explorer.actions.indices {
          var end: End?
          var violation: String?
          explorer.attempt(action) { answer in
            let next = explorer.identity(form)
            end = End(answer: answer, state: next)
            if met.insert(explorer.identity(.exact)).inserted {
              canonical.insert(next)
              tree.append(parent: UInt32(node), action: action)
              violation = explorer.world.check(walks: true)
            }
          }
          let way = explorer.describe(UInt32(node), in: tree, action)
          if let violation { return "\(violation): \(way)" }
          let step = Step(state: state, action: action)
          if let known = ends.updateValue(end, forKey: step), known != end {
            return "states that are not alike are one: \(way)"
          }
        }
      }
      frontier = frontier.upperBound..<tree.count
    }
    (states, canonicalStates) = (met.count, canonical.count)
    return nil
  }
}
