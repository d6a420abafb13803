// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

// getopt_long for Swift: its state is in variables of the C library, which Swift 6 may not touch.

#pragma once

/// What stands at one place of the command line.
typedef enum __attribute__((enum_extensibility(closed))) {
  /// Nothing more.
  options_end,
  /// Not an option: a command or a file.
  options_operand,
  /// `--json`.
  options_json,
  /// `--perfetto`.
  options_perfetto,
  /// `--svg`; the text is its argument.
  options_svg,
  /// `--page-size`; the text is its argument.
  options_page_size,
  /// `--help`.
  options_help,
  /// `--version`.
  options_version,
  /// An option that there isn't, or one with an argument that it doesn't take; the text names it.
  options_unknown,
  /// An option whose argument is missing; the text names it.
  options_incomplete,
} options_kind;

/// One option or operand, with its text where the kind says so (it lives as long as `argv`).
typedef struct {
  options_kind kind;
  const char *_Nullable text;
} options_item;

/// The next option or operand of the command line, in the order they were written.
///
/// Options may stand anywhere, POSIXLY_CORRECT or not; what follows `--` is an operand. Nothing is
/// printed. Not for more than one thread.
options_item options_next(int argc, char *_Nullable *_Nonnull argv);
