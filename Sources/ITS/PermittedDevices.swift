// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// The DeviceIDs that the host may map: all, or those of a list of ranges.
public struct PermittedDevices: Sendable {
  /// The most ranges of a list, after those that touch have been joined.
  public static let capacity = 32

  private(set) var ranges = FixedList<32, ClosedRange<UInt32>>(filler: 0...0)
  private let permitsAll: Bool

  private init(all: Bool) { permitsAll = all }

  /// Every DeviceID.
  public static var all: PermittedDevices { PermittedDevices(all: true) }
  /// No DeviceID: what a list begins with.
  public static var none: PermittedDevices { PermittedDevices(all: false) }

  /// How many ranges the list has; 0 where all are permitted.
  public var rangeCount: Int { ranges.count }

  /// Adds a range, joined with those that it overlaps or touches; false, and nothing is permitted that
  /// was not, where there is no room.
  public mutating func add(_ new: ClosedRange<UInt32>) -> Bool {
    var joined = new
    var kept = FixedList<32, ClosedRange<UInt32>>(filler: 0...0)
    // One pass does: a range that touches one of the list touches no other one of the list but through
    // the new one, which is what it is held against.
    for index in ranges.indices {
      let range = ranges[index]
      if Self.touch(range, new) {
        joined =
          min(joined.lowerBound, range.lowerBound)...max(joined.upperBound, range.upperBound)
      } else {
        _ = kept.append(range)
      }
    }
    guard kept.append(joined) else { return false }
    ranges = kept
    return true
  }

  private static func touch(_ one: ClosedRange<UInt32>, _ other: ClosedRange<UInt32>) -> Bool {
    UInt64(one.lowerBound) <= UInt64(other.upperBound) + 1
      && UInt64(other.lowerBound) <= UInt64(one.upperBound) + 1
  }

  /// Whether the host may map the device.
  public func permits(_ deviceID: UInt32) -> Bool {
    if permitsAll { return true }
    for index in ranges.indices where ranges[index].contains(deviceID) { return true }
    return false
  }
}
