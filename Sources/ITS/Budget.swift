// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What one trap may still do.
struct Budget {
  private var commands: UInt64
  private var bytes: UInt64

  init(commands: UInt64, bytes: UInt64) {
    self.commands = commands
    self.bytes = bytes
  }

  /// Takes one command from the budget; false where it is spent.
  mutating func takeCommand() -> Bool {
    guard commands > 0 else { return false }
    commands -= 1
    return true
  }

  /// Takes up to `wanted` bytes from the budget.
  mutating func takeBytes(_ wanted: UInt64) -> UInt64 {
    let granted = min(wanted, bytes)
    bytes -= granted
    return granted
  }
}
