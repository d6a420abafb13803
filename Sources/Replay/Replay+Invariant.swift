// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Trace

extension Replay {
  /// Runs the accesses of a trace, with the host's memory as it was, and says what an ITS has done that it
  /// must not; nil where all is well.
  ///
  /// The trace may be of any bits, for verdicts and answers aren't compared: what can't be is left out, the
  /// simulated ITS answers what is true of it, and is as fast as the trace says where it can be. After each
  /// step what it touches must be EL2's memory, and in use; after each publication, and in the end, all that
  /// it can reach as well.
  ///
  /// - Throws: a `ReplayError` where no ITS can be set up.
  public static func violation(in records: [TraceRecord]) throws(ReplayError) -> String? {
    let plans = ServicePlan.all(in: records).filter { !$0.value.service.isHandedOver }
      .mapValues(\.limited)
    guard !plans.isEmpty else { throw .nothing }
    let board = try ReplayBoard(plans, .freely)
    defer { board.finish() }
    if let wrong = board.wrong() { return wrong }
    var traps: [UInt8: [(index: Int, event: TraceEvent)]] = [:]
    for (index, record) in records.enumerated() {
      switch record.event {
      case .header, .service, .table, .target, .lost: continue
      case .command, .hardware, .pin, .look, .unreadable:
        traps[record.its, default: []].append((index, record.event))
      case .access(let access):
        let events = traps.removeValue(forKey: record.its) ?? []
        // An access that reaches no mediation is left out.
        _ = try? board.run(events, access, its: record.its, cpu: record.cpu, at: index)
        if let wrong = board.wrong() ?? (board.hasPublished ? board.wrongInReach() : nil) {
          return "record \(index): \(wrong)"
        }
      }
    }
    return board.wrongInReach()
  }
}
