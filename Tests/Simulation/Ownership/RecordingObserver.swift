// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import Ownership

/// Tells each page by itself, so that a test sees where a change ended.
package struct RecordingObserver: OwnershipObserver {
  package let machine: SimulatedMachine

  package init(machine: SimulatedMachine) { self.machine = machine }

  package mutating func prepare<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: borrowing PagePool<Memory>
  ) throws(OwnershipError) -> UInt64 {
    var prepared: [PageFrameNumber] = []
    for frame in Self.frames(ranges) {
      if frame == machine.refusedFrame {
        for earlier in prepared { forget(earlier) }
        throw .refusedByObserver(frame)
      }
      machine.preparedCount += 1
      machine.events.append(.prepared(frame))
      prepared.append(frame)
    }
    return machine.observerPages
  }

  package mutating func revoke<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) throws(OwnershipError) {
    for frame in Self.frames(ranges) where frame == machine.irrevocableFrame {
      throw .refusedByObserver(frame)
    }
    follow(ranges)
  }

  package mutating func commit<Memory: TableMemory & ~Copyable>(
    _ transition: PageTransition, _ ranges: Span<PageRange>, _ pool: inout PagePool<Memory>,
    _ reservation: inout Reservation
  ) { follow(ranges) }

  package mutating func abort(_ transition: PageTransition, _ ranges: Span<PageRange>) {
    for frame in Self.frames(ranges) { forget(frame) }
  }

  private func follow(_ ranges: Span<PageRange>) {
    for frame in Self.frames(ranges) {
      machine.preparedCount -= 1
      let reach = machine.onCommit?(frame) ?? (host: true, hypervisor: true)
      machine.events.append(
        .committed(frame, hostReaches: reach.host, hypervisorReaches: reach.hypervisor))
    }
  }

  private func forget(_ frame: PageFrameNumber) {
    machine.preparedCount -= 1
    machine.events.append(.aborted(frame))
  }

  private static func frames(_ ranges: Span<PageRange>) -> [PageFrameNumber] {
    var frames: [PageFrameNumber] = []
    for index in ranges.indices {
      let range = ranges[index]
      for offset in 0..<range.count { frames.append(frame(range.first.rawValue + offset)) }
    }
    return frames
  }
}
