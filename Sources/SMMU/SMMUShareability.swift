// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Shareability as registers, commands and tables write it; 1 is reserved (IHI 0070, 6.3).
public enum SMMUShareability: UInt8, Hashable, Sendable {
  /// Non-shareable.
  case none = 0
  /// Outer Shareable.
  case outer = 2
  /// Inner Shareable.
  case inner = 3
}
