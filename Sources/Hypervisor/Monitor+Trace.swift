// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware
internal import DeviceTree
internal import Hypervisor
internal import Trace

/// The trace of EL2, where the boot arguments have asked for one (`portcullis.trace`).
enum Recorder {
  private static var memory: MetalBusMemory { MetalBusMemory() }

  /// Begins the trace, before the host runs.
  static func begin(toConsole: Bool) {
    unsafe StateMemory.shared.pointee.drainsTrace = toConsole
    let place =
      unsafe StateMemory.shared.pointee.image.base.rawValue
      + (el2_trace_here() - el2_image_start_here())
    unsafe StateMemory.shared.pointee.trace = TraceRing(
      PhysicalAddress(place), size: el2_trace_size)
    append(.header(TraceHeader(frequency: pc_read_cntfrq_el0())), its: 0)
  }

  /// Whether there is a trace; never changes once the host runs.
  static var isOn: Bool { unsafe StateMemory.shared.pointee.trace != nil }

  /// Records what happened on the CPU that runs this.
  static func append(_ event: TraceEvent, its: UInt8, at time: UInt64 = pc_read_cntpct_el0()) {
    let record = TraceRecord(
      time: time, cpu: UInt16(truncatingIfNeeded: pc_read_tpidr_el2()), its: its, event)
    // No lock has a later rank.
    var held = HeldLocks()
    unsafe StateMemory.shared.pointee.traceLock.withLock(&held) { _ in
      unsafe StateMemory.shared.pointee.trace?.append(record, memory: memory)
    }
  }

  /// The oldest record.
  static func first() -> InlineArray<8, UInt64>? {
    var held = HeldLocks()
    return unsafe StateMemory.shared.pointee.traceLock.withLock(&held) { _ in
      unsafe StateMemory.shared.pointee.trace?.first(memory: memory)
    }
  }

  /// Takes the oldest record.
  static func takeFirst() -> InlineArray<8, UInt64>? {
    var held = HeldLocks()
    return unsafe StateMemory.shared.pointee.traceLock.withLock(&held) { _ in
      unsafe StateMemory.shared.pointee.trace?.takeFirst(memory: memory)
    }
  }

  /// The most records that one access has written to the console: most accesses make fewer.
  private static var recordsPerAccess: UInt64 { 16 }

  /// Writes some records to the console behind an access, where they are to go there at once.
  static func drainBehindAccess() {
    guard unsafe StateMemory.shared.pointee.drainsTrace else { return }
    var held = HeldLocks()
    unsafe StateMemory.shared.pointee.logLock.withLock(&held) { _ in
      drain(atMost: recordsPerAccess)
    }
  }

  /// Writes records to the console, a line each, with the lock of the log held.
  ///
  /// All of them: as many as there is room for, and the count of the lost; a host that still runs adds no
  /// more.
  static func drain(atMost limit: UInt64 = el2_trace_size / UInt64(TraceRecord.size) + 1) {
    for _ in 0..<limit {
      guard let words = takeFirst() else { return }
      var line = LogLine("trace ")
      for index in 0..<8 { line.append(digits: words[index]) }
      guard unsafe StateMemory.shared.pointee.log.writeNow(line) else { return }
    }
  }
}

extension LogLine {
  /// The sixteen hexadecimal digits of a word.
  fileprivate mutating func append(digits word: UInt64) {
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(truncatingIfNeeded: word >> UInt64(shift) & 0xf)
      append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
    }
  }
}
