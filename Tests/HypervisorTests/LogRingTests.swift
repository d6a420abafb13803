// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Boards
import Hypervisor
import Testing

@Suite("Log ring")
struct LogRingTests {
  private func drain(_ ring: inout LogRing) -> [UInt8] {
    var bytes: [UInt8] = []
    while let byte = ring.first {
      bytes.append(byte)
      ring.removeFirst()
    }
    return bytes
  }

  @Test(
    "Lines of any length come out as they went in, across the wrap", arguments: [1, 7, 80, 4099])
  func wrap(length: Int) {
    var ring = LogRing()
    for round in 0..<(3 * LogRing.capacity / length + 3) {
      let line = (0..<length).map { UInt8(truncatingIfNeeded: $0 &+ round) }
      ring.append(line.span)
      let count = ring.count
      #expect(count == length)
      let out = drain(&ring)
      #expect(out == line)
    }
    #expect(ring.dropped == 0)
  }

  @Test("A line that doesn't fit is dropped whole and counted; a shorter one still fits")
  func drops() {
    var ring = LogRing()
    let most = [UInt8](repeating: 1, count: LogRing.capacity - 3)
    ring.append(most.span)
    ring.append([2, 2, 2, 2].span)
    #expect(ring.dropped == 1 && ring.count == LogRing.capacity - 3)
    ring.append([3, 3, 3].span)
    ring.append([4].span)
    #expect(ring.dropped == 2 && ring.count == LogRing.capacity)
    let out = drain(&ring)
    #expect(out == most + [3, 3, 3])
    // Told once, and counted for good.
    let told = ring.takeDropped()
    #expect(told == 2 && ring.dropped == 0 && ring.allDropped == 2)
  }

  @Test("A line longer than the ring never fits; an empty one always does")
  func extremes() {
    var ring = LogRing()
    ring.append([UInt8](repeating: 1, count: LogRing.capacity + 1).span)
    ring.append([UInt8]().span)
    #expect(ring.dropped == 1 && ring.count == 0)
    ring.removeFirst()
    #expect(ring.first == nil)
  }

  @Test("Levels are in order of severity")
  func levels() {
    #expect(
      [LogLevel.debug, .error, .info, .warning].sorted() == [.error, .warning, .info, .debug])
  }
}
