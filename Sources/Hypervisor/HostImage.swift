// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// What the header of a host's image says about where it runs.
///
/// An image of the Linux boot protocol for arm64 begins with 64 bytes that name its size in memory;
/// anything else is a flat payload that is entered at its first byte.
public struct HostImage: Equatable, Sendable {
  /// Bytes of memory that the image takes from its base on: what its header says, its zeroed part included, or
  /// what the loader brought, where that is more.
  public let memorySize: UInt64
  /// Bytes by which its base must lie above a 2 MiB boundary; nil for a flat payload.
  public let textOffset: UInt64?

  /// The alignment, in bytes, that the boot protocol asks of the base less the text offset.
  public static let alignment: UInt64 = 0x20_0000

  /// "ARM\x64", little-endian, at byte 56 of the header.
  private static let magic: UInt64 = 0x644d_5241
  /// The text offset of images whose header names no size, those from before Linux 3.17.
  private static let oldTextOffset: UInt64 = 0x8_0000

  /// Reads a header.
  ///
  /// - Parameters:
  ///   - header: the first 64 bytes of the image as little-endian words.
  ///   - fileSize: how many bytes the loader brought.
  public init(header: InlineArray<8, UInt64>, fileSize: UInt64) {
    guard header[7] & 0xffff_ffff == Self.magic else {
      memorySize = fileSize
      textOffset = nil
      return
    }
    // More than the size was brought where something is appended to the image, such as a tree.
    memorySize = max(header[2], fileSize)
    textOffset = header[2] == 0 ? Self.oldTextOffset : header[1]
  }

  /// Whether the image may run at `base`.
  public func mayRun(at base: PhysicalAddress) -> Bool {
    guard let textOffset else { return base.isAligned(to: 4) }
    return base.rawValue >= textOffset
      && PhysicalAddress(base.rawValue - textOffset).isAligned(to: Self.alignment)
  }
}
