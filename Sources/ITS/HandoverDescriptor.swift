// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture

/// What a trusted host says of its live ITS, in its own memory; 64-bit little-endian words.
///
///     word     content
///     0        version: 1
///     1        physical address of the control frame
///     2        GITS_CBASER as the host believes it to be
///     3        physical address of the staging queue, as large as the hardware's
///     4        how many devices are mapped
///     5        how many collections are mapped
///     6, 7     zero
///     8-15     GITS_BASER0 to GITS_BASER7 as the host believes them to be
///     16-23    physical addresses of the staged tables, 0 where there is none; what the host reads
///              in GITS_BASER<n> from then on
///     24-      two words a device: DeviceID [31:0] and bits of an EventID [39:32]; address of its ITT
///     then     one word a collection: ICID [15:0], RDbase [51:16]
///
/// Everything that the hardware tells as well is compared with it, and nothing else is believed
/// without a check.
public struct HandoverDescriptor: Sendable {
  /// The version of this layout.
  public static var version: UInt64 { 1 }
  /// The words before the devices.
  public static var headerWords: UInt64 { 24 }
  /// The most bytes of a descriptor.
  public static var maximumSize: UInt64 { 1 << 16 }

  /// Where EL2's private copy is.
  let copy: PhysicalAddress
  /// How many devices.
  let deviceCount: UInt64
  /// How many collections.
  let collectionCount: UInt64

  /// The bytes of a descriptor with these counts; nil where it is too large.
  static func size(devices: UInt64, collections: UInt64) -> UInt64? {
    guard devices <= maximumSize / 16, collections <= maximumSize / 8 else { return nil }
    let size = (headerWords + devices * 2 + collections) * 8
    return size <= maximumSize ? size : nil
  }

  func word<Memory: BusMemory & ~Copyable>(
    _ index: UInt64, memory: borrowing Memory
  ) -> UInt64 {
    UInt64(littleEndian: memory.load(PhysicalAddress(copy.rawValue &+ index &* 8)))
  }

  /// Device `index`.
  func device<Memory: BusMemory & ~Copyable>(
    _ index: UInt64, memory: borrowing Memory
  ) -> (head: UInt64, table: UInt64) {
    let place = Self.headerWords + index * 2
    return (word(place, memory: memory), word(place + 1, memory: memory))
  }

  /// Collection `index`.
  func collection<Memory: BusMemory & ~Copyable>(
    _ index: UInt64, memory: borrowing Memory
  ) -> UInt64 {
    word(Self.headerWords + deviceCount * 2 + index, memory: memory)
  }
}
