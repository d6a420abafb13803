// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// What EL2 did in a trap of an ITS, as the machine sees it.
package enum Observation: Hashable, Sendable {
  /// It read a register of the ITS; nil for an abort.
  case read(offset: UInt64, value: UInt64?)
  /// It wrote one; false for an abort.
  case wrote(offset: UInt64, value: UInt64, isDone: Bool)
  /// It loaded a doubleword of the host's memory; nil for an abort.
  case loaded(UInt64, value: UInt64?)
  /// It asked for pages of the host to be shared and pinned.
  case pinned(PageRange, isGranted: Bool)
  /// It let them go.
  case unpinned(PageRange)
}
