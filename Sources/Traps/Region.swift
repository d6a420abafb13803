// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

public import Architecture

/// Claimed pages whose accesses trap: where they lie, what is permitted, and who answers.
public struct Region<Device: TrapDevice>: Sendable {
  /// Where the host sees it.
  public let layout: RegionLayout
  /// Where EL2 sees the base, as returned when it was mapped.
  ///
  /// The frames of a strided region lie at the same distances as in physical memory.
  public let address: VirtualAddress
  /// The widths that the region permits; a device may permit fewer for a register.
  public let widths: AccessWidths
  /// Whether the region may be read, written, or both.
  public let kinds: AccessKinds
  /// Who answers; nil for pages that are claimed only to be out of reach.
  public let device: Device?
  /// The widths permitted to loads in bits [3:0] and to stores in bits [7:4]: one test for both.
  private let permitted: UInt8

  /// Describes a region.
  public init(
    _ layout: RegionLayout, mappedAt address: VirtualAddress, widths: AccessWidths = .all,
    kinds: AccessKinds = .readWrite, device: Device?
  ) {
    self.layout = layout
    self.address = address
    self.widths = widths
    self.kinds = kinds
    self.device = device
    permitted =
      (kinds.contains(.read) ? widths.rawValue & 0xf : 0)
      | (kinds.contains(.write) ? (widths.rawValue & 0xf) << 4 : 0)
  }

  /// Whether kind and width of an access with a valid syndrome are permitted.
  @inline(__always)
  func permits(_ syndrome: DataAbortSyndrome) -> Bool {
    // SAS is at bits [23:22] and WnR at bit [6]: together they are the number of the bit.
    let number = syndrome.rawValue >> 22 & 3 | syndrome.rawValue >> 4 & 4
    return UInt64(permitted) &>> number & 1 == 1
  }

  /// What an unused slot holds: no address lies in it.
  static var unused: Region {
    Region(.nowhere, mappedAt: VirtualAddress(0), widths: .none, kinds: .none, device: nil)
  }
}
