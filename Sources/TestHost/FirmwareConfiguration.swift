// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// QEMU's fw_cfg: a device by which firmware reads what the machine is made of, by DMA to any address.
///
/// No SMMU is in its way. Source: QEMU, docs/specs/fw_cfg.
enum FirmwareConfiguration {
  /// The data, a byte at a time, and the register that starts a DMA, of 64 bits in big endian.
  static var data: UInt64 { Board.firmwareConfiguration }
  static var address: UInt64 { Board.firmwareConfiguration + 0x10 }

  /// Item 0 holds these bytes.
  static let signature: UInt64 = 0x554d_4551
  /// What the address register reads: "QEMU CFG".
  static let identity: UInt64 = 0x5145_4d55_2043_4647

  /// Writes the first four bytes of item 0 to `target` by DMA; whether the device says that it is done.
  static func write(to target: UInt64) -> Outcome {
    // Control, with select in bit 3, read in bit 1 and the item above; length; address.
    let request = Arena.spare
    el1_store64(request, swapped(0x0a) | swapped(4) << 32)
    el1_store64(request + 8, target.byteSwapped)
    el1_clean(request, 16)
    el1_barrier()
    return probe(EL1_STR_X, address, value: request.byteSwapped)
  }

  /// What the device has left of the request: 0 where it is done.
  static var remainder: UInt64 { el1_load64(Arena.spare) & 0xffff_ffff }

  private static func swapped(_ word: UInt32) -> UInt64 { UInt64(word.byteSwapped) }
}
