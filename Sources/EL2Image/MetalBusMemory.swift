// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import CHardware
internal import Hypervisor

/// All memory that EL2 has mapped, once the MMU is on: in the linear part, the data of the image too.
struct MetalBusMemory: HostMemory {
  /// Where the word at `address` is.
  @inline(always)
  private func place(_ address: PhysicalAddress) -> UInt64 {
    VirtualLayout.linear(address).rawValue
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
