// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What the first record of a trace tells.
public struct TraceHeader: Hashable, Sendable {
  /// The version of the format.
  public var version: UInt64
  /// The counts of the clock in a second.
  public var frequency: UInt64

  /// The version that this code writes and reads.
  public static var currentVersion: UInt64 { 2 }
  /// The third word of a trace, `PORTRACE` in its bytes, by which it is known.
  public static var magic: UInt64 { 0x4543_4152_5452_4f50 }

  /// Describes the trace of a clock that counts so often in a second.
  public init(version: UInt64 = TraceHeader.currentVersion, frequency: UInt64) {
    self.version = version
    self.frequency = frequency
  }
}
