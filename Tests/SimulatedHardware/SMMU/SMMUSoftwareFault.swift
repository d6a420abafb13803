// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture
import SMMU

/// Something that the architecture tells software never to do: what comes of it is UNPREDICTABLE, or
/// lost, or lets a device through.
///
/// An honest driver causes none, and neither does a sound mediator whatever its host does.
package enum SMMUSoftwareFault: Hashable, Sendable {
  /// An access of a width that the register at `offset` doesn't permit, or that isn't aligned, or where
  /// no register is.
  case accessNotPermitted(offset: UInt64, AccessWidth)
  /// A write to a register that may only be read.
  case readOnly(SMMURegister)
  /// A register was written while the function that it belongs to was enabled; the write has no effect.
  case changedWhileEnabled(SMMURegister)
  /// A bit of SMMU_CR0 or SMMU_IRQ_CTRL was changed again before its first change was acknowledged.
  case changedBeforeAcknowledged(SMMURegister)
  /// SMMU_GBPA was written without Update, or while an earlier update was under way.
  case bypassNotUpdated
  /// A bit of SMMU_GERRORN was toggled of which no error was active.
  case acknowledgedNoError(UInt32)
  /// A queue or a table was made larger than the SMMU has.
  case tooLarge(SMMURegister)
  /// A queue or a table is not aligned to its size.
  case misaligned(SMMURegister)
  /// PROD was moved so that the queue holds more than it has room for.
  case queueOverrun
  /// A CPU stored to a command that was published and not consumed.
  case unreadCommandChanged(index: UInt32)
  /// A descriptor of the stream table's first level says more entries than SPLIT has.
  case spanBeyondSplit(index: UInt64)
  /// A live entry of a translation table was replaced, with no invalidation in between, by another one
  /// that it may not be replaced by.
  case breakBeforeMake(entry: UInt64, old: UInt64, new: UInt64)
  /// Two cached entries of different sizes translate one address.
  case cacheConflict(address: UInt64)
  /// Two streams of one VMID have different tables of stage 2.
  case tablesShareVMID(VMID)
  /// A range of an invalidation names no granule that the SMMU has.
  case rangeWithoutGranule
  /// A feature that these tests don't need and that isn't simulated.
  case notSimulated(String)
}
