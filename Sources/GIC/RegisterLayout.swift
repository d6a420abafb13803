// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Whether software may read a register, write it, or both.
public enum RegisterDirection: Hashable, Sendable {
  /// Writes are ignored.
  case readOnly
  /// The value read has no meaning.
  case writeOnly
  /// Both.
  case readWrite
}

/// One row of a register map: a register, or an array of equal ones side by side.
public struct RegisterLayout: Hashable, Sendable {
  /// The offset in bytes of the first register from the start of its frame.
  public let offset: UInt64
  /// The size in bytes of one register: 4 or 8.
  public let size: UInt64
  /// How many there are side by side.
  public let count: UInt64
  /// The widths of accesses to the register as a whole.
  public let widths: AccessWidths
  /// Whether it may be read and written.
  public let direction: RegisterDirection

  init(
    _ offset: UInt64, size: UInt64, count: UInt64 = 1, _ widths: AccessWidths,
    _ direction: RegisterDirection
  ) {
    self.offset = offset
    self.size = size
    self.count = count
    self.widths = widths
    self.direction = direction
  }

  /// The widths permitted at `offset`; none where no register of the row starts, except that a
  /// 64-bit register which may be accessed by words permits one at its upper half.
  func widths(at offset: UInt64) -> AccessWidths {
    let distance = offset &- self.offset
    guard distance < size * count else { return .none }
    switch distance % size {
    case 0: return widths
    case 4: return widths.permits(.word) ? .word : .none
    default: return .none
    }
  }
}
