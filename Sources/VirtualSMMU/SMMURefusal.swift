// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// Why something that the host has asked of its SMMU was not done.
///
/// The raw values are indices for counters. 3, 9 and 10 are not used: they stood for the signal of CMD_SYNC, EATS
/// and STRW, which are ignored.
public enum SMMURefusalReason: UInt8, Hashable, Sendable {
  /// The architecture reserves the number of the command.
  case reservedCommand
  /// The command belongs to what the virtual SMMU does not have.
  case hiddenCommand
  /// The command speaks of a Secure stream.
  case secureStream
  /// The granule or the size of a range is reserved, or not implemented.
  case range = 4
  /// The command queue is not the host's memory, or does not answer.
  case unreadableCommand
  /// The stream table, or a part of it, is not the host's memory, or does not answer.
  case unreadableEntry
  /// A descriptor of the first level has a reserved Span, or more than SPLIT permits.
  case span
  /// The entry asks for a stage 2.
  case stage2
  /// S1Fmt or S1CDMax is beyond what is offered.
  case contextTable = 11
  /// S1ContextPtr leads beyond what stage 2 translates.
  case contextAddress
  /// The stream may reach nothing.
  case notPermitted
  /// The memory set aside for entries is used up.
  case outOfMemory
  /// The event queue is not the host's memory, or does not answer.
  case unwritableEvent

  /// How many indices there are.
  public static var count: Int { Int(SMMURefusalReason.unwritableEvent.rawValue) + 1 }

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .reservedCommand: "reserved command"
    case .hiddenCommand: "a command that is not offered"
    case .secureStream: "a Secure stream"
    case .range: "reserved range"
    case .unreadableCommand: "the command queue is not the host's memory"
    case .unreadableEntry: "the stream table is not the host's memory"
    case .span: "reserved Span"
    case .stage2: "a stage 2"
    case .contextTable: "reserved shape of contexts"
    case .contextAddress: "contexts out of range"
    case .notPermitted: "the stream may reach nothing"
    case .outOfMemory: "no memory left"
    case .unwritableEvent: "the event queue is not the host's memory"
    }
  }
}

/// Something that was refused, for the log.
public struct SMMURefusal: Hashable, Sendable {
  /// Why.
  public let reason: SMMURefusalReason
  /// The command as EL2 read it; nil where none was at hand.
  public let command: SMMUCommand?
  /// The stream, where it is about one.
  public let stream: StreamID?
}
