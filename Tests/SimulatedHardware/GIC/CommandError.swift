// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Why an ITS can't carry out a command (IHI 0069, 5.3: the error of each command).
package enum CommandError: Error, Hashable, Sendable {
  /// The number is reserved, or of a feature that the ITS hasn't.
  case unknownCommand(UInt8)
  /// The DeviceID is out of range, or its place in the table isn't there.
  case deviceOutOfRange(UInt32)
  /// MAPD: Size is above GITS_TYPER.ID_bits.
  case tableSizeOutOfRange(UInt64)
  /// The device isn't mapped.
  case unmappedDevice(UInt32)
  /// The EventID is out of the range of its device.
  case eventOutOfRange(UInt32)
  /// The pINTID isn't an LPI.
  case interruptOutOfRange(UInt32)
  /// The event isn't mapped, or mapped to an interrupt of the other sort.
  case unmappedInterrupt(UInt32)
  /// The ICID is out of range, or its place in the table isn't there.
  case collectionOutOfRange(UInt16)
  /// The collection isn't mapped.
  case unmappedCollection(UInt16)
  /// RDbase names no processor, with GITS_TYPER.PTA clear.
  case targetOutOfRange(UInt64)
  /// The vPEID is out of range, or its place in the table isn't there.
  case vpeOutOfRange(UInt16)
  /// The vPE isn't mapped.
  case unmappedVPE(UInt16)
  /// VMAPP: VPT_size is above what the ITS has.
  case virtualTableSizeOutOfRange(UInt64)
  /// An error that the test asked for.
  case injected
}
