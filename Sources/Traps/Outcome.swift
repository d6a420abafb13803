// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What became of an abort that the host took to EL2.
public enum Outcome: Hashable, Sendable {
  /// A device answered; registers and program counter are as after the instruction.
  case completed
  /// A device has work left, and the host runs the same instruction again; nothing was changed.
  case unfinished
  /// Cache maintenance of a claimed page, which has no effect; the instruction is stepped over.
  case skipped
  /// The host continues at its vector with an abort, for the reason given.
  case injected(Refusal)
  /// No region holds the address, or hardware doesn't tell it (nil); nothing was changed, and the
  /// caller retries or injects.
  case unclaimed(IntermediatePhysicalAddress?)
  /// The exception isn't an abort from a lower Exception level; nothing was changed.
  case notAnAbort
}
