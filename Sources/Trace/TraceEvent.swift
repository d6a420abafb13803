// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What a record tells of.
///
/// The events of one trap come in the order in which they happened and end with its access. All that
/// the mediation of an ITS is given, by the host or by the hardware, is among them, so that they can
/// be run again.
public enum TraceEvent: Hashable, Sendable {
  /// The first record of a trace.
  case header(TraceHeader)
  /// An ITS is mediated from now on.
  case service(TracedService)
  /// What one GITS_BASER<n> of that ITS accepts.
  case table(TracedTable)
  /// A Redistributor that commands may name, by its RDbase.
  case target(UInt64)
  /// An access of the host, which ends its trap.
  case access(TracedAccess)
  /// A command that EL2 has taken from the host's queue.
  case command(TracedCommand)
  /// EL2's own access to a register of the hardware.
  case hardware(TracedRegister)
  /// The host's queue was to be shared and pinned.
  case pin(TracedPin)
  /// EL2 has looked into a table of the host's.
  case look(TracedLook)
  /// The command at this address of the host's queue was answered with an abort.
  case unreadable(UInt64)
  /// So many records found no room here.
  case lost(UInt64)
}
