// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

internal import Architecture
internal import Synchronization

/// The pool, and what the host shares, where the embedder has mapped it: at a fixed distance from its
/// physical address.
///
/// A leaf: it makes pointers of addresses, which the core takes from the pool or from pages that it holds
/// shared. Each word is loaded and stored as an atomic, once. What the host has chosen is loaded by the embedder,
/// who survives an abort.
@safe struct LinearMemory: HostMemory {
  /// Where physical address 0 is at EL2, modulo 2^64.
  private let base: UInt64
  private let platform: EmbedderPlatform

  /// Takes the distance; unsafe because the embedder vouches for what is mapped there.
  @unsafe init(base: UInt64, _ platform: EmbedderPlatform) {
    self.base = base
    self.platform = platform
  }

  func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    platform.output(of: address)
  }

  @inline(__always)
  private func place(_ address: PhysicalAddress) -> UInt64 { base &+ address.rawValue }

  /// Where EL2 sees an address.
  @inline(__always)
  func address(of address: PhysicalAddress) -> VirtualAddress { VirtualAddress(place(address)) }

  /// The word at `address`, which is never mapped at 0.
  @inline(__always)
  private func word(_ address: PhysicalAddress) -> UnsafePointer<Atomic<UInt64>> {
    unsafe UnsafePointer(bitPattern: UInt(truncatingIfNeeded: place(address))).unsafelyUnwrapped
  }

  @inline(__always)
  func load(_ address: PhysicalAddress) -> UInt64 {
    unsafe word(address).pointee.load(ordering: .relaxed)
  }

  func tryLoad(_ address: PhysicalAddress) -> UInt64? {
    var words = InlineArray<4, UInt64>(repeating: 0)
    return platform.read(&words, count: 1, at: VirtualAddress(place(address))) ? words[0] : nil
  }

  func tryLoad4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)? {
    var words = InlineArray<4, UInt64>(repeating: 0)
    return platform.read(&words, count: 4, at: VirtualAddress(place(address)))
      ? (words[0], words[1], words[2], words[3]) : nil
  }

  func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool {
    platform.write(value, at: VirtualAddress(place(address)))
  }

  @inline(__always)
  func store(_ value: UInt64, at address: PhysicalAddress) {
    unsafe word(address).pointee.store(value, ordering: .relaxed)
  }

  /// SMMUs walk what is a table here.
  func publishTables() { platform.publish() }

  func publishToDevices() { platform.publish() }

  func clean(_ address: PhysicalAddress, size: UInt64) {
    guard size > 0 else { return }
    platform.clean(VirtualAddress(place(address)), size: size)
  }
}
