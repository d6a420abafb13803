// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import CEL1Boot

/// The test host's own translation tables: one level-1 table of 1 GiB blocks (DDI 0487, D8.3).
///
/// VA 0 to 2 GiB is an identity map, devices first and then memory. Three further entries serve
/// the tests: the devices once more as Normal non-cacheable, executable memory, a window onto any
/// GiB, and an entry for walks that lead somewhere that they must not.
enum StageOne {
  static let entrySize: UInt64 = 1 << 30

  /// Devices as Normal non-cacheable memory, where the architecture allows what Device memory doesn't.
  static let normalAlias = 508 * entrySize
  private static let walkIndex: UInt64 = 509
  private static let windowIndex: UInt64 = 510

  private enum Memory {
    static let nGnRE: UInt64 = 2 << 2 | 0b11 << 53  // never executable
    static let writeBack: UInt64 = 1 << 2 | 0b11 << 8  // inner shareable
    static let nonCacheable: UInt64 = 3 << 2 | 0b11 << 8
  }

  private static func block(_ physical: UInt64, _ attributes: UInt64) -> UInt64 {
    let address = physical & 0x0000_ffff_c000_0000
    let accessFlag: UInt64 = 1 << 10
    return address | attributes | accessFlag | 0b01
  }

  /// Builds the tables and switches the MMU on.
  static func enable() {
    el1_set_root_entry(0, block(0, Memory.nGnRE))
    el1_set_root_entry(Board.memory / entrySize, block(Board.memory, Memory.writeBack))
    // Where the image itself was loaded above the first GiB of memory.
    let own = el1_image_start() / entrySize
    el1_set_root_entry(own, block(own * entrySize, Memory.writeBack))
    el1_set_root_entry(normalAlias / entrySize, block(0, Memory.nonCacheable))
    el1_enable_mmu()
  }

  /// Maps the configuration of devices on PCI.
  static func mapConfigurationSpace() {
    let address = Board.configurationSpace
    el1_set_root_entry(address / entrySize, block(address, Memory.nGnRE))
  }

  /// Maps the GiB of a physical address as executable memory; returns the virtual address of it.
  static func window(onto physical: UInt64) -> UInt64 {
    el1_set_root_entry(windowIndex, block(physical, Memory.writeBack))
    return windowIndex * entrySize | (physical & (entrySize - 1))
  }

  /// Takes the page at `physical` for a level-2 table; returns a virtual address whose walk reads it.
  static func walk(through physical: UInt64) -> UInt64 {
    el1_set_root_entry(walkIndex, physical & 0x0000_ffff_ffff_f000 | 0b11)
    return walkIndex * entrySize
  }

  /// Takes back what `walk(through:)` made.
  static func endWalk() { el1_set_root_entry(walkIndex, 0) }
}
