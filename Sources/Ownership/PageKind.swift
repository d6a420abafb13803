// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What stands behind a physical page.
public enum PageKind: UInt8, Sendable {
  /// Memory: cacheable, executable by the host, scrubbed before it changes hands back.
  case memory
  /// Everything that the memory map does not name: device registers, or nothing at all.
  case mmio
}
