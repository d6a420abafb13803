// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The values of EL2 in the registers that say where queue and tables are.
struct InstalledRegisters: Sendable {
  /// GITS_CBASER.
  var commandBase: UInt64 = 0
  /// GITS_BASER<n>.
  var tableBases = InlineArray<8, UInt64>(repeating: 0)
}
