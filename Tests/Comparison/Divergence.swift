// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import GIC
import Observing
@testable import Specification

/// Where the implementation does what the specification does not permit, in the specification's words.
package struct Divergence: Error, CustomStringConvertible {
  /// The access, or the step within it.
  let entrance: String
  /// What the specification permits.
  let expected: String
  /// What was found.
  let found: String

  /// Where the specification permits something else.
  package init(_ entrance: String, expected: String, found: String) {
    self.entrance = entrance
    self.expected = expected
    self.found = found
  }

  /// The state before the trap, and what EL2 did in it.
  var context: [String] = []

  package var description: String {
    (["\(entrance): expected \(expected), found \(found)"] + context).joined(separator: "\n  ")
  }

  /// The same with what came before it.
  func after(_ observations: [Observation], _ before: ITSState) -> Divergence {
    var result = self
    result.context =
      ["before: \(before.summary)"]
      + [observations.map { $0.words(by: ITSRegister.words) }.joined(separator: "; ")]
    return result
  }
}

extension ITSState {
  /// What decides most, in a line.
  var summary: String {
    """
    \(phase.name), hardware enabled \(hardware.isEnabled) quiescent \(hardware.isQuiescent) stalled \(hardware.isStalled) \
    at \(hardware.read), host enabled \(host.isEnabled) stalled \(host.isStalled) GITS_CWRITER \(host.write) of \
    \(host.commandBase.size), next \(staging.next), kept \(staging.unfinished.map { "\($0.command.number)" } ?? "none"), queue \
    \(commit.passed) \(commit.published) \(commit.appended), doomed \(doomed.count), doorbells \(doorbells.map { "\($0.key.cpu):\($0.key.offset)@\($0.value)" }), \
    waiting tables \(waitingTables), targets \(targets.count), waited \(waited)
    """
  }
}

extension Answer {
  /// In words.
  var name: String {
    switch self {
    case .value(let value): hex(value)
    case .done: "done"
    case .ignored: "ignored"
    case .repeats: "repeated"
    case .aborted: "aborted"
    case .committed(let commands):
      "committed as " + commands.map { $0.words }.joined(separator: ", ")
    case .sent(let commands): "\(commands.count) commands sent"
    case .unfinished: "unfinished"
    case .refused(let rule): "refused by \(rule.rawValue)"
    case .stalled: "stalled"
    }
  }
}

extension Outcome {
  /// The answer in words, and the rules that permit it.
  fileprivate var name: String {
    "\(answer.name) (\(rules.map { $0.rawValue }.joined(separator: ", ")))"
  }
}

extension ITSState.Phase {
  fileprivate var name: String {
    switch self {
    case .enabled: "enabled"
    case .disabled: "disabled"
    case .atRest: "at rest"
    case .off: "off"
    }
  }
}

/// What was seen where something else was permitted; in words only where it has to be told.
enum Found: CustomStringConvertible {
  case effect(Effect)
  /// What the hardware is behind it.
  case hardware(StaticString)
  /// A thing that EL2 did; nil for what the state before it tells.
  case observed(Observation?)
  /// A command of the host, and what EL2 has appended.
  case command(ITSCommand?, ArraySlice<ITSCommand>)
  /// An offset in EL2's queue, and the slots in front of it.
  case offset(UInt64, ArraySlice<ITSCommand>)

  var description: String {
    switch self {
    case .effect(let effect): effect.description
    case .hardware(let state): "the hardware \(state) behind it"
    case .observed(let observation): observation?.words(by: ITSRegister.words) ?? "otherwise"
    case .command(let command, let slots):
      (command.map { "the host's \($0.words), and next " } ?? "") + Self.name(slots)
    case .offset(let offset, let slots): hex(offset) + ", and next " + Self.name(slots)
    }
  }

  private static func name(_ slots: ArraySlice<ITSCommand>) -> String {
    guard !slots.isEmpty else { return "nothing in EL2's queue" }
    let more = slots.count > 4 ? ", and \(slots.count - 4) more" : ""
    return "in EL2's queue " + slots.prefix(4).map { $0.words }.joined(separator: ", ") + more
  }
}

extension ITSCommand {
  /// Its name and its four doublewords.
  var words: String {
    let name = opcode.map { "\($0.name) " } ?? ""
    return name + [word0, word1, word2, word3].map(hex).joined(separator: " ")
  }
}

extension [Outcome] {
  /// What they answer, in words, and the rules that permit it.
  var names: String {
    isEmpty ? "no such step" : map { $0.name }.joined(separator: " or ")
  }
}
