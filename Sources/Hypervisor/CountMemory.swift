// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Words that are zero at first, by their index.
public protocol CountMemory {
  /// The word at an index.
  func load(_ index: UInt64) -> UInt64
  /// Changes the word at an index.
  func store(_ value: UInt64, at index: UInt64)
}
