// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Who owns a page: exactly one, whoever else may access it.
public enum PageOwner: UInt8, Sendable {
  // The raw value annotates an invalid stage-2 descriptor; 0 is no annotation.

  /// The host at EL1.
  case host = 0
  /// EL2 itself.
  case hypervisor = 1
}
