// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// How many INTIDs a board has.
public enum InterruptLimit {
  /// One more than the largest INTID, as the Distributor that EL2 sees at `distributor` tells; nil where
  /// it answers with an abort.
  ///
  /// GICD_TYPER.IDbits, bits [23:19], is the number of bits minus one (IHI 0069, 12.9.38).
  public static func read<Memory: DeviceMemory & ~Copyable>(
    at distributor: VirtualAddress, through memory: borrowing Memory
  ) -> UInt64? {
    guard let typer = memory.read(.word, at: VirtualAddress(distributor.rawValue &+ 4)) else {
      return nil
    }
    return 1 << ((typer >> 19 & 0x1f) + 1)
  }
}
