// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import ITS
public import Trace
internal import Traps

/// A recorded trace, run again: the mediation of Portcullis is given on a simulated board what it was
/// given by the host and by the hardware, and must do and answer what it did.
///
/// Each trap is one step: the commands that were read are written to the host's queue, the access is
/// made, what the hardware answered is answered again, once the simulated ITS has got as far. Compared
/// are the verdict on every command, every access of EL2 to the hardware, and the answer to the host.
public struct Replay: Sendable {
  /// The first thing that was not as recorded.
  public struct Difference: Hashable, Sendable {
    /// The index of the record; of the access, where something more or less has happened in its trap.
    public var record: Int
    /// What was recorded; nil where nothing more was.
    public var recorded: TraceEvent?
    /// What has happened now; nil where nothing more did.
    public var replayed: TraceEvent?
    /// What is wrong where the events are not.
    public var remark: String?
  }

  /// The accesses that were run again.
  public private(set) var accesses = 0
  /// The verdicts on commands that were compared.
  public private(set) var commands = 0
  /// The ITSes.
  public private(set) var services = 0
  /// The ITSes that were handed over, which can't be run again: the trace has not what they held.
  public private(set) var handedOver = 0
  /// Records that had found no room; what follows them can't be run again.
  public private(set) var lost: UInt64 = 0
  /// The first difference; nil where there is none.
  public private(set) var difference: Difference?

  /// Runs a trace again.
  ///
  /// - Throws: any `ReplayError`.
  public init(_ records: [TraceRecord]) throws(ReplayError) { try self.init(records) { _ in } }

  /// The same with somebody who looks on, and gets the board before the first trap.
  init(_ records: [TraceRecord], watched: (ReplayBoard) -> Void) throws(ReplayError) {
    let plans = ServicePlan.all(in: records)
    handedOver = plans.values.count { $0.service.isHandedOver }
    let board = try ReplayBoard(
      plans.filter { !$0.value.service.isHandedOver }, addressBits: Self.addressBits(records))
    defer { board.finish() }
    services = board.count
    guard services > 0 else { throw .nothing }
    watched(board)
    var traps: [UInt8: [(index: Int, event: TraceEvent)]] = [:]
    for (index, record) in records.enumerated() {
      switch record.event {
      case .header, .service, .table, .target: continue
      case .lost(let count):
        lost = count
        return
      case .command, .hardware, .pin, .look, .unreadable:
        traps[record.its, default: []].append((index, record.event))
      case .access(let access):
        let events = traps.removeValue(forKey: record.its) ?? []
        guard !access.isForwarded, board.has(record.its) else { continue }
        board.nextPlace =
          Self.disables(events.map(\.event)) ? Self.place(in: records[index...], record.its) : nil
        difference = try board.run(events, access, its: record.its, cpu: record.cpu, at: index)
        guard difference == nil else { return }
        accesses += 1
        for case (_, .command) in events { commands += 1 }
      }
    }
  }
}

extension Replay {
  /// Whether EL2 disables the hardware.
  private static func disables(_ events: [TraceEvent]) -> Bool {
    events.contains {
      guard case .hardware(let register) = $0 else { return false }
      return register.isWrite && register.offset == 0 && register.value & 1 == 0
    }
  }

  /// The first GITS_CREADR that the hardware of an ITS answers among these.
  private static func place(in records: ArraySlice<TraceRecord>, _ its: UInt8) -> UInt64? {
    for record in records where record.its == its {
      if case .hardware(let register) = record.event, register.offset == 0x90, !register.isWrite {
        return register.isAborted ? nil : register.value
      }
    }
    return nil
  }

  /// The bits of an address that the host's queues need, 40 at least and 48 at most: the more, the longer it
  /// takes to map them.
  private static func addressBits(_ records: [TraceRecord]) -> UInt64 {
    let last = records.reduce(0 as UInt64) { last, record in
      guard case .pin(let pin) = record.event else { return last }
      return max(last, pin.base | pin.pages << 12)
    }
    return min(48, max(40, 64 - UInt64(last.leadingZeroBitCount) + 1))
  }
}

/// Why a trace can't be run again.
public enum ReplayError: Error, Hashable, Sendable {
  /// No ITS was mediated from boot while it was recorded.
  case nothing
  /// What this ITS starts from can't be, or the simulated board has no such hardware.
  case unusable(its: UInt8)
  /// This record is of an access that no mediation is given.
  case impossible(record: Int)

  /// The reason in words.
  public var text: String {
    switch self {
    case .nothing: "no ITS that was mediated from boot"
    case .unusable(let its): "ITS \(its) can't be set up on the simulated board"
    case .impossible(let record): "record \(record): no such access reaches the mediation"
    }
  }
}
