// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// What an ITS was told by a register, or has carried out from its queue.
package enum ITSAction: Hashable, Sendable {
  /// GITS_CTLR.Enabled is set.
  case enable
  /// It is Quiescent: nothing that was unmapped is in use any more.
  case quiescent
  /// GITS_CWRITER was written.
  case tell
  /// MAPD with V: the ITT of a device.
  case map(device: UInt32, base: UInt64, size: UInt64)
  /// MAPD without.
  case unmap(device: UInt32)
  /// MAPC with V: a Redistributor that interrupts may be under way to, by RDbase.
  case collection(target: UInt64)
  /// SYNC of a Redistributor, by RDbase.
  case sync(target: UInt64)
}
