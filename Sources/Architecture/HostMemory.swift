// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

/// Memory at addresses that the host has chosen: an access to it may end in an external abort.
///
/// The host can name memory that firmware has fenced off, that is poisoned, or that is not there. The loads and
/// stores of ``BusMemory`` are for addresses that EL2 has chosen; an abort of one of those ends EL2.
public protocol HostMemory: BusMemory, ~Copyable {
  /// The physical address behind one of the host's, in pages that are held for it.
  ///
  /// Side by side for the host is side by side in physical memory, as far as pages are held at once.
  func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress
  /// Reads the 64-bit word at `address`, which is 8-byte aligned, once; nil for an abort.
  func tryLoad(_ address: PhysicalAddress) -> UInt64?
  /// Reads four consecutive words, each once, from `address`, which is a multiple of 32; nil where one aborts.
  func tryLoad4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)?
  /// Writes the 64-bit word at `address`, which is 8-byte aligned; false for a synchronous abort.
  func tryStore(_ value: UInt64, at address: PhysicalAddress) -> Bool
}

extension HostMemory where Self: ~Copyable {
  /// The identity map.
  @inline(__always)
  public func output(of address: IntermediatePhysicalAddress) -> PhysicalAddress {
    address.identityMapped
  }

  /// Reads the words one by one.
  public func tryLoad4(_ address: PhysicalAddress) -> (UInt64, UInt64, UInt64, UInt64)? {
    guard let word0 = tryLoad(address),
      let word1 = tryLoad(PhysicalAddress(address.rawValue &+ 8)),
      let word2 = tryLoad(PhysicalAddress(address.rawValue &+ 16)),
      let word3 = tryLoad(PhysicalAddress(address.rawValue &+ 24))
    else { return nil }
    return (word0, word1, word2, word3)
  }
}
