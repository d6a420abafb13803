// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What an inspection comes to for one file.
public enum Verdict: String, Sendable {
  /// Every ITS can be taken from the host.
  case protectable
  /// The board has no ITS.
  case nothingToProtect = "nothing-to-protect"
  /// The file is no board that could be started, or an ITS of it can't be protected.
  case refused
}
