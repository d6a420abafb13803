// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// Why something that the host has asked of its SMMU was not done.
///
/// The raw values are indices for counters and are dense from zero.
public enum SMMURefusalReason: UInt8, Hashable, Sendable {
  /// The architecture reserves the number of the command.
  case reservedCommand
  /// The command belongs to what the virtual SMMU does not have.
  case hiddenCommand
  /// The command speaks of a Secure stream.
  case secureStream
  /// CMD_SYNC is to signal by an interrupt, which is a write by the hardware.
  case signal
  /// The granule or the size of a range is reserved, or not implemented.
  case range
  /// The command queue is not the host's memory.
  case unreadableCommand
  /// The stream table, or a part of it, is not the host's memory.
  case unreadableEntry
  /// A descriptor of the first level has a reserved Span, or more than SPLIT permits.
  case span
  /// The entry asks for a stage 2.
  case stage2
  /// EATS: devices that translate by themselves.
  case translationService
  /// STRW: stage 1 of another exception level.
  case regime
  /// S1Fmt, S1CDMax or S1DSS is reserved or beyond what is offered.
  case contextTable
  /// S1ContextPtr leads beyond what stage 2 translates.
  case contextAddress
  /// The stream may reach nothing.
  case notPermitted
  /// The memory set aside for entries is used up.
  case outOfMemory
  /// The event queue is not the host's memory.
  case unwritableEvent

  /// How many reasons there are.
  public static var count: Int { Int(SMMURefusalReason.unwritableEvent.rawValue) + 1 }

  /// The reason in words, for a log.
  public var text: StaticString {
    switch self {
    case .reservedCommand: "reserved command"
    case .hiddenCommand: "a command that is not offered"
    case .secureStream: "a Secure stream"
    case .signal: "a signal by an interrupt"
    case .range: "reserved range"
    case .unreadableCommand: "the command queue is not the host's memory"
    case .unreadableEntry: "the stream table is not the host's memory"
    case .span: "reserved Span"
    case .stage2: "a stage 2"
    case .translationService: "ATS is not offered"
    case .regime: "another exception level"
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
