// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// A ring of text bytes that a host which floods it cannot make EL2 wait for.
///
/// When the ring is full the newest line is dropped whole and counted: what led up to a flood is
/// worth more than the flood. Guarded by the lock of rank `log`.
public struct LogRing: ~Copyable {
  /// Bytes that the ring holds.
  public static var capacity: Int { 8192 }

  private var bytes = InlineArray<8192, UInt8>(repeating: 0)
  private var head = 0
  private var used = 0
  /// Lines that found no room, since this was last told.
  public private(set) var dropped: UInt64 = 0
  /// Lines that found no room since the start.
  public private(set) var allDropped: UInt64 = 0

  /// An empty ring.
  public init() {}

  /// How many bytes wait to be drained.
  public var count: Int { used }

  /// Appends a whole line, or drops and counts it.
  public mutating func append(_ line: Span<UInt8>) {
    guard line.count <= Self.capacity - used else {
      dropped &+= 1
      allDropped &+= 1
      return
    }
    for index in line.indices {
      bytes[(head + used) % Self.capacity] = line[index]
      used += 1
    }
  }

  /// The oldest byte.
  public var first: UInt8? { used > 0 ? bytes[head] : nil }

  /// Takes the oldest byte, if there is one.
  public mutating func removeFirst() {
    guard used > 0 else { return }
    head = (head + 1) % Self.capacity
    used -= 1
  }

  /// Takes the count of lines that found no room.
  public mutating func takeDropped() -> UInt64 {
    defer { dropped = 0 }
    return dropped
  }
}
