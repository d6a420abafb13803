// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

extension ITSSetup {
  /// What the first address of an arena is a multiple of, in bytes: the largest page of a table.
  public static var arenaAlignment: UInt64 { 1 << 16 }

  /// The bytes that are recommended for an arena.
  ///
  /// The queue, the ledgers and the tables of an ITS with 16 bits of DeviceID take about 1 MiB; what is
  /// left is for the translation tables of devices, a page each up to 512 events of 8 bytes.
  public static var recommendedArenaSize: UInt64 { 1 << 22 }

  /// The arena of ITS `index` among `count`: an equal part of `pool`, in the order of the ITSes.
  ///
  /// - Returns: nil where the pool is not aligned, or is too small for a part of 64 KiB.
  public static func arena(_ index: Int, of count: Int, in pool: PageRange) -> PageRange? {
    guard pool.address.isAligned(to: arenaAlignment), index >= 0, index < count else { return nil }
    let unit = arenaAlignment >> PageFrameNumber.shift
    let part = pool.count / UInt64(count) / unit * unit
    return PageRange(
      first: PageFrameNumber(pool.first.rawValue + UInt64(index) * part), count: part)
  }
}
