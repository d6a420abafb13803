// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import SMMU

/// What a stream of the host goes by.
public enum StreamRule: Hashable, Sendable {
  /// The host has no entry for it that is valid: every transaction aborts, with an event.
  case invalid
  /// Every transaction aborts.
  case abort
  /// The host lets it pass: stage 2 alone.
  case pass
  /// The host's stage 1, and stage 2 behind it.
  case stage1(Stage1)

  /// Where the host's context descriptors are, by an address that stage 2 translates, and how they are read.
  public struct Stage1: Hashable, Sendable {
    /// S1ContextPtr.
    public let table: UInt64
    /// S1Fmt.
    public let format: UInt64
    /// S1CDMax.
    public let log2: UInt64
    /// S1DSS.
    public let defaultSubstream: UInt64
    /// S1CIR.
    public let inner: UInt64
    /// S1COR.
    public let outer: UInt64
    /// S1CSH.
    public let shareability: UInt64

    /// Takes the fields of an entry, and nothing else of it.
    public init(_ entry: StreamTableEntry) {
      table = entry.contextTable
      format = entry.contextFormat
      log2 = entry.contextLog2
      defaultSubstream = entry.defaultSubstream
      inner = entry.contextInner
      outer = entry.contextOuter
      shareability = entry.contextShareability
    }
  }
}

/// What streams go by as long as the host's SMMU is off, and after it.
public enum StreamMode: Hashable, Sendable {
  /// All abort.
  case abort
  /// All that may reach anything have stage 2 alone.
  case pass
  /// Each has its ``StreamRule``.
  case individual
}

/// What became of a ``StreamRule``.
public enum StreamUpdate: Hashable, Sendable {
  /// The SMMU has it.
  case done
  /// The stream is beyond the table, or may reach nothing.
  case notPermitted
  /// There is no memory for an entry of its own; it is invalid.
  case outOfMemory
  /// The SMMU has not confirmed: nobody knows what the stream goes by, but never more than stage 2 lets it.
  case notConfirmed
}
