// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// One load or store of the host, checked against the region that holds it.
///
/// The width is permitted in the region, and the offset is a multiple of it and inside the frame.
public struct Access: Hashable, Sendable {
  /// The offset in bytes from the start of the frame.
  public let offset: UInt64
  /// Which frame of a strided region; zero for a region of one frame.
  public let frame: UInt64
  /// The offset in bytes from the start of the region; the same as `offset` in a region of one frame.
  public let distance: UInt64
  /// Where EL2 reaches the same register.
  public let address: VirtualAddress
  /// How many bytes.
  public let width: AccessWidth
  /// Whether the host's instruction has acquire (load) or release (store) semantics.
  public let isOrdered: Bool

  /// Describes an access; without a `distance` one to the first frame.
  public init(
    offset: UInt64, frame: UInt64 = 0, distance: UInt64? = nil, address: VirtualAddress,
    width: AccessWidth, isOrdered: Bool = false
  ) {
    self.distance = distance ?? offset
    self.offset = offset
    self.frame = frame
    self.address = address
    self.width = width
    self.isOrdered = isOrdered
  }
}
