// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// The rules for tables that hardware reads, by name.
package enum TableRule: String, CaseIterable, Hashable, Sendable {
  /// A valid entry that changes its output, size or type is invalid, published and invalidated in between
  /// (Arm ARM DDI 0487, D8.16.1; IHI 0070, 3.21.1 and 3.21.3).
  case breakBeforeMake = "break-before-make"
  /// A page that was a table, or that somebody has lost, is not used before nobody has it cached.
  case invalidateBeforeReuse = "invalidate-before-reuse"
  /// A store to a table comes with the lock that guards it held.
  case storeUnderLock = "store-under-lock"
  /// What a table, a descriptor or a register leads to is visible before hardware can get there.
  case publishBeforeUse = "publish-before-use"
  /// A trap leaves no store unpublished and, on the CPUs, no translation cached that is gone from its table.
  case doneAtExit = "done-at-exit"
  /// A trap leaves no lock taken.
  case locksAtExit = "locks-at-exit"
}

/// An event that breaks a rule.
package struct TableFault: Hashable, Sendable, CustomStringConvertible {
  /// Which rule.
  package let rule: TableRule
  /// The event.
  package let record: TableRecord
  /// What is missing, in words.
  package let reason: String

  /// One line: rule, reason and event.
  package var description: String { "\(rule.rawValue): \(reason): \(record.text)" }
}
