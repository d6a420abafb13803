// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// How the program ends; the numbers above 1 are those of `sysexits.h`.
///
/// Of several files each is inspected, and the status is that of the worst: the greatest number.
public enum ExitStatus: Int32, Comparable, Sendable {
  /// Every file is fine.
  case fine = 0
  /// A file was refused, or a trace runs differently.
  case refused = 1
  /// The command line makes no sense (EX_USAGE); nothing was inspected.
  case usage = 64
  /// A file isn't a device tree, ACPI tables or a trace (EX_DATAERR).
  case notTheData = 65
  /// A file can't be opened or read (EX_NOINPUT).
  case cannotOpen = 66
  /// The output can't be written (EX_IOERR).
  case cannotWrite = 74

  /// Orders by how bad it is.
  public static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
