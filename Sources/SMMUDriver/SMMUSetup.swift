// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What driving one SMMU starts from.
public struct SMMUSetup: Sendable {
  /// Where EL2 sees the two pages of 64 KiB of registers, which the host has not.
  public var frame: VirtualAddress
  /// Pages of EL2 for this SMMU alone, whatever they hold: its queues and its stream table.
  public let arena: PageRange
  /// The streams that may reach anything.
  public let streams: PermittedStreams

  /// The bytes that are recommended for an arena: enough for two levels of 65,536 streams.
  public static var recommendedArenaSize: UInt64 { 1 << 16 }

  /// The bytes that are recommended for an arena where the host has a stage 1: 2,048 streams of their own
  /// beside that, if they are neighbours.
  public static var recommendedNestedArenaSize: UInt64 { 1 << 18 }

  /// Describes a set-up.
  public init(frame: VirtualAddress, arena: PageRange, streams: PermittedStreams = .all) {
    self.frame = frame
    self.arena = arena
    self.streams = streams
  }
}
