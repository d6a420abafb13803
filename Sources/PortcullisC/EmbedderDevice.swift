// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Hypervisor
internal import Traps

/// Who answers for a region, with offsets as the C interface counts them: from the base of the region
/// and not of the frame, so that a function can tell the frames of a strided region apart.
struct EmbedderDevice: TrapDevice {
  let device: ProtectedDevice<EmbedderPlatform>
  /// log2 of the distance between two frames.
  let strideShift: UInt64

  var forwardsAll: Bool { device.forwardsAll }

  func read(_ access: Access, context: EmbedderPlatform) -> ReadEffect {
    device.read(fromBase(access), context: context)
  }

  func write(_ access: Access, _ value: UInt64, context: EmbedderPlatform) -> WriteEffect {
    device.write(fromBase(access), value, context: context)
  }

  private func fromBase(_ access: Access) -> Access {
    // The frame is one of the layout's: the sum lies inside the region.
    Access(
      offset: access.frame << strideShift + access.offset, address: access.address,
      width: access.width, isOrdered: access.isOrdered)
  }
}
