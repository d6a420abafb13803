// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Bounds how often the log may go to the console while the host runs.
///
/// A host that has itself refused all day would otherwise keep the console and the lock of the log
/// busy. What is not admitted stays in the ``LogRing``. Guarded by the lock of rank `log`.
public struct LogGate: Sendable {
  /// How many times are admitted at once after a quiet while, and then in a second.
  public static var perSecond: UInt64 { 16 }

  /// Ticks of the counter for one time.
  private let interval: UInt64
  /// Times that are open now.
  private var open = Self.perSecond
  /// The tick up to which times have been handed out.
  private var last: UInt64 = 0

  /// A gate by a counter of `frequency` ticks a second (CNTFRQ_EL0).
  public init(frequency: UInt64) { interval = max(frequency / Self.perSecond, 1) }

  /// Whether the log may go to the console at tick `now`; asking uses one time up.
  public mutating func admits(at now: UInt64) -> Bool {
    let earned = (now &- last) / interval
    if earned > 0 {
      open = min(open &+ min(earned, Self.perSecond), Self.perSecond)
      last = now
    }
    guard open > 0 else { return false }
    open -= 1
    return true
  }
}
