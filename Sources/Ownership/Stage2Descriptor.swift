// SPDX-FileCopyrightText: 2026 The Portcullis Authors
// SPDX-License-Identifier: Apache-2.0

import Architecture

/// The leaves of the host's stage 2, without FEAT_S2FWB (Arm ARM DDI 0487, D8.3.2 and D8.4).
///
/// ```text
///   [63:55] ignored   [54:53] XN   [47:12] output address   [10] AF   [9:8] SH
///   [7:6] S2AP        [5:2] MemAttr                          [1:0] 01 block, 11 page
/// ```
///
/// An entry with bit 0 clear is invalid and the rest of it is ours: [15:8] is the owner of the
/// pages, or `changing`.
enum Stage2Descriptor {
  static let outputMask: UInt64 = 0x0000_ffff_ffff_f000

  // XN = 0b10: at neither EL1 nor EL0, and the same without FEAT_XNX.
  private static let executeNever: UInt64 = 1 << 54
  private static let accessed: UInt64 = 1 << 10
  private static let innerShareable: UInt64 = 0b11 << 8
  private static let outerShareable: UInt64 = 0b10 << 8
  private static let readWrite: UInt64 = 0b11 << 6
  private static let writeBack: UInt64 = 0b1111 << 2
  private static let nonCacheable: UInt64 = 0b0101 << 2
  private static let device: UInt64 = 0b0001 << 2

  // An entry between break and make: a walk that meets it is to be repeated.
  static let changing: UInt64 = 0xff << 8

  /// What a leaf says, apart from where it points.
  enum Leaf: Hashable {
    case mapped(PageKind)
    /// As MMIO, but that the host may execute it.
    case executed
    case annotated(PageOwner)
  }

  /// The attributes of `kind`.
  ///
  /// Stage 2 takes Normal Non-cacheable for what is not memory: combined with the host's stage 1
  /// this leaves Device what the host maps as Device, and permits write-combining where it asks for
  /// that, but never a cacheable alias of a register (D8.6.6).
  private static func attributes(_ kind: PageKind) -> UInt64 {
    switch kind {
    case .memory: writeBack | readWrite | innerShareable | accessed
    case .mmio: nonCacheable | readWrite | outerShareable | accessed | executeNever
    }
  }

  static func isValid(_ entry: UInt64) -> Bool { entry & 1 == 1 }

  // S2AP, of a valid entry.
  static func isReadable(_ entry: UInt64) -> Bool { entry & 1 << 6 != 0 }
  static func isWritable(_ entry: UInt64) -> Bool { entry & 1 << 7 != 0 }

  static func entry(_ leaf: Leaf, at page: UInt64, level: UInt64) -> UInt64 {
    switch leaf {
    case .mapped(let kind):
      page << PageFrameNumber.shift | attributes(kind) | type(level)
    case .executed:
      page << PageFrameNumber.shift | attributes(.mmio) & ~executeNever | type(level)
    case .annotated(let owner):
      UInt64(owner.rawValue) << 8
    }
  }

  /// An entry of the table that IOMMUs walk: MMIO is Device-nGnRE, whatever a device says of its access.
  static func deviceEntry(
    at page: UInt64, level: UInt64, isReadable: Bool, isWritable: Bool, _ kind: PageKind
  ) -> UInt64 {
    let memory =
      switch kind {
      case .memory: writeBack | innerShareable
      case .mmio: device | outerShareable
      }
    let rights: UInt64 = (isReadable ? 1 << 6 : 0) | (isWritable ? 1 << 7 : 0)
    return page << PageFrameNumber.shift | memory | rights | accessed | executeNever | type(level)
  }

  /// A valid entry without the bit that makes it valid: neither a leaf nor a link.
  static func taken(_ entry: UInt64) -> UInt64 { entry & ~0b11 | isTaken }

  /// What ``taken(_:)`` was made from; nil for an entry that it has not made.
  static func restored(_ entry: UInt64, _ level: UInt64) -> UInt64? {
    guard !isValid(entry), entry & isTaken != 0 else { return nil }
    return entry & ~0b11 & ~isTaken | type(level)
  }

  // Ignored by hardware in a leaf, and ours in an invalid entry.
  private static let isTaken: UInt64 = 1 << 58

  /// The entry of `level` that says for its part what `entry`, one level above, says for the whole.
  static func child(_ index: UInt64, of entry: UInt64, level: UInt64) -> UInt64 {
    guard isValid(entry) else { return entry }
    let offset = index << (PageTree.shift(level) + PageFrameNumber.shift)
    return entry & ~0b11 | type(level) | offset
  }

  static func kind(_ entry: UInt64) -> PageKind {
    entry & writeBack == writeBack ? .memory : .mmio
  }

  private static func type(_ level: UInt64) -> UInt64 { level == PageTree.lastLevel ? 0b11 : 0b01 }
}
