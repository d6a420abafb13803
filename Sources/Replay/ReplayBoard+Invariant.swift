// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import SimulatedHardware
internal import Trace

// Whatever was recorded, an ITS touches nothing but pages of EL2's that are in use, and reaches nothing
// else from there.

extension ReplayBoard {
  /// Whether a page is EL2's: one of the memory of an ITS.
  func isArena(_ page: PageFrameNumber) -> Bool {
    plans.values.contains { $0.arena.contains(page.rawValue) }
  }

  /// Notes an access that an ITS must not make.
  func check(_ access: MemoryAccess) {
    guard violation == nil, let service = access.service else { return }
    if !permits(service, access.range) {
      violation = "ITS \(service) touches \(text(access.range))"
    }
  }

  /// What is wrong with what the ITSes have done so far; nil where all is well.
  func wrong() -> String? {
    if let violation { return violation }
    return gic.faults.first.map { "the simulated ITS was misused: \($0)" }
  }

  /// What is wrong with all that the ITSes can reach from here; nil where all is well.
  func wrongInReach() -> String? {
    for service in gic.services {
      var tables = Set<MemoryReach>()
      for range in service.reachable {
        guard permits(service.index, range) else {
          return "ITS \(service.index) can reach \(text(range))"
        }
        if range.isWritten || range.use != .queue { tables.insert(range) }
      }
      let ordered = tables.sorted { $0.base < $1.base }
      for (first, second) in zip(ordered, ordered.dropFirst())
      where first.base + first.size > second.base {
        return "ITS \(service.index): \(text(first)) overlaps \(text(second))"
      }
    }
    return nil
  }

  /// Whether an ITS may touch a range: it is the memory of this one, and in use.
  private func permits(_ index: Int, _ range: MemoryReach) -> Bool {
    let (end, overflow) = range.base.addingReportingOverflow(range.size)
    guard let plan = plans.values.first(where: { $0.service.frame == gic.services[index].base }),
      range.size > 0, !overflow
    else { return false }
    if range.use == .strayTarget { return plan.targets.contains(range.base >> 16) }
    return (range.base >> 12...(end - 1) >> 12).allSatisfy { page in
      // The bitmap of what is in use lies in the first pages.
      plan.arena.contains(page)
        && gic.memory.load(
          .double, at: plan.service.arena + (page - plan.arena.lowerBound) / 64 * 8)
          >> ((page - plan.arena.lowerBound) % 64) & 1 != 0
    }
  }

  private func text(_ range: MemoryReach) -> String {
    "\(range.use) at 0x\(String(range.base, radix: 16)), \(range.size) bytes"
  }
}
