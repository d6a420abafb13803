// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CEL2Boot
internal import CHardware

/// What ``MetalTables`` reaches, once the MMU is on for good: the places of the image are looked up once.
struct MetalBusMemory: HostMemory {
  /// Where the image was loaded.
  let imageBase: PhysicalAddress
  /// How many bytes it takes.
  private let imageSize: UInt64
  /// Its link address.
  private let here: UInt64

  init(imageBase: PhysicalAddress) {
    self.imageBase = imageBase
    here = el2_image_start_here()
    imageSize = el2_image_end_here() &- here
  }

  /// Where the word at `address` is now: in the image, or in the linear part.
  @inline(always)
  private func place(_ address: PhysicalAddress) -> UInt64 {
    let distance = address.rawValue &- imageBase.rawValue
    return distance < imageSize ? here &+ distance : VirtualLayout.linear(address).rawValue
  }

  @inline(always)
  func load(_ address: PhysicalAddress) -> UInt64 { pc_load64(place(address)) }

  @inline(always)
  func store(_ value: UInt64, at address: PhysicalAddress) { pc_store64(place(address), value) }

  @inline(always)
  func load4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64) {
    let words = pc_load4(place(address))
    return (words.word0, words.word1, words.word2, words.word3)
  }

  @inline(always)
  func store4(
    _ word0: UInt64, _ word1: UInt64, _ word2: UInt64, _ word3: UInt64, at address: PhysicalAddress
  ) {
    pc_store4(place(address), word0, word1, word2, word3)
  }

  @inline(always)
  func tryLoad(_ address: PhysicalAddress) -> UInt64? {
    let answer = pc_try_readq(place(address))
    return answer.aborted == 0 ? answer.value : nil
  }

  @inline(always)
  func tryLoad4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)? {
    let answer = pc_try_load4(place(address))
    return answer.aborted == 0
      ? (answer.word0, answer.word1, answer.word2, answer.word3) : nil
  }

  @inline(always)
  func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    pc_try_writeq(place(address), value) == 0
  }

  func zero(_ address: PhysicalAddress, size: UInt64) {
    let first = place(address)
    var offset: UInt64 = 0
    while offset < size {
      pc_zero64(first &+ offset)
      offset &+= 64
    }
  }

  func publishTables() {
    pc_dsb_ishst()
    pc_isb()
  }

  func clean(_ address: PhysicalAddress, size: UInt64) {
    DataCache.clean(place(address), size: size)
  }

  func publishToDevices() { pc_dsb_ishst() }
}
