// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Inspection
import Replay
import Trace

extension Replay {
  /// What came of running `file` again: a line, and the first difference.
  func summary(of file: String) -> String {
    var text =
      "\(file): \(accesses) accesses, \(commands) verdicts on commands, ITSes \(services): "
    guard let difference else { return text + "0 differences\n" }
    text += "different at record \(difference.record)\n"
    if let remark = difference.remark { return text + "  \(remark)\n" }
    text += "  recorded: \(Self.describe(difference.recorded))\n"
    return text + "  replayed: \(Self.describe(difference.replayed))\n"
  }

  private static func describe(_ event: TraceEvent?) -> String {
    guard let event else { return "nothing more" }
    return event.kind + " " + event.text + (event.outcome.map { ": " + $0 } ?? "")
  }
}
