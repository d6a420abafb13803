// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Hypervisor

/// The memory that an image sets aside for its state, zeros.
final class Places: @unchecked Sendable {
  static let stateSize = 0x2_0000
  static let services = 32
  static let smmus = 16
  let state = unsafe Places.make(stateSize)
  let itses = unsafe Places.make(services * ITSPlaces.stride)
  let redistributors = unsafe Places.make(Int(RedistributorPlace.size))
  let virtualSMMUs = unsafe Places.make(smmus * Int(VirtualSMMUPlaces.stride))
  var counts = [UInt64](repeating: 0, count: 0x8000)

  private static func make(_ size: Int) -> UnsafeMutableRawPointer {
    let place = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 4096)
    unsafe place.initializeMemory(as: UInt8.self, repeating: 0, count: size)
    return unsafe place
  }

  // What lies there has no resources: it goes with its memory.
  deinit {
    unsafe state.deallocate()
    unsafe itses.deallocate()
    unsafe redistributors.deallocate()
    unsafe virtualSMMUs.deallocate()
  }
}
