// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// Something that the architecture tells software never to do: what comes of it is UNPREDICTABLE, or
/// lost.
///
/// An honest driver causes none, and neither does a sound mediator whatever its host does.
package enum SoftwareFault: Hashable, Sendable {
  /// An access of a width that the register at `offset` doesn't permit, or that isn't aligned.
  case accessNotPermitted(offset: UInt64, AccessWidth)
  /// GITS_CTLR.Enabled was set while Quiescent was clear.
  case enabledBeforeQuiescent
  /// GITS_CBASER was written while the ITS was enabled or not quiescent.
  case queueMovedWhileActive
  /// GITS_BASER<n> was written while the ITS was enabled or not quiescent.
  case tableMovedWhileActive(Int)
  /// GITS_CWRITER was set at or past the end of the queue.
  case writePointerPastEnd(UInt64)
  /// Commands were published while GITS_CBASER wasn't valid.
  case queueNotValid
  /// A CPU stored to a slot that was published and that the ITS has not passed.
  case unreadSlotChanged(offset: UInt64)
  /// A command has a bit set that is reserved.
  case reservedBits(command: UInt8)
  /// GICR_PROPBASER or GICR_PENDBASER was written while GICR_CTLR.EnableLPIs was set.
  case configurationChangedWhileEnabled
}
