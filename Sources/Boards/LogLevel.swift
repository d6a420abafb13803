// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The severity of a log line, and the level below which lines are kept.
public enum LogLevel: UInt8, Comparable, Sendable {
  /// What stops the hypervisor.
  case error = 0
  /// What was refused.
  case warning = 1
  /// What was found and done at boot.
  case info = 2
  /// What a developer asks for.
  case debug = 3

  /// Orders levels from the most severe on.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
