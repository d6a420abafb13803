// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
public import SMMU

/// The streams of one SMMU whose devices may reach what the host reaches; those of any other reach nothing.
public struct PermittedStreams: Sendable {
  /// The most ranges.
  public static let capacity = 16
  private var ranges: FixedList<16, ClosedRange<StreamID>>

  /// Nobody.
  public init() { ranges = FixedList(filler: StreamID(0)...StreamID(0)) }

  /// Everybody.
  public static var all: Self {
    var streams = Self()
    _ = streams.permit(StreamID(0)...StreamID(.max))
    return streams
  }

  /// Adds streams; false where there is no room.
  public mutating func permit(_ streams: ClosedRange<StreamID>) -> Bool { ranges.append(streams) }

  /// How many ranges there are.
  public var count: Int { ranges.count }
  /// The range at `index`, which is below the count.
  public subscript(index: Int) -> ClosedRange<StreamID> { ranges[index] }

  /// The last stream; nil where there is none.
  var last: StreamID? {
    var last: StreamID?
    for index in ranges.indices {
      let bound = ranges[index].upperBound
      last = last.map { max($0, bound) } ?? bound
    }
    return last
  }

  /// Whether `stream` is one of them.
  func contains(_ stream: StreamID) -> Bool {
    for index in ranges.indices where ranges[index].contains(stream) { return true }
    return false
  }

  /// What holds for neighbours.
  enum Share: Hashable { case everybody, nobody, part }

  /// How many of `streams` are among them; `part` may also stand for all, by several ranges.
  func share(of streams: ClosedRange<StreamID>) -> Share {
    var share = Share.nobody
    for index in ranges.indices {
      let range = ranges[index]
      if range.contains(streams.lowerBound) && range.contains(streams.upperBound) {
        return .everybody
      }
      if range.overlaps(streams) { share = .part }
    }
    return share
  }
}
