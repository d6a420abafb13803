// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// EL2's access to a register of the hardware: a publication in GITS_CWRITER, GITS_CREADR as it was
/// seen, and all others while the host runs.
public struct TracedRegister: Hashable, Sendable {
  /// The offset in the control frame.
  public var offset: UInt64
  /// log2 of the bytes.
  public var width: UInt8
  /// Whether EL2 wrote.
  public var isWrite: Bool
  /// Whether the hardware answered with an external abort.
  public var isAborted: Bool
  /// What was written or read.
  public var value: UInt64

  /// Describes an access.
  public init(offset: UInt64, width: UInt8, isWrite: Bool, isAborted: Bool, value: UInt64) {
    self.offset = offset
    self.width = width
    self.isWrite = isWrite
    self.isAborted = isAborted
    self.value = value
  }
}
